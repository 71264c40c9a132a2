package auth

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/tenant"
)

// CreateParams describes a user that is to be created.
type CreateParams struct {
	// Email, FirstName and LastName may be empty.
	Email, FirstName, LastName string
	// Inactive users cannot log in.
	Inactive bool
	// Password is the new password; see Auth.CheckPassword. NoPassword makes a user that
	// none lets in, in its place.
	Password   string
	NoPassword bool
	// Staff and Superuser are the flags; a superuser is to be staff mostly.
	Staff, Superuser bool
	// Username is the name; see ParseUsername.
	Username string
}

// noPassword is a hash that no password has, as Django writes one.
const noPassword = "!"

// Check reports what Create would have against params, but for a user of that name.
func (a *Auth) Check(params CreateParams) error {
	name, err := ParseUsername(params.Username)
	if err != nil {
		return err
	}
	if err := parseEmail(params.Email); err != nil {
		return err
	}
	if err := parseNames(params.FirstName, params.LastName); err != nil {
		return err
	}
	switch {
	case params.NoPassword && params.Password != "":
		return errors.New("there is a password, and NoPassword (leave one out)")
	case params.NoPassword:
		return nil
	}
	return a.CheckPassword(params.Password, name, params.Email)
}

// Create creates a user: of the tenant in ctx, or of public where Config.Where is Shared.
// The error wraps ErrInvalidUsername, ErrInvalidEmail, ErrInvalidText, ErrUsernameTaken, or
// what CheckPassword returns.
func (a *Auth) Create(ctx context.Context, params CreateParams) (*User, error) {
	home, err := a.home(ctx)
	if err != nil {
		return nil, err
	}
	u, err := a.create(ctx, home, params)
	if err != nil {
		return nil, fmt.Errorf("create user: %w", err)
	}
	return u, nil
}

func (a *Auth) create(ctx context.Context, home tenant.Schema, params CreateParams) (*User, error) {
	if err := a.Check(params); err != nil {
		return nil, err
	}
	name, err := ParseUsername(params.Username)
	if err != nil {
		return nil, err
	}
	// Before the hash, which is dear, and because a name that differs in case has no
	// index in a database that comes from Django.
	switch _, err := a.byUsername(ctx, []tenant.Schema{home}, params.Username); {
	case err == nil:
		return nil, fmt.Errorf("%w: %q (choose another)", ErrUsernameTaken, name)
	case !errors.Is(err, ErrUserNotFound):
		return nil, err
	}
	hash := noPassword
	if !params.NoPassword {
		if hash, err = a.hasher.hash(ctx, params.Password); err != nil {
			return nil, err
		}
	}
	u, err := scanUser(home, a.db.QueryRow(ctx, "INSERT INTO "+table(home, "auth_user")+
		" (username, email, first_name, last_name, is_active, is_staff, is_superuser, password, date_joined) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now()) RETURNING "+userColumns,
		name, params.Email, params.FirstName, params.LastName, !params.Inactive, params.Staff, params.Superuser, hash))
	if dberr.Code(err) == dberr.UniqueViolation {
		return nil, fmt.Errorf("%w: %q (choose another)", ErrUsernameTaken, name)
	}
	return u, missing(home, err)
}

// SetPassword gives a user a new password, and ends all its sessions; the error is
// CheckPassword's, or wraps ErrUserNotFound. u is brought up to date.
func (a *Auth) SetPassword(ctx context.Context, u *User, password string) error {
	if err := a.owns(ctx, u); err != nil {
		return err
	}
	if err := a.CheckPassword(password, u.Username, u.Email); err != nil {
		return err
	}
	hash, err := a.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	return a.within(ctx, func(a *Auth) error {
		if err := a.set(ctx, u, "password = $2", hash); err != nil {
			return err
		}
		u.password = hash
		return a.endSessions(ctx, u)
	})
}

// Update writes the email, the names and the flags of u. Who is made inactive has no
// sessions any more. The error wraps ErrInvalidEmail, ErrInvalidText or ErrUserNotFound.
func (a *Auth) Update(ctx context.Context, u *User) error {
	if err := a.owns(ctx, u); err != nil {
		return err
	}
	now, err := a.byID(ctx, u.Schema, u.ID)
	if err != nil {
		return fmt.Errorf("user %q: %w", u.Username, err)
	}
	// What came from elsewhere stays as it is, so that such a user can be made inactive.
	if u.Email != now.Email {
		if err := parseEmail(u.Email); err != nil {
			return err
		}
	}
	if u.FirstName != now.FirstName || u.LastName != now.LastName {
		if err := parseNames(u.FirstName, u.LastName); err != nil {
			return err
		}
	}
	return a.within(ctx, func(a *Auth) error {
		err := a.set(ctx, u, "email = $2, first_name = $3, last_name = $4, is_active = $5, is_staff = $6, is_superuser = $7",
			u.Email, u.FirstName, u.LastName, u.IsActive, u.IsStaff, u.IsSuperuser)
		if err != nil || u.IsActive {
			return err
		}
		return a.endSessions(ctx, u)
	})
}

// Delete deletes a user, its groups and its permissions. Rows of the application that refer
// to it are in the way; who shall only be kept out is made inactive.
func (a *Auth) Delete(ctx context.Context, u *User) error {
	if err := a.owns(ctx, u); err != nil {
		return err
	}
	return a.within(ctx, func(a *Auth) error {
		for _, name := range []string{"auth_user_groups", "auth_user_user_permissions"} { // Django's do not cascade
			if _, err := a.db.Exec(ctx, "DELETE FROM "+table(u.Schema, name)+" WHERE user_id = $1", u.ID); err != nil {
				return missing(u.Schema, err)
			}
		}
		if err := a.endSessions(ctx, u); err != nil {
			return err
		}
		tag, err := a.db.Exec(ctx, "DELETE FROM "+table(u.Schema, "auth_user")+" WHERE id = $1", u.ID)
		switch {
		case dberr.Code(err) == dberr.ForeignKeyViolation:
			return fmt.Errorf("user %q is referred to: %w (make it inactive, or delete what refers to it)", u.Username, err)
		case err == nil && tag.RowsAffected() == 0:
			return fmt.Errorf("user %q: %w", u.Username, ErrUserNotFound)
		}
		return err
	})
}

// set changes columns of a user.
func (a *Auth) set(ctx context.Context, u *User, columns string, args ...any) error {
	tag, err := a.db.Exec(ctx, "UPDATE "+table(u.Schema, "auth_user")+" SET "+columns+" WHERE id = $1", append([]any{u.ID}, args...)...)
	if err == nil && tag.RowsAffected() == 0 {
		return fmt.Errorf("user %q: %w", u.Username, ErrUserNotFound)
	}
	return missing(u.Schema, err)
}

// within calls f in a transaction.
func (a *Auth) within(ctx context.Context, f func(a *Auth) error) error {
	return pgx.BeginFunc(ctx, a.db, func(tx pgx.Tx) error { return f(a.With(tx)) })
}

// owns refuses to change a user that is not where new users of the tenant in ctx are made:
// the id is somebody else's here, or the user is everybody's.
func (a *Auth) owns(ctx context.Context, u *User) error {
	home, err := a.home(ctx)
	if err != nil {
		return err
	}
	if u != nil && u.Schema == home {
		return nil
	}
	if a.knows(ctx, u) == nil {
		return fmt.Errorf("user %q is not the tenant's own but public's, for all tenants: %w (change it with tenant.Public(ctx))", u.Username, ErrUserNotFound)
	}
	return errNotHere
}

var errNotHere = fmt.Errorf("%w: it is not a user of the tenant in the context", ErrUserNotFound)

// knows refuses a user who cannot log in at the tenant in ctx.
func (a *Auth) knows(ctx context.Context, u *User) error {
	schemas, err := a.schemas(ctx)
	if err != nil {
		return err
	}
	for _, schema := range schemas {
		if u != nil && u.Schema == schema {
			return nil
		}
	}
	return errNotHere
}

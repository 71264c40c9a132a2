package auth

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/jackc/pgx/v5"
)

// Credentials are what somebody logs in with.
type Credentials struct {
	// Address is that of the client, as the server knows it and not as a header says
	// that anybody can send. Required.
	Address netip.Addr
	// Device is what Auth.Device returned at an earlier login from there, if there was
	// one. Defaults to none.
	Device string
	// Password is the password as it was typed.
	Password string
	// Username is the name as it was typed.
	Username string
}

// ErrCredentials says that there is no such user, or it is not active, or the password is another's.
// Which of them it is, nobody is told.
var ErrCredentials = errors.New("the user name or the password is wrong")

// LockedError is an attempt that was not looked at: there were too many before it.
type LockedError struct {
	// RetryAfter is how long to wait before the next one.
	RetryAfter time.Duration
}

// Error says how long to wait.
func (e *LockedError) Error() string {
	return fmt.Sprintf("too many failed attempts to log in (try again in %v)", e.RetryAfter.Round(time.Second))
}

// Authenticate returns the user that the credentials are of. Else the error is
// ErrCredentials, or a *LockedError; both say nothing about whether there is such a user,
// and each attempt that fails takes the time of one hash with the current parameters and,
// where users have others, older ones or Django's, of the dearest of those, whosever name it
// is. A login makes its user's hash anew. Who never comes again can be given a hash that
// nobody matches: UPDATE auth_user SET password = '!' || password WHERE ….
//
// Failures are counted in the tenant's schema for the name and the address together, and
// for the address over all names; never for a name alone, with which anybody could lock out
// whom he likes. For a device from which the user has logged in before they are counted apart,
// so that its neighbours cannot lock it out. An attempt counts before it is looked at, so that many at once are no more
// than one after the other, and not if it turns out right. It is committed before Authenticate
// returns, so that nobody's error takes it back; within a transaction of the caller's, by
// Auth.With, it is the caller's to commit.
func (a *Auth) Authenticate(ctx context.Context, c Credentials) (*User, error) {
	home, err := a.home(ctx)
	if err != nil {
		return nil, err
	}
	if !c.Address.IsValid() {
		return nil, errors.New("auth: there is no client address (set Credentials.Address: attempts are counted for it)")
	}
	u, err := a.find(ctx, c)
	if err != nil {
		return nil, err
	}
	bounds := a.bounds(c, u)
	if err := a.count(ctx, home, bounds); err != nil {
		return nil, missing(home, err)
	}
	encoded := ""
	if u != nil && len(c.Password) <= maxPasswordLength {
		encoded = u.password
	} else if u == nil {
		u = &User{}
	}
	if len(c.Password) > maxPasswordLength {
		c.Password = "" // it is nobody's
	}
	match, fresh, done, err := a.hasher.verify(ctx, c.Password, encoded)
	if err != nil {
		return nil, err
	}
	if !match || !u.IsActive {
		return nil, a.refuse(ctx, c.Password, done)
	}
	if err := a.forget(ctx, home, bounds); err != nil {
		return nil, err
	}
	return u, a.loggedIn(ctx, u, fresh, c.Password)
}

// refuse returns ErrCredentials when it has taken as long as for every other name.
func (a *Auth) refuse(ctx context.Context, password string, done hashKind) error {
	schemas, err := a.schemas(ctx)
	if err != nil {
		return err
	}
	kinds, err := a.kinds(ctx, schemas)
	if err != nil {
		return err
	}
	if err := a.hasher.even(ctx, password, kinds, done); err != nil {
		return err
	}
	return ErrCredentials
}

// find returns the user that the credentials name, or nil.
func (a *Auth) find(ctx context.Context, c Credentials) (*User, error) {
	schemas, err := a.schemas(ctx)
	if err != nil {
		return nil, err
	}
	u, err := a.byUsername(ctx, schemas, c.Username)
	if errors.Is(err, ErrUserNotFound) {
		return nil, nil
	}
	return u, err
}

// loggedIn notes the login, and the hash if it was made anew. A password that was changed
// meanwhile stays: then it is not this user's any more, unless it was another login that made
// its hash anew.
func (a *Auth) loggedIn(ctx context.Context, u *User, fresh, password string) error {
	hash := u.password
	if fresh != "" {
		hash = fresh
	}
	for again := fresh != ""; ; again = false {
		sql := "UPDATE " + table(u.Schema, "auth_user") + " SET last_login = now(), password = $3 WHERE id = $1 AND password = $2 AND is_active RETURNING id, last_login"
		args := []any{u.ID, u.password, hash}
		if hash != u.password {
			sql = "WITH u AS (" + sql + "), r AS (INSERT INTO " + table(u.Schema, "auth_rehash") + " AS r (user_id, hash, proof) SELECT id, $4, $5 FROM u ON CONFLICT (user_id) DO UPDATE SET hash = $4, proof = CASE WHEN r.hash = $5 THEN r.proof ELSE $5 END) SELECT id, last_login FROM u"
			args = append(args, proofOf(hash), proofOf(u.password))
		}
		err := missing(u.Schema, a.db.QueryRow(ctx, sql, args...).Scan(&u.ID, &u.LastLogin))
		if err == nil {
			u.password = hash
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if !again {
			return ErrCredentials
		}
		now, err := a.byID(ctx, u.Schema, u.ID)
		if err != nil {
			return err
		}
		match, _, _, err := a.hasher.verify(ctx, password, now.password)
		if err != nil {
			return err
		}
		if !match {
			return ErrCredentials
		}
		u.password, hash = now.password, now.password
	}
}

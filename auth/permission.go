package auth

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/tenant"
)

// The lengths of the columns, in characters.
const (
	maxGroup      = 150
	maxPermission = 100
)

// HasPermission reports whether a user, as it is now, has the permission of that name, such
// as "shop.change_order": a superuser has all, others those that were granted to them or to
// their groups. Who is not active has none.
func (a *Auth) HasPermission(ctx context.Context, u *User, permission string) (bool, error) {
	if err := a.knows(ctx, u); err != nil {
		return false, err
	}
	now, err := a.byID(ctx, u.Schema, u.ID)
	switch {
	case errors.Is(err, ErrUserNotFound):
		return false, nil
	case err != nil:
		return false, err
	case !now.IsActive:
		return false, nil
	case now.IsSuperuser:
		return true, nil
	}
	name := func(s string) string { return table(u.Schema, s) }
	var has bool
	err = a.db.QueryRow(ctx, "SELECT EXISTS (SELECT FROM "+name("auth_permission")+" AS p WHERE p.codename = $2 AND (EXISTS (SELECT FROM "+name("auth_user_user_permissions")+
		" AS o WHERE o.permission_id = p.id AND o.user_id = $1) OR EXISTS (SELECT FROM "+name("auth_group_permissions")+" AS g JOIN "+name("auth_user_groups")+
		" AS m ON m.group_id = g.group_id WHERE g.permission_id = p.id AND m.user_id = $1)))", u.ID, permission).Scan(&has)
	return has, missing(u.Schema, err)
}

// Grant grants a user a permission, which is made if there is none of that name; not in
// Django's table (see the package's documentation). The error wraps ErrInvalidText or
// ErrUserNotFound.
func (a *Auth) Grant(ctx context.Context, u *User, permission string) error {
	return a.link(ctx, u, "auth_user_user_permissions", "permission_id", "auth_permission", "codename", permission)
}

// Revoke takes back what Grant granted. That of its groups stays.
func (a *Auth) Revoke(ctx context.Context, u *User, permission string) error {
	return a.unlink(ctx, u, "auth_user_user_permissions", "permission_id", "auth_permission", "codename", permission)
}

// Join makes a user a member of a group, which is made if there is none of that name. The
// error wraps ErrInvalidText or ErrUserNotFound.
func (a *Auth) Join(ctx context.Context, u *User, group string) error {
	return a.link(ctx, u, "auth_user_groups", "group_id", "auth_group", "name", group)
}

// Leave ends what Join began.
func (a *Auth) Leave(ctx context.Context, u *User, group string) error {
	return a.unlink(ctx, u, "auth_user_groups", "group_id", "auth_group", "name", group)
}

// GrantGroup grants a permission to the members of a group, where the tenant's users are
// made. Both are made if there are none of those names; the permission not in Django's table.
func (a *Auth) GrantGroup(ctx context.Context, group, permission string) error {
	home, err := a.home(ctx)
	if err != nil {
		return err
	}
	if group == "" || permission == "" {
		return errors.New("auth: the group or the permission has no name (give it one)")
	}
	if err := errors.Join(parseText("group", group, maxGroup), parseText("permission", permission, maxPermission)); err != nil {
		return err
	}
	return a.within(ctx, func(a *Auth) error {
		if err := a.makeNamed(ctx, home, "auth_group", "name", group); err != nil {
			return err
		}
		if err := a.makeNamed(ctx, home, "auth_permission", "codename", permission); err != nil {
			return err
		}
		_, err := a.db.Exec(ctx, "INSERT INTO "+table(home, "auth_group_permissions")+" (group_id, permission_id) SELECT g.id, p.id FROM "+table(home, "auth_group")+" AS g, "+
			table(home, "auth_permission")+" AS p WHERE g.name = $1 AND p.codename = $2 ON CONFLICT DO NOTHING", group, permission)
		return err
	})
}

// RevokeGroup takes back what GrantGroup granted.
func (a *Auth) RevokeGroup(ctx context.Context, group, permission string) error {
	home, err := a.home(ctx)
	if err != nil {
		return err
	}
	_, err = a.db.Exec(ctx, "DELETE FROM "+table(home, "auth_group_permissions")+" WHERE group_id IN (SELECT id FROM "+table(home, "auth_group")+
		" WHERE name = $1) AND permission_id IN (SELECT id FROM "+table(home, "auth_permission")+" WHERE codename = $2)", group, permission)
	return missing(home, err)
}

// link inserts a row that joins the user to the thing of a name, and the thing if need be.
func (a *Auth) link(ctx context.Context, u *User, join, column, things, key, name string) error {
	if err := a.owns(ctx, u); err != nil {
		return err
	}
	if name == "" {
		return fmt.Errorf("auth: the %s has no name (give it one)", things[len("auth_"):])
	}
	if err := parseText(things[len("auth_"):], name, map[string]int{"auth_group": maxGroup, "auth_permission": maxPermission}[things]); err != nil {
		return err
	}
	return a.within(ctx, func(a *Auth) error {
		// As the foreign key does, which does not tell whose row it misses.
		tag, err := a.db.Exec(ctx, "SELECT FROM "+table(u.Schema, "auth_user")+" WHERE id = $1 FOR KEY SHARE", u.ID)
		switch {
		case err != nil:
			return missing(u.Schema, err)
		case tag.RowsAffected() == 0:
			return fmt.Errorf("user %q: %w", u.Username, ErrUserNotFound)
		}
		if err := a.makeNamed(ctx, u.Schema, things, key, name); err != nil {
			return err
		}
		_, err = a.db.Exec(ctx, "INSERT INTO "+table(u.Schema, join)+" (user_id, "+column+") SELECT $1, id FROM "+table(u.Schema, things)+" WHERE "+key+" = $2 ON CONFLICT DO NOTHING", u.ID, name)
		return err
	})
}

// makeNamed inserts a group or a permission, if there is none of that name.
func (a *Auth) makeNamed(ctx context.Context, schema tenant.Schema, things, key, name string) error {
	_, err := a.db.Exec(ctx, "INSERT INTO "+table(schema, things)+" ("+key+") VALUES ($1) ON CONFLICT DO NOTHING", name)
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && pgErr.Code == dberr.NotNullViolation {
		return fmt.Errorf("schema %q: %s cannot have %q: its column %q has no default (in Django's table, grant with Django, or make the table auth's as the package's documentation says)", schema, things, name, pgErr.ColumnName)
	}
	return missing(schema, err)
}

// unlink deletes it.
func (a *Auth) unlink(ctx context.Context, u *User, join, column, things, key, name string) error {
	if err := a.owns(ctx, u); err != nil {
		return err
	}
	_, err := a.db.Exec(ctx, "DELETE FROM "+table(u.Schema, join)+" WHERE user_id = $1 AND "+column+" IN (SELECT id FROM "+table(u.Schema, things)+" WHERE "+key+" = $2)", u.ID, name)
	return missing(u.Schema, err)
}

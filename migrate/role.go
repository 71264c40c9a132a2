package migrate

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/tenant"
)

// standing is how the login stands to the migrator role.
type standing struct {
	exists      bool // the role
	may         bool // become it, and use what it owns
	super       bool // the login is a superuser
	creates     bool // it may create roles
	inherits    bool // it uses what the roles own that it is a member of
	login, role string
	version     int  // of the server
	everybody   bool // may create in public
}

func (c changer) standing(ctx context.Context) (s standing, err error) {
	s.role = c.config.MigratorRole
	err = c.conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = $1), cotenant.may_become($1), r.rolsuper, r.rolcreaterole, r.rolinherit, r.rolname,
			pg_catalog.current_setting('server_version_num')::integer, EXISTS (SELECT FROM pg_catalog.pg_namespace AS n,
				pg_catalog.aclexplode(coalesce(n.nspacl, pg_catalog.acldefault('n', n.nspowner))) AS a WHERE n.nspname = 'public' AND a.grantee = 0 AND a.privilege_type = 'CREATE')
		FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user`, pgx.QueryExecModeExec, s.role).
		Scan(&s.exists, &s.may, &s.super, &s.creates, &s.inherits, &s.login, &s.version, &s.everybody)
	return s, err
}

// grant makes the login a member of the role.
func (s standing) grant(to string) string {
	sql := "GRANT " + pgx.Identifier{s.role}.Sanitize() + " TO " + to
	if s.version >= 160000 {
		return sql + " WITH INHERIT TRUE, SET TRUE"
	}
	return sql
}

// cure is what an administrator is to do.
func (s standing) cure() string { return "(let an administrator: " + s.membership() + ")" }

// membership makes the login a member of the role, and the role.
func (s standing) membership() string {
	login := pgx.Identifier{s.login}.Sanitize()
	cure := s.grant(login)
	if !s.exists {
		cure = "CREATE ROLE " + pgx.Identifier{s.role}.Sanitize() + "; " + cure
	}
	if s.version < 160000 && !s.inherits {
		cure += "; ALTER ROLE " + login + " INHERIT"
	}
	return cure
}

// ensureRole makes the migrator role, if there is none, and a member of the login. It
// returns why there is no guard, if there is none.
func (c changer) ensureRole(ctx context.Context) (unguarded string, err error) {
	role := c.config.MigratorRole
	for range roleAttempts {
		s, err := c.standing(ctx)
		switch {
		case err != nil:
		case s.may:
			_, err = c.conn.Exec(ctx, "SELECT cotenant.grant_migrator($1, $2)", pgx.QueryExecModeExec, role, c.extra())
			if err == nil && s.everybody {
				return fmt.Sprintf("everybody may create in public, role %q too (REVOKE CREATE ON SCHEMA public FROM PUBLIC)", role), nil
			}
			if err == nil {
				return "", nil
			}
			err = fmt.Errorf("its privileges on what is shared: %w", err)
		case s.version < 160000 && !s.inherits:
			return fmt.Sprintf("login %q does not inherit what a role may %s", s.login, s.cure()), nil
		case !s.exists && !s.super && !s.creates:
			return fmt.Sprintf("login %q may not create roles %s", s.login, s.cure()), nil
		case !s.exists:
			_, err = c.conn.Exec(ctx, "CREATE ROLE "+pgx.Identifier{role}.Sanitize())
		default:
			_, err = c.conn.Exec(ctx, s.grant("CURRENT_USER"))
			if dberr.Code(err) == dberr.InsufficientPrivilege {
				return fmt.Sprintf("login %q is no member of role %q %s", s.login, role, s.cure()), nil
			}
		}
		switch dberr.Code(err) {
		case internalError, dberr.UniqueViolation, dberr.DuplicateObject: // somebody else did so at the same moment
			continue
		}
		if err != nil {
			return "", fmt.Errorf("role %q: %w", role, err)
		}
	}
	return fmt.Sprintf("role %q cannot be had (is another program changing it?)", role), nil
}

// checkRole refuses a migrator role that owns no tenant's schema where another one does:
// the setting is mistyped, most likely, and the role would be made, and the schemas be
// migrated without a guard. The tenants that were created first and last stand for all.
func (c changer) checkRole(ctx context.Context) error {
	if len(c.tenant) == 0 {
		return nil
	}
	var other *string
	err := c.conn.QueryRow(ctx, "SELECT cotenant.other_role($1)", pgx.QueryExecModeExec, c.config.MigratorRole).Scan(&other)
	if err == nil && other == nil {
		return nil
	}
	var s standing
	if err == nil {
		s, err = c.standing(ctx)
	}
	if err != nil {
		return fmt.Errorf("role %q: %w", c.config.MigratorRole, err)
	}
	return fmt.Errorf("migrator_role %q: the tenants' schemas belong to %q (correct the setting; or, to give them to another role, let an administrator: %s; %s)",
		s.role, *other, s.membership(), c.giveEach(nil))
}

// foreseeRole does what checkRole does for who changes nothing. Where there is no engine,
// an older one, or one that is not for the login to use, the run will tell.
func (c changer) foreseeRole(ctx context.Context) error {
	err := c.checkRole(ctx)
	switch dberr.Code(err) {
	case dberr.UndefinedFunction, dberr.UndefinedTable, dberr.InvalidSchemaName, dberr.InsufficientPrivilege:
		return nil
	}
	return err
}

// extra returns the names of the extra schemas.
func (c changer) extra() []string {
	names := make([]string, len(c.config.ExtraSchemas))
	for i, schema := range c.config.ExtraSchemas {
		names[i] = schema.String()
	}
	return names
}

// unguarded says which of the schemas are not the migrator role's, such as those that were
// created before it was there: their files run as the login.
func (c changer) unguarded(ctx context.Context, s *selection) (string, error) {
	var count int
	var names []string
	err := c.conn.QueryRow(ctx, `SELECT count(*), (array_agg(s.schema_name ORDER BY s.id))[1:100] FROM (`+c.selected()+`) AS s
		JOIN pg_catalog.pg_namespace AS n ON n.oid = s.namespace JOIN pg_catalog.pg_roles AS r ON r.oid = n.nspowner WHERE r.rolname <> $3`,
		pgx.QueryExecModeExec, s.only(), s.without(), c.config.MigratorRole).Scan(&count, &names)
	switch code := dberr.Code(err); {
	case code == dberr.UndefinedTable || code == dberr.InvalidSchemaName: // there are no tenants
		return "", nil
	case err != nil || count == 0:
		return "", err
	}
	return fmt.Sprintf("role %q does not own %s (let an administrator: %s)", c.config.MigratorRole, some(names, count), c.giveEach(names)), nil
}

// giveEach is the statement that gives the role one schema, or those of all tenants: one
// at a time, since each object is a lock.
func (c changer) giveEach(names []string) string {
	if len(names) == 1 {
		if schema, err := tenant.ParseSchema(names[0]); err == nil {
			return giveAll(schema, c.config.MigratorRole)
		}
	}
	return "DO $give$ DECLARE name text; BEGIN FOR name IN SELECT nspname FROM pg_namespace JOIN " + c.config.TenantsTable.Sanitize() +
		" ON schema_name = nspname WHERE nspname <> 'public' LOOP PERFORM cotenant.give_all(name, " + literal(c.config.MigratorRole) + "); COMMIT; END LOOP; END $give$"
}

// internalError is what PostgreSQL answers when two change a role, or the privileges of
// an object, at once: tuple concurrently updated.
const internalError = "XX000"

const roleAttempts = 20

// freeSQL counts the connections that the server has left for logins that are not
// superusers. It also bounds how long the session waits for locks: a GRANT takes them.
const freeSQL = `SELECT pg_catalog.current_setting('max_connections')::integer - pg_catalog.current_setting('superuser_reserved_connections')::integer
	- (SELECT pg_catalog.sum(numbackends) FROM pg_catalog.pg_stat_database)::integer FROM pg_catalog.set_config('lock_timeout', $1, false)`

// guard sees to the migrator role, and looks how many connections the server has left.
func (r *run) guard(ctx context.Context) error {
	return r.ask(ctx, func(c changer) (err error) {
		if err := c.conn.QueryRow(ctx, freeSQL, pgx.QueryExecModeExec, milliseconds(r.config.LockTimeout)).Scan(&r.free); err != nil {
			return err
		}
		r.free = max(1, r.free)
		r.report.Unguarded, err = c.ensureRole(ctx)
		if len(r.tenant) == 0 {
			r.report.Unguarded = ""
		}
		return err
	})
}

// sayUnguarded says why the tenants' schemas that are to be changed are not guarded, if
// they are not.
func (r *run) sayUnguarded(ctx context.Context) error {
	if r.report.Unguarded == "" {
		err := r.withConn(ctx, func(c changer) (err error) {
			r.report.Unguarded, err = c.unguarded(ctx, r.selection)
			return err
		})
		if err != nil {
			return err
		}
	}
	if r.report.Unguarded != "" {
		r.logger.WarnContext(ctx, "tenants' migrations are not guarded", "reason", r.report.Unguarded)
	}
	return nil
}

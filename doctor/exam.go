package doctor

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/dberr"
)

// exam is a database that is looked at.
type exam struct {
	config  *Config
	conn    *pgx.Conn
	tx      pgx.Tx // of the check that is under way
	tenants string // the tables, quoted
	domains string
	facts   facts
}

// facts are what several checks need to know.
type facts struct {
	database string
	login    string
	version  int    // of the server, as server_version_num has it
	name     string // of the version
	super    bool   // the login is a superuser
	standby  bool
	hasRole  bool // the migrator role is there
	may      bool // the login may become it
	tenants  int
}

// open connects, and looks whether the database is a tenancy.
func open(ctx context.Context, config *Config) (_ *exam, err error) {
	conn, err := config.Connect(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	e := &exam{config: config, conn: conn, tenants: config.TenantsTable.Sanitize(), domains: config.DomainsTable.Sanitize()}
	if err = e.begin(ctx); err == nil {
		err = e.know(ctx)
		e.end(ctx)
	}
	if err != nil {
		e.close(ctx)
		return nil, err
	}
	return e, nil
}

// begin begins a transaction that cannot write. It finds nothing by its path but
// PostgreSQL's own, and waits for locks as migrations do. All that is set for the
// transaction alone: where a pooler is in the way after all, the session is somebody
// else's.
func (e *exam) begin(ctx context.Context) error {
	tx, err := e.conn.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
	if err != nil {
		return err
	}
	e.tx = tx
	if err := e.settle(ctx, tx); err != nil {
		e.end(ctx)
		return err
	}
	return nil
}

// settle sets what a transaction needs. JIT would compile for longer than the queries run.
func (e *exam) settle(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true), pg_catalog.set_config('lock_timeout', '2s', true),
		pg_catalog.set_config('jit', 'off', true)`, pgx.QueryExecModeExec)
	return err
}

// end ends the transaction, in which nothing was changed.
func (e *exam) end(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	_ = e.tx.Rollback(ctx) // where it fails, the connection is closed
}

// look makes a check, in a transaction that cannot write.
func (e *exam) look(ctx context.Context, c check) ([]Finding, error) {
	if err := e.begin(ctx); err != nil {
		return nil, err
	}
	defer func() { e.end(ctx) }() // of the transaction that there is then
	return c.find(ctx, e)
}

// know finds the facts out.
func (e *exam) know(ctx context.Context) error {
	f := &e.facts
	var tenancy, domains, versions bool
	err := e.row(ctx, `SELECT current_database(), current_user, current_setting('server_version_num')::integer, current_setting('server_version'),
			r.rolsuper, pg_is_in_recovery(), to_regclass($1) IS NOT NULL, to_regclass($2) IS NOT NULL, to_regclass('cotenant.schema_versions') IS NOT NULL,
			EXISTS (SELECT FROM pg_roles WHERE rolname = $3)
		FROM pg_roles AS r WHERE r.rolname = current_user`, e.tenants, e.domains, e.config.MigratorRole).
		Scan(&f.database, &f.login, &f.version, &f.name, &f.super, &f.standby, &tenancy, &domains, &versions, &f.hasRole)
	if err != nil {
		return e.refused("look at the database", err)
	}
	for _, table := range []struct {
		name  string
		there bool
	}{{e.tenants, tenancy}, {e.domains, domains}, {"cotenant.schema_versions", versions}} {
		if !table.there {
			return fmt.Errorf("database %q is no tenancy: it has no table %s (name another database; or run \"cotenant migrate\", which makes it one)", f.database, table.name)
		}
	}
	if f.hasRole {
		if err := e.row(ctx, "SELECT cotenant.may_become($1)", e.config.MigratorRole).Scan(&f.may); err != nil {
			return e.refused("look at the migrator role", err)
		}
	}
	if err := e.row(ctx, "SELECT count(*) FROM "+e.tenants+" AS t WHERE t.schema_name::text <> 'public'").Scan(&f.tenants); err != nil {
		return e.refused("count the tenants", err)
	}
	return nil
}

// refused is the error of what must not fail, with the cure where a privilege is missing.
func (e *exam) refused(doing string, err error) error {
	if dberr.Code(err) != dberr.InsufficientPrivilege {
		return fmt.Errorf("%s: %w", doing, err)
	}
	login := quote(e.conn.Config().User)
	return fmt.Errorf("%s: %w (examine as the login that migrates; or GRANT USAGE ON SCHEMA cotenant TO %s; GRANT SELECT ON ALL TABLES IN SCHEMA cotenant TO %[3]s)", doing, err, login)
}

// close ends the session; nothing of it is needed any more.
func (e *exam) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	_ = e.conn.Close(ctx)
}

const closeTimeout = 5 * time.Second

// row asks for one row. Nothing is prepared, so that it does not matter what is in between.
func (e *exam) row(ctx context.Context, sql string, args ...any) pgx.Row {
	return e.tx.QueryRow(ctx, sql, append([]any{pgx.QueryExecModeExec}, args...)...)
}

// rows asks for some.
func (e *exam) rows(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return e.tx.Query(ctx, sql, append([]any{pgx.QueryExecModeExec}, args...)...)
}

package doctor

import (
	"context"
	"errors"
	"fmt"

	"github.com/cotenant/cotenant/pgxtenant"
	"github.com/cotenant/cotenant/tenant"
)

// room is how many connections the login can have, and which setting says so.
type room struct {
	connections int
	setting     string
}

func (e *exam) room(ctx context.Context) (r room, err error) {
	var reserved, database, login int
	err = e.row(ctx, `SELECT current_setting('max_connections')::integer, current_setting('superuser_reserved_connections')::integer + coalesce(current_setting('reserved_connections', true), '0')::integer,
		(SELECT datconnlimit FROM pg_database WHERE datname = current_database()), (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user)`).Scan(&r.connections, &reserved, &database, &login)
	r.setting = fmt.Sprintf("max_connections is %d, of which %d are reserved", r.connections, reserved)
	r.connections -= reserved
	if database >= 0 && database < r.connections {
		r.connections, r.setting = database, fmt.Sprintf("database %q has CONNECTION LIMIT %d", e.facts.database, database)
	}
	if login >= 0 && login < r.connections {
		r.connections, r.setting = login, fmt.Sprintf("login %q has CONNECTION LIMIT %d", e.facts.login, login)
	}
	return r, err
}

// connections finds that the program could open more connections than the server has.
func connections(ctx context.Context, e *exam) ([]Finding, error) {
	want := e.config.MaxConns * e.config.Processes
	r, err := e.room(ctx)
	if err != nil || want <= r.connections {
		return nil, err
	}
	return []Finding{{
		Severity: Warning,
		Subject:  count(e.config.Processes, "process", "processes"),
		Message:  fmt.Sprintf("the pools of the program may open %d connections, and %s", want, r.setting),
		Reason:   "under load, and while a deployment runs old and new processes, requests fail with \"too many clients\"",
		Cure:     "lower pool_max_conns in the URL, put PgBouncer in front (search_path_mode = \"transaction\"), or raise the limit",
	}}, nil
}

// connectionsInUse finds that nearly all connections that the server has are taken.
func connectionsInUse(ctx context.Context, e *exam) ([]Finding, error) {
	var most, used int
	err := e.row(ctx, "SELECT current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer, (SELECT sum(numbackends) FROM pg_stat_database)::integer").Scan(&most, &used)
	if err != nil || used*10 <= most*9 {
		return nil, err
	}
	return []Finding{{
		Severity: Warning,
		Subject:  "the server",
		Message:  fmt.Sprintf("%d of %d connections are taken", used, most),
		Reason:   "the next programs are refused with \"too many clients\"",
		Cure:     "look into pg_stat_activity for who has them; smaller pools, PgBouncer, or a larger max_connections",
	}}, nil
}

// pooler finds a pooler where there must be none, and none where the program is set up for
// one. PgBouncer's track_extra_parameters is no way around it: before PostgreSQL 18 the
// server does not report its search_path, so that the pooler cannot keep it apart.
func pooler(ctx context.Context, e *exam) ([]Finding, error) {
	pooling, err := pgxtenant.DetectPooling(ctx, e.config.Connect)
	if err != nil {
		return nil, err
	}
	var findings []Finding
	if pooling != pgxtenant.NoPooling {
		findings = append(findings, Finding{
			Severity: Error,
			Subject:  "the way of migrations",
			Message:  "there is a pooler in it, which " + pooling.String(),
			Reason:   "LISTEN hears nothing, locks of a session are another's, and a tenant's path can reach another",
			Cure:     "set direct_url to the server itself",
		})
	}
	if e.config.DB == nil {
		return findings, nil
	}
	pooled, err := throughPooler(ctx, e.config.DB)
	switch {
	case errors.Is(err, pgxtenant.ErrPooler):
		return append(findings, Finding{
			Severity: Error,
			Subject:  "the application's way",
			Message:  "there is a pooler in it, and the mode is " + e.config.DB.Mode().String(),
			Reason:   "a path that is set for one tenant's session could serve another's query; connections are refused",
			Cure:     "search_path_mode = \"transaction\", and direct_url for the server itself",
		}), nil
	case err != nil:
		return findings, err
	case !pooled && e.config.DB.Mode() == pgxtenant.Transaction:
		findings = append(findings, Finding{
			Severity: Note,
			Subject:  "the application's way",
			Message:  "the mode is transaction, and there is no pooler",
			Reason:   "each query sets its path anew, and nothing is prepared",
			Cure:     "leave search_path_mode out, unless a pooler is to come",
		})
	}
	return findings, nil
}

// throughPooler reports whether a process serves a connection of db other than the one
// that was announced.
func throughPooler(ctx context.Context, db *pgxtenant.DB) (pooled bool, err error) {
	ctx = tenant.Public(ctx)
	err = db.AcquireFunc(ctx, func(conn *pgxtenant.Conn) error {
		var pid uint32
		err := conn.QueryRow(ctx, "SELECT pg_catalog.pg_backend_pid()").Scan(&pid)
		pooled = err == nil && pid != conn.Conn().PgConn().PID()
		return err
	})
	return pooled, err
}

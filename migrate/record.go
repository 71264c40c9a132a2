package migrate

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/schemalock"
	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/tenant"
)

// Recorded returns the apps, cotenant's own among them, of which something is recorded in
// the history of a schema, in the order of their names.
func (m *Migrator) Recorded(ctx context.Context, tx pgx.Tx, schema tenant.Schema) ([]string, error) {
	h, err := changer{Migrator: m, conn: tx.Conn()}.readHistory(ctx, tx, schema)
	if err != nil {
		return nil, m.schemaError(schema, err)
	}
	return slices.Sorted(maps.Keys(h)), nil
}

// Record records within tx that the schema of t has apps in some states, as Fleet.Migrate
// with Fake would: their files are not run. Apps that have records already are an error.
// What cotenant keeps must be there: see Fleet.Install. Of t the ID and the Schema are
// looked at; for public the states are of shared apps.
//
// The lock of the schema is tried, and held until tx ends.
func (m *Migrator) Record(ctx context.Context, tx pgx.Tx, t *tenant.Tenant, states []AppState) error {
	c := changer{Migrator: m, conn: tx.Conn()}
	apps, id := m.tenant, t.ID
	if t.IsPublic() {
		apps, id = m.shared, 0
	}
	if err := m.record(ctx, tx, c, target{id: id, schema: t.Schema}, fresh(apps), states); err != nil {
		return m.schemaError(t.Schema, err)
	}
	return nil
}

func (m *Migrator) record(ctx context.Context, tx pgx.Tx, c changer, t target, apps []loadedApp, states []AppState) error {
	var locked bool
	if err := tx.QueryRow(ctx, "SELECT pg_catalog.pg_try_advisory_xact_lock($1)", pgx.QueryExecModeExec, schemalock.Key(t.id)).Scan(&locked); err != nil {
		return err
	}
	if err := errBusyUnless(locked); err != nil {
		return err
	}
	h, err := c.readHistory(ctx, tx, t.schema)
	if err != nil {
		return err
	}
	var records []record
	for _, state := range states {
		app, ok := find(apps, state.App)
		if !ok {
			return fmt.Errorf("app %q: there is none of that name", state.App)
		}
		if len(h[state.App]) > 0 {
			return fmt.Errorf("app %q: it is recorded already (leave it to migrate)", state.App)
		}
		upTo, err := app.recordsTo(state.Name)
		if err != nil {
			return err
		}
		records = append(records, upTo...)
	}
	if len(records) > 0 {
		if _, err := tx.Exec(ctx, createHistorySQL(t.schema), pgx.QueryExecModeExec); err != nil {
			return err
		}
		if _, err := c.conn.PgConn().ExecParams(ctx, insertRecordsSQL(t.schema, len(records)), recordParams(records), nil, nil, nil).Close(); err != nil {
			return err
		}
		h.add(records...)
	}
	_, err = tx.Exec(ctx, `INSERT INTO cotenant.schema_versions (tenant_id, namespace, digest) VALUES ($1, $2::pg_catalog.regnamespace, $3)
		ON CONFLICT (tenant_id) DO UPDATE SET namespace = excluded.namespace, digest = excluded.digest`, pgx.QueryExecModeExec, t.id, searchpath.Quote(t.schema), h.digest())
	return err
}

// recordsTo are the records of an app that has come to a migration, or to its schema.sql.
func (l *loadedApp) recordsTo(name string) ([]record, error) {
	if name == schemaFile && l.schema != nil && len(l.migrations) == 0 {
		return []record{l.schema.record(true)}, nil
	}
	var records []record
	for i := range l.migrations {
		records = append(records, l.migrations[i].record(true))
		if l.migrations[i].name == name {
			return records, nil
		}
	}
	return nil, fmt.Errorf("migration %q: app %q has none of that name", name, l.name)
}

// Install makes what cotenant keeps in the database, as every run does first: the schema
// cotenant with the tables of the registry and of the engine, and the migrator role with
// what it may have of the tables that are shared, so that new tenants can refer to those; a
// login that may not make the role goes without. The apps and the tenants' schemas are not
// touched.
func (f *Fleet) Install(ctx context.Context) error {
	r, err := f.newRun(&RunOptions{Selection: Selection{Shared: true}}, request{migrate: true, app: ownApp})
	if err != nil {
		return err
	}
	err = r.ask(ctx, func(c changer) error {
		if err := c.ensureEngine(ctx); err != nil {
			return err
		}
		return c.checkRole(ctx)
	})
	if err == nil {
		err = r.shared(ctx)
	}
	switch {
	case err != nil:
		return err
	case r.report.Failed > 0:
		return &RunError{Report: &r.report}
	}
	return r.guard(ctx)
}

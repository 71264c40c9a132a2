package conformance

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/cotenant/cotenant/tenant"
)

// nobody owns the decoys in public.
const nobody = -1

// decoys is how many rows each table of public has.
const decoys = 3

// tables are the tables that each tenant and public have. Each has a column owner.
// The last four are named like those of cotenant's own.
var tables = []string{"things", "people", "profiles", "tenants", "domains", "cotenant_migrations", "schema_versions"}

// everyTable is a query of all tables: their names and owners.
func everyTable() string {
	parts := make([]string, len(tables))
	for i, table := range tables {
		parts[i] = "SELECT '" + table + "'::text, owner FROM " + table
	}
	return strings.Join(parts, " UNION ALL ")
}

// town is a database full of tenants, seen through plain connections.
type town struct {
	plain *pgxpool.Pool
	ids   atomic.Int64
	spare []*tenant.Tenant // two that trials have left as they were, or none
}

// plainName is the application_name of the plain connections, which nobody kills.
const plainName = "cotenant conformance"

// newTown puts the decoys into the database at url.
func newTown(ctx context.Context, url string, connections int) (*town, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = int32(connections) //nolint:gosec // a handful
	config.ConnConfig.RuntimeParams["application_name"] = plainName
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	plain, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	w := &town{plain: plain}
	if err := w.exec(ctx, objects(tenant.PublicSchema(), nobody)); err != nil {
		plain.Close()
		return nil, fmt.Errorf("decoys in public: %w", err)
	}
	return w, nil
}

func (w *town) close() { w.plain.Close() }

// exec executes statements with qualified names.
func (w *town) exec(ctx context.Context, sql string) error {
	_, err := w.plain.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol)
	return err
}

// settle makes a tenant with its schema and rows.
func (w *town) settle(ctx context.Context) (*tenant.Tenant, error) {
	t := w.newTenant()
	return t, w.build(ctx, t)
}

// settleMany makes n tenants, several at a time.
func (w *town) settleMany(ctx context.Context, n int) ([]*tenant.Tenant, error) {
	tenants := make([]*tenant.Tenant, n)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(int(w.plain.Config().MaxConns))
	for i := range tenants {
		t := w.newTenant()
		tenants[i] = t
		group.Go(func() error { return w.build(ctx, t) })
	}
	return tenants, group.Wait()
}

func (w *town) newTenant() *tenant.Tenant {
	id := w.ids.Add(1)
	return &tenant.Tenant{ID: id, Schema: tenant.MustParseSchema(fmt.Sprintf("town_%d", id))}
}

// build makes the schema of t in one transaction.
func (w *town) build(ctx context.Context, t *tenant.Tenant) error {
	return w.exec(ctx, "CREATE SCHEMA "+t.Schema.String()+";"+objects(t.Schema, t.ID))
}

// rows is how many rows of its own each table of a tenant has at first.
const rows = 1

// objects returns the statements that make the tables of schema, with its first rows.
//
// Types of one name differ by tenant, as do the columns of profiles: tenants with an
// odd id are a migration ahead.
func objects(schema tenant.Schema, owner int64) string {
	initial := rows
	if owner == nobody {
		initial = decoys
	}
	sql := `
CREATE TABLE {s}.things (owner bigint NOT NULL, name text, n int NOT NULL DEFAULT 0);
CREATE INDEX ON {s}.things (owner);
CREATE TYPE {s}.mood AS ENUM ({labels});
CREATE TYPE {s}.place AS ({fields});
CREATE TABLE {s}.people (owner bigint NOT NULL, mood {s}.mood, moods {s}.mood[], place {s}.place);
CREATE TABLE {s}.profiles (owner bigint NOT NULL, {columns});
CREATE TABLE {s}.tenants (owner bigint NOT NULL, id bigint, schema_name text);
CREATE TABLE {s}.domains (owner bigint NOT NULL, domain text, tenant_id bigint);
CREATE TABLE {s}.cotenant_migrations (owner bigint NOT NULL, app text, name text);
CREATE TABLE {s}.schema_versions (owner bigint NOT NULL, digest text);
CREATE FUNCTION {s}.whoami() RETURNS bigint LANGUAGE sql AS 'SELECT {owner}::bigint';
CREATE PROCEDURE {s}.twice(name text) LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO things VALUES ({owner}, name); COMMIT;
	INSERT INTO things VALUES ({owner}, name); COMMIT;
END $$;
INSERT INTO {s}.people SELECT {owner}, {label}::{s}.mood, ARRAY[{label}]::{s}.mood[], ROW({place})::{s}.place FROM generate_series(1, {n});
INSERT INTO {s}.profiles SELECT {owner}, {profile} FROM generate_series(1, {n});
`
	for _, table := range tables {
		if table != "people" && table != "profiles" {
			sql += "INSERT INTO {s}." + table + " SELECT {owner} FROM generate_series(1, {n});\n"
		}
	}
	labels, fields, columns := "'calm', 'even', 'fine'", "street text, number int", "detail text"
	place, profile := "'s', 7", "'text'"
	if ahead(owner) {
		labels, fields, columns = "'fine', 'odd', 'rash'", "number int, street text, zip text", "detail int, more text"
		place, profile = "7, 's', 'z'", "42, 'more'"
	}
	return strings.NewReplacer(
		"{s}", pgx.Identifier{schema.String()}.Sanitize(), "{owner}", fmt.Sprint(owner), "{n}", fmt.Sprint(initial),
		"{labels}", labels, "{fields}", fields, "{columns}", columns, "{place}", place, "{profile}", profile,
		"{label}", "'"+label(owner)+"'",
	).Replace(sql)
}

// ahead reports whether the owner's tables are those of the later migration.
func ahead(owner int64) bool { return owner > 0 && owner%2 == 1 }

// label is the mood of the owner's people, which the others do not have.
func label(owner int64) string {
	if ahead(owner) {
		return "odd"
	}
	return "even"
}

// person is what people holds, as text: mood, moods and place.
func person(owner int64) string {
	if ahead(owner) {
		return "odd {odd} (7,s,z)"
	}
	return "even {even} (s,7)"
}

// profile is what profiles holds, as fmt prints it, without the owner.
func profile(owner int64) string {
	if ahead(owner) {
		return "42 more"
	}
	return "text"
}

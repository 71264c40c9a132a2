package cotenant_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// keyToShared are apps of which the tenants' refers to a shared table.
func keyToShared() fstest.MapFS {
	return fstest.MapFS{
		"base/schema.sql": file("CREATE TABLE plans (id int PRIMARY KEY)"),
		"shop/schema.sql": file("CREATE TABLE a (id int, plan int REFERENCES plans)"),
	}
}

// insertInto begins a transaction that inserts into a shared table, which keys to it wait
// for.
func insertInto(t *testing.T, address, table string) pgx.Tx {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), "INSERT INTO "+table+" VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	return tx
}

func lockTimeout(d time.Duration) func(*cotenant.Config) {
	return func(c *cotenant.Config) { c.Migrate = &migrate.Config{LockTimeout: d} }
}

// A creation whose key waits for somebody else's lock fails after its attempts, and leaves
// nothing.
func TestCreateWaitsForLocksAsLongAsIsSaid(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	tenancy := open(t, address, keyToShared(), []string{"base"}, []string{"shop"}, lockTimeout(20*time.Millisecond))
	if err := tenancy.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	tx := insertInto(t, address, "plans")
	_, err := tenancy.Registry().Create(t.Context(), registry.CreateParams{Schema: tenant.MustParseSchema("acme")})
	if dberr.Code(err) != dberr.LockNotAvailable || !strings.Contains(err.Error(), `create tenant "acme": shop/schema.sql:1: schema "acme": canceling statement due to lock timeout`) {
		t.Errorf("Create: %v", err)
	}
	var left int
	if err := tx.QueryRow(t.Context(), "SELECT (SELECT count(*) FROM cotenant.tenants) + (SELECT count(*) FROM pg_namespace WHERE nspname = 'acme')").Scan(&left); err != nil || left != 0 {
		t.Errorf("%d left, %v", left, err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	create(t, tenancy, "acme")
}

// One that does not get its lock is tried again, and succeeds when the lock is free.
func TestCreateIsTriedAgain(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	var release func() error
	var attempts atomic.Int32
	fsys := keyToShared()
	tenancy := open(t, address, fsys, []string{"base"}, nil, lockTimeout(20*time.Millisecond), func(c *cotenant.Config) {
		c.TenantApps = append([]migrate.App{{Name: "counter", Migrations: []migrate.Migration{{Name: "1_count", Up: func(context.Context, pgx.Tx) error {
			if attempts.Add(1) == 2 {
				return release()
			}
			return nil
		}}}}}, migrate.Dirs(fsys, "shop")...)
	})
	if err := tenancy.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	tx := insertInto(t, address, "plans")
	release = func() error { return tx.Commit(t.Context()) }
	create(t, tenancy, "acme")
	if attempts.Load() != 2 {
		t.Errorf("%d attempts, want 2", attempts.Load())
	}
}

// The hooks hear of a schema when what was done there can be seen by others, with the
// tenant and what its row has; of one that was created, too.
func TestSchemaHooks(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	fsys := fstest.MapFS{
		"base/migrations/1_name.sql": file("ALTER TABLE cotenant.tenants ADD COLUMN name text"),
		"shop/migrations/1_a.sql":    file("CREATE TABLE a (id int)"),
	}
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var heard []string
	hear := func(ctx context.Context, what string, who *tenant.Tenant) error {
		in, err := tenant.FromContext(ctx)
		if err != nil || in.Schema != who.Schema {
			return fmt.Errorf("%s: in ctx: %v, %w", what, in, err)
		}
		var tables int
		if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_tables WHERE schemaname = $1", who.Schema.String()).Scan(&tables); err != nil {
			return err
		}
		heard = append(heard, fmt.Sprintf("%s %s %v %t", what, who.Schema, in.Fields.Get("name"), tables > 1))
		return nil
	}
	hooks := func(c *cotenant.Config) {
		c.Migrate = &migrate.Config{
			OnMigrated: func(ctx context.Context, who *tenant.Tenant, applied []migrate.Applied) error {
				return hear(ctx, fmt.Sprintf("migrated %d", len(applied)), who)
			},
			OnSchemaSynced: func(ctx context.Context, who *tenant.Tenant) error { return hear(ctx, "synced", who) },
		}
	}
	expect := func(want ...string) {
		t.Helper()
		if got := strings.Join(heard, "\n"); got != strings.Join(want, "\n") {
			t.Errorf("heard\n%s\nwant\n%s", got, strings.Join(want, "\n"))
		}
		heard = nil
	}
	tenancy := open(t, address, fsys, []string{"base"}, []string{"shop"}, hooks)
	if err := tenancy.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(heard) != 2 || !strings.HasPrefix(heard[1], "synced public") {
		t.Errorf("heard %q", heard)
	}
	heard = nil
	_, err = tenancy.Registry().Create(t.Context(), registry.CreateParams{Schema: tenant.MustParseSchema("acme"), Fields: map[string]any{"name": "Acme, Inc."}})
	if err != nil {
		t.Fatal(err)
	}
	expect("synced acme Acme, Inc. true")
	fsys["shop/migrations/2_b.sql"] = file("CREATE TABLE b (id int)")
	fsys["shop/migrations/3_c.sql"] = file("CREATE TABLE c (id int)")
	tenancy = open(t, address, fsys, []string{"base"}, []string{"shop"}, hooks)
	for range 2 {
		if err := tenancy.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	expect("migrated 2 acme Acme, Inc. true", "synced acme Acme, Inc. true")
}

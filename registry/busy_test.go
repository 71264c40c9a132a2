package registry_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/internal/schemalock"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// connect returns a connection of its own to the database.
func (f *fixture) connect(t *testing.T) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), f.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// exec runs a statement on conn.
func exec(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// count returns how many of the statements that were sent contain a text.
func (s *statements) count(text string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sql := range s.sent {
		if strings.Contains(sql, text) {
			n++
		}
	}
	return n
}

// Who has the lock of a tenant's schema, a migration, is waited for by what changes the
// schema, and by nothing else.
func TestChangeWhileBusy(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{}, false)
	acme := f.create(t, "acme")
	traced := &statements{}
	f.pool = newPool(t, f.url, traced)
	f.Registry = f.open(t, registry.Config{}, false)
	conn := f.connect(t)
	exec(t, conn, fmt.Sprintf("SELECT pg_advisory_lock(%d)", schemalock.Key(acme.ID)))

	if err := f.AddDomain(t.Context(), acme, tenant.MustParseDomain("acme.org"), true); err != nil {
		t.Errorf("AddDomain: %v", err)
	}
	if err := f.RemoveDomain(t.Context(), acme, tenant.MustParseDomain("acme.example.com")); err != nil {
		t.Errorf("RemoveDomain: %v", err)
	}
	rename := func() error {
		_, err := f.Rename(t.Context(), acme, tenant.MustParseSchema("renamed"))
		return err
	}
	remove := func() error { return f.Delete(t.Context(), acme, &registry.DeleteParams{DropSchema: true}) }
	for _, change := range []func() error{rename, remove} {
		done := make(chan error, 1)
		before := traced.count("pg_try_advisory_xact_lock")
		go func() { done <- change() }()
		f.eventually(t, func() bool { // it is tried again
			select {
			case err := <-done:
				t.Fatalf("it is done, although the schema is locked: %v", err)
			default:
			}
			return traced.count("pg_try_advisory_xact_lock") >= before+2
		})
		if got := f.text(t, everything); got != "1 tenants 1 domains 1 schemas" {
			t.Errorf("meanwhile: %s", got)
		}
		exec(t, conn, "SELECT pg_advisory_unlock_all()")
		if err := <-done; err != nil {
			t.Error(err)
		}
		exec(t, conn, fmt.Sprintf("SELECT pg_advisory_lock(%d)", schemalock.Key(acme.ID)))
	}
	if got := f.text(t, everything); got != "0 tenants 0 domains 0 schemas" {
		t.Errorf("in the end: %s", got)
	}
}

// What passes is tried again, and no lock is waited for longer than two seconds at a time.
func TestChangeIsTriedAgain(t *testing.T) {
	t.Parallel()

	var timeouts []string
	passes := []string{dberr.LockNotAvailable, dberr.DeadlockDetected}
	f := newFixture(t, registry.Config{OnTenantDeleted: func(ctx context.Context, tx pgx.Tx, _ *tenant.Tenant) error {
		var timeout string
		if err := tx.QueryRow(ctx, "SELECT current_setting('lock_timeout')").Scan(&timeout); err != nil {
			return err
		}
		if timeouts = append(timeouts, timeout); len(timeouts) <= len(passes) {
			return &pgconn.PgError{Code: passes[len(timeouts)-1]}
		}
		return nil
	}}, false)
	if err := f.Delete(t.Context(), f.create(t, "acme"), nil); err != nil || fmt.Sprint(timeouts) != "[2s 2s 2s]" {
		t.Errorf("Delete: %v, with lock_timeout %v", err, timeouts)
	}
	passes = []string{dberr.UniqueViolation}
	timeouts = nil
	if err := f.Delete(t.Context(), f.create(t, "other"), nil); dberr.Code(err) != dberr.UniqueViolation || len(timeouts) != 1 {
		t.Errorf("Delete: %v, tried %d times", err, len(timeouts))
	}
}

// A name that somebody else takes meanwhile is taken, however it was taken.
func TestRenameRace(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{}, false)
	acme := f.create(t, "acme")
	conn := f.connect(t)
	for name, sql := range map[string]string{
		"globex":  "INSERT INTO cotenant.tenants (schema_name) VALUES ('globex'); CREATE SCHEMA globex",
		"initech": "INSERT INTO cotenant.tenants (schema_name) VALUES ('initech')",
		"nobodys": "CREATE SCHEMA nobodys",
	} {
		exec(t, conn, "BEGIN; "+sql)
		done := make(chan error, 1)
		go func() {
			_, err := f.Rename(t.Context(), acme, tenant.MustParseSchema(name))
			done <- err
		}()
		f.await(t, "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")
		exec(t, conn, "COMMIT")
		if err := <-done; !errors.Is(err, tenant.ErrSchemaTaken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if found, err := f.ByID(t.Context(), acme.ID); err != nil || found.Schema != acme.Schema {
		t.Errorf("in the end: %v, %v", found, err)
	}
}

// A name rests for NameRest, at least twice as long as a tenant stays in a cache, and no
// longer.
func TestNamesRest(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{}, false)
	for _, tt := range []struct {
		config registry.Config
		want   time.Duration
	}{
		{registry.Config{}, 10 * time.Minute},
		{registry.Config{CacheTTL: time.Hour}, 2 * time.Hour},
		{registry.Config{CacheTTL: time.Hour, NameRest: 3 * time.Hour}, 3 * time.Hour},
	} {
		r := f.open(t, tt.config, false)
		if err := r.Delete(t.Context(), f.create(t, "acme"), &registry.DeleteParams{DropSchema: true}); err != nil {
			t.Fatal(err)
		}
		if got := f.text(t, "SELECT round(extract(epoch FROM until - now()) / 60)::text FROM cotenant.resting_names"); got != fmt.Sprint(tt.want.Minutes()) {
			t.Errorf("it rests for %s minutes, want %v", got, tt.want)
		}
		params := registry.CreateParams{Schema: tenant.MustParseSchema("acme")}
		f.exec(t, "UPDATE cotenant.resting_names SET until = now() + interval '1 minute'")
		if _, err := r.Create(t.Context(), params); !errors.Is(err, tenant.ErrSchemaTaken) {
			t.Errorf("Create a minute before: %v", err)
		}
		f.exec(t, "UPDATE cotenant.resting_names SET until = now() - interval '1 second'")
		created, err := r.Create(t.Context(), params)
		if err != nil {
			t.Fatalf("Create after it: %v", err)
		}
		if _, err := r.Rename(t.Context(), created, tenant.MustParseSchema("globex")); err != nil {
			t.Fatal(err)
		}
		if got := f.text(t, "SELECT string_agg(concat_ws(' ', schema_name, until > now()), ', ') FROM cotenant.resting_names"); got != "acme t" {
			t.Errorf("resting: %s", got)
		}
		f.exec(t, "DELETE FROM cotenant.tenants; DROP SCHEMA globex; UPDATE cotenant.resting_names SET schema_name = 'old', until = now() - interval '1 second'")
	}
}

// A rest within which a cache may still have the old tenant is refused.
func TestShortRestIsRefused(t *testing.T) {
	t.Parallel()

	for _, config := range []registry.Config{{NameRest: time.Minute}, {NameRest: time.Hour, CacheTTL: 40 * time.Minute}} {
		if _, err := registry.New(nil, &config); err == nil || !strings.Contains(err.Error(), "Config.NameRest") || !strings.Contains(err.Error(), (2*cmp.Or(config.CacheTTL, 5*time.Minute)).String()+" or more") {
			t.Errorf("%v: %v", config.NameRest, err)
		}
	}
}

// What a process remembered of a name is forgotten with the change, without a notification.
func TestChangesAreForgotten(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{}, false)
	acme := f.create(t, "acme")
	domain, renamed := tenant.MustParseDomain("acme.example.com"), tenant.MustParseSchema("renamed")
	if _, err := f.ByDomain(t.Context(), domain); err != nil {
		t.Fatal(err)
	}
	if _, err := f.BySchema(t.Context(), renamed); !errors.Is(err, tenant.ErrTenantNotFound) {
		t.Fatal(err)
	}
	if _, err := f.Rename(t.Context(), acme, renamed); err != nil {
		t.Fatal(err)
	}
	if found, err := f.BySchema(t.Context(), renamed); err != nil || !found.Is(acme) {
		t.Errorf("BySchema: %v, %v", found, err)
	}
	if found, err := f.ByDomain(t.Context(), domain); err != nil || found.Schema != renamed {
		t.Errorf("ByDomain: %v, %v", found, err)
	}
	if err := f.Delete(t.Context(), acme, nil); err != nil {
		t.Fatal(err)
	}
	if found, err := f.ByDomain(t.Context(), domain); !errors.Is(err, tenant.ErrTenantNotFound) {
		t.Errorf("ByDomain of a tenant that is gone: %v, %v", found, err)
	}
}

// The context of a creation's hook is good once the schema was made.
func TestCreateSchemaSettles(t *testing.T) {
	t.Parallel()

	var hook context.Context
	f := newFixture(t, registry.Config{OnTenantCreated: func(ctx context.Context, _ pgx.Tx, _ *tenant.Tenant) error {
		hook = ctx //nolint:fatcontext // kept to show that it is good after the commit
		if _, err := tenant.Settled(ctx); !errors.Is(err, tenant.ErrUncommitted) {
			t.Errorf("within the hook: %v", err)
		}
		return nil
	}}, false)
	acme := f.create(t, "acme")
	f.exec(t, "DROP SCHEMA acme")
	hook = nil
	if err := f.CreateSchema(t.Context(), acme); err != nil {
		t.Fatal(err)
	}
	if settled, err := tenant.Settled(hook); err != nil || !settled.Is(acme) {
		t.Errorf("after it: %v, %v", settled, err)
	}
}

func TestCheckValue(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{}, false)
	f.exec(t, `CREATE TYPE plan AS ENUM ('free', 'pro'); CREATE DOMAIN seats AS int CHECK (VALUE > 0); CREATE DOMAIN needed AS text NOT NULL DEFAULT 'x';
		ALTER TABLE cotenant.tenants ADD COLUMN plan plan, ADD COLUMN paid_until date, ADD COLUMN price numeric(5,2), ADD COLUMN code varchar(3), ADD COLUMN seats seats,
		ADD COLUMN codes varchar(3)[], ADD COLUMN settings jsonb, ADD COLUMN needed needed`)
	columns, err := f.Columns(t.Context())
	if err != nil || len(columns) != 9 {
		t.Fatal(columns, err)
	}
	for _, tt := range []struct {
		column      int
		value, want string
	}{
		{1, "pro", ""},
		{1, "gold", `"gold" is none of free, pro`},
		{2, "2027-12-05", ""},
		{2, "soon", "invalid input syntax for type date"},
		{3, "999.99", ""},
		{3, "1000", "numeric field overflow: A field with precision 5, scale 2 must round to an absolute value less than 10^3"},
		{4, "abc", ""},
		{4, "abcd", "value too long for type character varying(3)"},
		{5, "3", ""},
		{5, "-3", `value for domain seats violates check constraint "seats_check"`},
		{6, `{"abc","d,e"}`, ""},
		{6, "{abcd}", "too long"},
		{7, `{"x": "y"}`, ""},
		{7, "{", "invalid input syntax for type json"},
		{8, "y", ""},
	} {
		if err := f.CheckValue(t.Context(), columns[tt.column], tt.value); (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s = %q: %v, want %q", columns[tt.column].Name, tt.value, err, tt.want)
		}
	}
}

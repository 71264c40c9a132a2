package migrate_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

// heard is what hooks heard, in the order of the schemas.
type heard struct {
	mu    sync.Mutex
	lines []string
}

func (h *heard) add(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, fmt.Sprintf(format, args...))
}

// take returns the lines and forgets them.
func (h *heard) take() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	slices.SortStableFunc(h.lines, func(a, b string) int {
		a, _, _ = strings.Cut(a, ":")
		b, _, _ = strings.Cut(b, ":")
		return strings.Compare(a, b)
	})
	text := strings.Join(h.lines, "\n")
	h.lines = nil
	return text
}

// OnMigrating belongs to each file's transaction: it sees what the file did, and its
// error undoes that.
func TestOnMigrating(t *testing.T) {
	t.Parallel()

	s := newSite(t, "base", "shop crm both", append(shopWithWaysBack("shop"),
		"base/migrations/1_x.sql", "CREATE TABLE x (id int)",
		"crm/schema.sql", "CREATE TABLE people (id int)",
		"both/schema.sql", "CREATE TABLE p (id int)", "both/migrations/1_p.sql", "CREATE TABLE p (id int)")...)
	s.add(t, "t1", "t2")
	var h heard
	fail := map[string]bool{}
	errMeant := errors.New("it is meant to fail")
	s.config.OnMigrating = func(ctx context.Context, tx pgx.Tx, who *tenant.Tenant, a migrate.Applied) error {
		in, err := tenant.FromContext(ctx)
		if err != nil || in.Schema != who.Schema || in.ID != who.ID {
			t.Errorf("in ctx: %v, %v; want %v", in, err, who)
		}
		var where string
		if err := tx.QueryRow(ctx, "SELECT concat_ws(' ', current_schema(), current_user = session_user, (SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()))").Scan(&where); err != nil {
			return err
		}
		h.add("%s: %s %s/%s: %s", who.Schema, a.Action, a.App, a.Name, where)
		if err := tx.Commit(ctx); err == nil {
			t.Error("the hook may commit")
		}
		if fail[who.Schema.String()+" "+a.Name] {
			return errMeant
		}
		_, err = tx.Exec(ctx, "CREATE TABLE IF NOT EXISTS of_the_hook (id int)")
		return err
	}
	fail["t2 0002_b"] = true
	report, err := s.fleet(t).Sync(t.Context(), &migrate.SyncOptions{Migrate: true})
	adds(t, report, 2, 1, 0, 0)
	has(t, err, `shop/migrations/0002_b.sql: schema "t2": OnMigrating: it is meant to fail; nothing of the file was kept`)
	if !errors.Is(err, errMeant) {
		t.Errorf("%v is not what the hook returned", err)
	}
	s.is(t, "t2", "a of_the_hook", "shop/0001_a")
	want := `public: apply base/1_x: public t 2
t1: apply shop/0001_a: t1 t 2
t1: apply shop/0002_b: t1 t 4
t1: apply shop/0003_c: t1 t 5
t1: sync crm/schema.sql: t1 t 6
t1: build both/schema.sql: t1 t 7
t2: apply shop/0001_a: t2 t 2
t2: apply shop/0002_b: t2 t 4`
	if got := h.take(); got != want {
		t.Errorf("heard\n%s\nwant\n%s", got, want)
	}
	clear(fail)
	s.sync(t, migrate.SyncOptions{Migrate: true})
	s.is(t, "t2", "a b c of_the_hook p people", "both/1_p* both/schema.sql crm/schema.sql shop/0001_a shop/0002_b shop/0003_c")
	h.take()
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "0002", RunOptions: schemas("t1")})
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "0001", Fake: true, RunOptions: schemas("t1")})
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "0002", Fake: true, RunOptions: schemas("t1")})
	want = `t1: unapply shop/0003_c: t1 t 6
t1: forget shop/0002_b: t1 t 6
t1: fake shop/0002_b: t1 t 6`
	if got := h.take(); got != want {
		t.Errorf("heard\n%s\nwant\n%s", got, want)
	}
}

// Where statements run one by one, the hook belongs to the transaction that records them.
func TestOnMigratingOneByOne(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop", "shop/migrations/1_a.sql", "CREATE TABLE a (id int);\nCREATE INDEX CONCURRENTLY a_id ON a (id);")
	s.add(t, "t1")
	calls := 0
	s.config.OnMigrating = func(context.Context, pgx.Tx, *tenant.Tenant, migrate.Applied) error {
		if calls++; calls == 1 {
			return errors.New("it is meant to fail")
		}
		return nil
	}
	report, err := s.fleet(t).Migrate(t.Context(), nil)
	adds(t, report, 0, 1, 0, 1)
	has(t, err, `schema "t1": OnMigrating: it is meant to fail; its statements ran`)
	s.is(t, "t1", "a", "")
	adds(t, s.migrate(t, migrate.MigrateOptions{}), 1, 0, 0, 1)
	s.is(t, "t1", "a", "shop/1_a")
}

// OnMigrated and OnSchemaSynced hear of what others can see by then, once for each
// schema; their error is the schema's.
func TestOnMigrated(t *testing.T) {
	t.Parallel()

	s := newSite(t, "base", "shop", "base/migrations/1_x.sql", "CREATE TABLE x (id int)", "shop/migrations/1_a.sql", "CREATE TABLE a (id int)", "shop/migrations/2_b.sql", "CREATE TABLE b (id int)")
	s.add(t, "t1", "t2", "t3")
	execute(t, s.conn, "CREATE TABLE t2.b (id int)")
	var h heard
	var other sync.Mutex // the connection is for one at a time
	s.config.OnMigrated = func(ctx context.Context, who *tenant.Tenant, applied []migrate.Applied) error {
		other.Lock()
		defer other.Unlock()
		in, err := tenant.FromContext(ctx)
		if err != nil || in.Schema != who.Schema {
			t.Errorf("in ctx: %v, %v; want %v", in, err, who)
		}
		var records int
		err = s.conn.QueryRow(t.Context(), "SELECT count(*) FROM "+pgx.Identifier{who.Schema.String(), "cotenant_migrations"}.Sanitize()).Scan(&records)
		h.add("%s: migrated %d, %d can be seen", who.Schema, len(applied), records)
		return err
	}
	s.config.OnSchemaSynced = func(ctx context.Context, who *tenant.Tenant) error {
		if in, err := tenant.FromContext(ctx); err != nil || in.Schema != who.Schema {
			t.Errorf("in ctx: %v, %v; want %v", in, err, who)
		}
		h.add("%s: synced", who.Schema)
		if who.Schema.String() == "t3" {
			return errors.New("it is meant to fail")
		}
		return nil
	}
	report, err := s.fleet(t).Migrate(t.Context(), nil)
	adds(t, report, 2, 2, 0, 0)
	has(t, err, `schema "t2": relation "b" already exists`, `schema "t3": it was changed; OnSchemaSynced: it is meant to fail`)
	want := `public: migrated 1, 1 can be seen
public: synced
t1: migrated 2, 2 can be seen
t1: synced
t2: migrated 1, 1 can be seen
t3: migrated 2, 2 can be seen
t3: synced`
	if got := h.take(); got != want {
		t.Errorf("heard\n%s\nwant\n%s", got, want)
	}
	execute(t, s.conn, "DROP TABLE t2.b")
	adds(t, s.migrate(t, migrate.MigrateOptions{}), 1, 0, 0, 3)
	if got, want := h.take(), "t2: migrated 1, 2 can be seen\nt2: synced"; got != want {
		t.Errorf("heard\n%s\nwant\n%s", got, want)
	}
	s.config.OnMigrated = func(context.Context, *tenant.Tenant, []migrate.Applied) error {
		return errors.New("it is meant to fail")
	}
	s.write("shop/migrations/3_c.sql", "CREATE TABLE c (id int)")
	report, err = s.fleet(t).Migrate(t.Context(), &migrate.MigrateOptions{RunOptions: schemas("t1")})
	adds(t, report, 0, 1, 0, 0)
	has(t, err, `schema "t1": it was changed; OnMigrated: it is meant to fail`)
	s.is(t, "t1", "a b c", "shop/1_a shop/2_b shop/3_c")
}

// What was done before ctx ended is told, in this run: the next one has nothing to tell of
// it. It is told with a ctx that goes on, also if it ends while a hook is at work.
func TestOnMigratedWhenContextEnds(t *testing.T) {
	t.Parallel()

	for _, where := range []string{"in a migration", "in the hook"} {
		s := newSite(t, "", "")
		s.add(t, "t1")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s.config.TenantApps = []migrate.App{{Name: "shop", FS: files("migrations/1_a.sql", "CREATE TABLE a (id int)"), Migrations: []migrate.Migration{{Name: "2_b", Up: func(ctx context.Context, tx pgx.Tx) error {
			if where == "in a migration" {
				cancel()
			}
			_, err := tx.Exec(ctx, "CREATE TABLE b (id int)")
			return err
		}}}}}
		var h heard
		s.config.OnMigrated = func(ctx context.Context, who *tenant.Tenant, applied []migrate.Applied) error {
			if where == "in the hook" {
				cancel()
			}
			h.add("%s: %d %v", who.Schema, len(applied), ctx.Err())
			return ctx.Err()
		}
		s.config.OnSchemaSynced = func(ctx context.Context, who *tenant.Tenant) error {
			h.add("%s: synced", who.Schema)
			return ctx.Err()
		}
		report, err := s.fleet(t).Migrate(ctx, nil)
		got := h.take()
		if where == "in the hook" {
			if got != "t1: 2 <nil>\nt1: synced" || report.Failed > 0 {
				t.Errorf("%s: heard %q; %v", where, got, report)
			}
			continue
		}
		if !errors.Is(err, context.Canceled) || report.Interrupted != 1 || report.Failed > 0 {
			t.Errorf("%s: %v, %v", where, report, err)
		}
		if got != "t1: 1 <nil>" {
			t.Errorf("%s: heard %q", where, got)
		}
		s.is(t, "t1", "a", "shop/1_a")
	}
}

// The hooks get the tenant that Config.Tenant has; what that cannot find is an error.
func TestHooksGetTheTenant(t *testing.T) {
	t.Parallel()

	s := newShop(t, 2)
	s.config.Tenant = func(_ context.Context, id int64) (*tenant.Tenant, error) {
		if id == 2 {
			return nil, tenant.ErrTenantNotFound
		}
		return &tenant.Tenant{ID: id, Schema: tenant.MustParseSchema("t1"), Status: "trial"}, nil
	}
	var got *tenant.Tenant
	s.config.OnMigrating = func(ctx context.Context, _ pgx.Tx, _ *tenant.Tenant, _ migrate.Applied) (err error) {
		got, err = tenant.FromContext(ctx)
		return err
	}
	report, err := s.fleet(t).Migrate(t.Context(), &migrate.MigrateOptions{RunOptions: migrate.RunOptions{Jobs: 1}})
	adds(t, report, 1, 1, 0, 1)
	has(t, err, `schema "t2": its tenant: tenant not found`)
	if got == nil || got.Status != "trial" {
		t.Errorf("tenant: %v", got)
	}
	s.is(t, "t2", "", "")
}

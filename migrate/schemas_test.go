package migrate_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

func TestSchemas(t *testing.T) {
	t.Parallel()
	s := newSite(t, "", "shop", "shop/schema.sql", "CREATE TABLE orders (id int)")
	if _, err := listed(t, s, nil); err == nil || !strings.Contains(err.Error(), `cotenant.tenants, is not there (run "cotenant migrate --shared" first)`) {
		t.Errorf("without tenants: %v", err)
	}
	s.add(t, "acme", "eu_one", "eu_two")
	newRow(t, s.conn, 4, "public")
	execute(t, s.conn, "INSERT INTO cotenant.tenants SELECT i, 'many_' || i FROM generate_series(100, 2300) AS i")
	for name, c := range map[string]struct {
		selection *migrate.Selection
		want      string
		count     int
	}{
		"all":       {nil, "acme eu_one eu_two many_100", 2204},
		"pattern":   {&migrate.Selection{Schemas: []string{"eu_*", "acme"}}, "acme eu_one eu_two", 3},
		"excluded":  {&migrate.Selection{Exclude: []string{"many_*", "eu_one"}}, "acme eu_two", 2},
		"public":    {&migrate.Selection{Shared: true}, "", 0},
		"not there": {&migrate.Selection{Schemas: []string{"many_1100"}}, "many_1100", 1},
	} {
		got, err := listed(t, s, c.selection)
		n, countErr := s.fleet(t).CountSchemas(t.Context(), c.selection)
		if err != nil || countErr != nil || n != c.count || len(got) != c.count || !strings.HasPrefix(strings.Join(got, " "), c.want) {
			t.Errorf("%s: %d of %d schemas: %.100v, %v, %v; want %d: %s", name, len(got), n, got, err, countErr, c.count, c.want)
		}
	}
	if _, err := listed(t, s, &migrate.Selection{Schemas: []string{"acmee"}}); !errors.Is(err, tenant.ErrTenantNotFound) {
		t.Errorf("a name that no tenant has: %v", err)
	}
	// A row that is no good does not hide those behind it.
	execute(t, s.conn, "INSERT INTO cotenant.tenants VALUES (50, 'a b')")
	var bad error
	n := 0
	for _, err := range s.fleet(t).Schemas(t.Context(), nil) {
		n++
		if err != nil {
			bad = err
		}
	}
	if n != 2205 || !errors.Is(bad, tenant.ErrInvalidSchema) || !strings.Contains(bad.Error(), "tenant 50: ") {
		t.Errorf("%d schemas, %v", n, bad)
	}
	// The loop may be left.
	for range s.fleet(t).Schemas(t.Context(), nil) {
		break
	}
}

func listed(t *testing.T, s *site, selection *migrate.Selection) ([]string, error) {
	t.Helper()
	var names []string
	for schema, err := range s.fleet(t).Schemas(t.Context(), selection) {
		if err != nil {
			return names, err
		}
		names = append(names, schema.String())
	}
	return names, nil
}

// A scratch schema has what a new tenant's has, two can be there at once, and nothing is
// left of them.
func TestBuildScratch(t *testing.T) {
	t.Parallel()
	s := newSite(t, "plans", "shop files",
		"plans/schema.sql", "CREATE TABLE public.plans (id int PRIMARY KEY); CREATE VIEW public.few AS SELECT * FROM public.plans LIMIT 1",
		"shop/schema.sql", "CREATE TABLE orders (id int PRIMARY KEY); CREATE INDEX ON orders (id)",
		"shop/migrations/0001_initial.sql", "CREATE TABLE orders (id int)",
		"files/migrations/0001_initial.sql", "CREATE TABLE files (id int)",
		"files/migrations/0002_index.sql", "CREATE INDEX CONCURRENTLY files_idx ON files (id)")
	s.add(t, "acme")
	s.sync(t, migrate.SyncOptions{Migrate: true})
	before := s.snapshot(t, true)
	m := s.migrator(t)
	conns := []*pgx.Conn{connect(t, s.url), connect(t, s.url)}
	txs := make([]pgx.Tx, len(conns))
	for i, conn := range conns {
		tx, err := conn.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		txs[i] = tx
		schema, err := m.BuildScratch(t.Context(), tx)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(tables(t, conn, schema.String()), " "); got != "files orders" {
			t.Errorf("%s has %s", schema, got)
		}
		if got := indexNames(t, conn, schema); len(got) != 3 {
			t.Errorf("%s has the indexes %v", schema, got)
		}
	}
	for _, tx := range txs {
		if err := tx.Rollback(t.Context()); err != nil {
			t.Error(err)
		}
	}
	err := pgx.BeginFunc(t.Context(), conns[0], func(tx pgx.Tx) error {
		schema, err := m.BuildSharedScratch(t.Context(), tx)
		if err != nil {
			return err
		}
		got := column(t, conns[0], "SELECT relname::text FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'v') ORDER BY 1", schema.String())
		if !slices.Equal(got, []string{"few", "plans"}) {
			t.Errorf("%s has %v", schema, got)
		}
		return errUndo
	})
	if !errors.Is(err, errUndo) {
		t.Error(err)
	}
	s.unchanged(t, before, true)

	s.write("plans/schema.sql", "CREATE TABLE plans (id int PRIMARY KEY); CREATE TABLE wrong (id nothing)")
	err = pgx.BeginFunc(t.Context(), conns[0], func(tx pgx.Tx) error {
		_, err := s.migrator(t).BuildSharedScratch(t.Context(), tx)
		return err
	})
	if err == nil || !strings.HasPrefix(err.Error(), `scratch schema: plans/schema.sql:1: schema "scratch_`) {
		t.Errorf("a statement that fails: %v", err)
	}
}

var errUndo = errors.New("undo")

func indexNames(t *testing.T, conn *pgx.Conn, schema tenant.Schema) []string {
	t.Helper()
	return column(t, conn, "SELECT indexname::text FROM pg_indexes WHERE schemaname = $1 AND tablename <> 'cotenant_migrations' ORDER BY 1", schema.String())
}

package migrate_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
)

// shops is a database with many tenants, s1 and so on. Their schemas have the first
// migration of the app shop. Each of the later ones adds a column to the table items,
// and notes in the table runs that it ran.
type shops struct {
	url  string
	conn *pgx.Conn
	n    int
}

// newShops makes n tenants in a fresh database.
func newShops(t *testing.T, n int) *shops {
	t.Helper()
	return newShopsIn(t, testdb.New(t), n)
}

func newShopsIn(t *testing.T, url string, n int) *shops {
	t.Helper()
	s := &shops{url: url, conn: connect(t, url), n: n}
	execute(t, s.conn, "CREATE SCHEMA cotenant")
	execute(t, s.conn, "CREATE TABLE cotenant.tenants (id bigint PRIMARY KEY, schema_name text NOT NULL)")
	execute(t, s.conn, fmt.Sprintf("DO $$ BEGIN FOR i IN 1..%d LOOP EXECUTE 'CREATE SCHEMA s' || i; INSERT INTO cotenant.tenants VALUES (i, 's' || i); END LOOP; END $$", n))
	s.migrate(t, 1)
	return s
}

// shopFiles are the files of the app with the migrations from 1 to last.
func shopFiles(last int) fstest.MapFS {
	fsys := files("shop/migrations/0001_initial.sql", "CREATE TABLE items (id int PRIMARY KEY); CREATE TABLE runs (name text)")
	for i := 2; i <= last; i++ {
		name := shopMigration(i)
		fsys["shop/migrations/"+name+".sql"] = &fstest.MapFile{Data: fmt.Appendf(nil, "ALTER TABLE items ADD COLUMN c%d int;\nINSERT INTO runs VALUES ('%s')", i, name)}
	}
	return fsys
}

func shopMigration(i int) string {
	if i == 1 {
		return "0001_initial"
	}
	return fmt.Sprintf("%04d_c", i)
}

// shopConfig is that of the app with the migrations up to last.
func shopConfig(last int) migrate.Config {
	return migrate.Config{TenantApps: migrate.Dirs(shopFiles(last), "shop")}
}

// migrate brings all to the last migration, and expects that all goes well.
func (s *shops) migrate(t *testing.T, last int) *migrate.Report {
	t.Helper()
	report, err := newFleet(t, withConfig(t, shopConfig(last)), s.url).Migrate(t.Context(), nil)
	if err != nil {
		t.Fatalf("Migrate to %d: %v", last, err)
	}
	return report
}

// check checks that all schemas, but for those left out, are at the last migration, that each ran
// once and as a whole, that the index is right, and that nothing is open or locked.
func (s *shops) check(t *testing.T, last int, but ...string) {
	t.Helper()
	s.checkContents(t, last, but)
	s.checkNothingHeld(t)
	but = append([]string{}, but...) // not NULL
	digests := func() []string {
		return column(t, s.conn, "SELECT DISTINCT v.digest FROM cotenant.schema_versions AS v JOIN cotenant.tenants AS t ON t.id = v.tenant_id WHERE NOT t.schema_name = ANY ($1)", but)
	}
	before := digests()
	if len(before) != 1 {
		t.Errorf("digests: %q, want one", before)
	}
	report, err := newFleet(t, withConfig(t, shopConfig(last)), s.url).Migrate(t.Context(), &migrate.MigrateOptions{
		RunOptions: migrate.RunOptions{Verify: true, Selection: migrate.Selection{Tenant: true, Exclude: but}},
	})
	if err != nil || report.Done+report.Failed+report.Untouched != 0 {
		t.Errorf("once more: %v, %v", report, err)
	}
	if after := digests(); !slices.Equal(before, after) {
		t.Errorf("digests were %q, and by the histories they are %q", before, after)
	}
}

// checkContents compares what is in each schema.
func (s *shops) checkContents(t *testing.T, last int, but []string) {
	t.Helper()
	var wantColumns, wantRuns, wantHistory []string
	for i := 1; i <= last; i++ {
		wantHistory = append(wantHistory, shopMigration(i))
		if i > 1 {
			wantColumns, wantRuns = append(wantColumns, fmt.Sprintf("c%d", i)), append(wantRuns, shopMigration(i))
		}
	}
	slices.Sort(wantColumns)
	want := fmt.Sprint(append([]string{"id"}, wantColumns...), wantRuns, wantHistory)
	var selects []string
	for i := 1; i <= s.n; i++ {
		name := fmt.Sprintf("s%d", i)
		if slices.Contains(but, name) {
			continue
		}
		selects = append(selects, fmt.Sprintf(`SELECT '%[1]s ' || concat('[', (SELECT string_agg(attname, ' ' ORDER BY attname = 'id' DESC, attname) FROM pg_attribute WHERE attrelid = '%[1]s.items'::regclass AND attnum > 0 AND NOT attisdropped), '] [',
			(SELECT string_agg(name, ' ' ORDER BY name) FROM %[1]s.runs), '] [', (SELECT string_agg(name, ' ' ORDER BY name) FROM %[1]s.cotenant_migrations), ']')`, name))
	}
	wrong := 0
	for chunk := range slices.Chunk(selects, 100) {
		for _, got := range column(t, s.conn, strings.Join(chunk, " UNION ALL ")) {
			if name, state, _ := strings.Cut(got, " "); state != want {
				if wrong++; wrong <= 3 {
					t.Errorf("%s: %s, want %s", name, state, want)
				}
			}
		}
	}
	if wrong > 3 {
		t.Errorf("%d schemas are wrong", wrong)
	}
}

// checkNothingHeld checks that no lock of ours is left, and no transaction.
func (s *shops) checkNothingHeld(t *testing.T) {
	t.Helper()
	if held := held(t, s.conn); len(held) > 0 {
		t.Errorf("left: %q", held)
	}
	if got := tables(t, s.conn, "public"); len(got) != 0 {
		t.Errorf("tables of public: %q", got)
	}
}

// held are the advisory locks and the open transactions of other sessions in the database.
func held(t *testing.T, conn *pgx.Conn) []string {
	t.Helper()
	return column(t, conn, `SELECT 'lock of ' || pid FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
		UNION ALL SELECT state || ': ' || query FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND state <> 'idle'`)
}

// many is a number of schemas, and less where tests are to be short.
func many(n int) int {
	if testing.Short() {
		return min(n, 60)
	}
	return n
}

// runFailure returns the error of a run in which single schemas failed.
func runFailure(t *testing.T, err error) *migrate.RunError {
	t.Helper()
	var failed *migrate.RunError
	if !errors.As(err, &failed) {
		t.Fatalf("Migrate: %v, want a RunError", err)
	}
	return failed
}

// background runs a fleet, and returns what says how it ended.
func background(ctx context.Context, fleet *migrate.Fleet, o *migrate.MigrateOptions) func() (*migrate.Report, error) {
	var report *migrate.Report
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		report, err = fleet.Migrate(ctx, o)
	}()
	return func() (*migrate.Report, error) {
		<-done
		return report, err
	}
}

package migrate_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
)

// site is a database with tenants, and the files that are to be brought there.
type site struct {
	url     string
	conn    *pgx.Conn
	config  migrate.Config // but for the apps of the folders
	fsys    fstest.MapFS
	shared  []string
	tenants []string
	last    int64 // id of a tenant
}

// newSite makes a database without tenants. The apps are lists, with blanks in between.
func newSite(t *testing.T, shared, tenants string, pairs ...string) *site {
	t.Helper()
	url := testdb.New(t)
	return &site{url: url, conn: connect(t, url), fsys: files(pairs...), shared: strings.Fields(shared), tenants: strings.Fields(tenants)}
}

// write adds files, or changes them.
func (s *site) write(pairs ...string) { maps.Copy(s.fsys, files(pairs...)) }

// add makes tenants with empty schemas. Their ids count from 1.
func (s *site) add(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		s.last++
		newTenant(t, s.conn, s.last, name)
	}
}

// fleet returns the fleet with the files as they are now.
func (s *site) fleet(t *testing.T) *migrate.Fleet {
	t.Helper()
	return s.fleetOver(t, s.url)
}

// fleetOver returns the fleet as another login has it.
func (s *site) fleetOver(t *testing.T, url string) *migrate.Fleet {
	t.Helper()
	return newFleet(t, s.migrator(t), url)
}

func (s *site) migrator(t *testing.T) migrator {
	t.Helper()
	config := s.config
	config.SharedApps = append(slices.Clone(config.SharedApps), migrate.Dirs(s.fsys, s.shared...)...)
	config.TenantApps = append(slices.Clone(config.TenantApps), migrate.Dirs(s.fsys, s.tenants...)...)
	return withConfig(t, config)
}

// migrate migrates, and expects that nothing fails.
func (s *site) migrate(t *testing.T, o migrate.MigrateOptions) *migrate.Report {
	t.Helper()
	report, err := s.fleet(t).Migrate(t.Context(), &o)
	if err != nil {
		t.Fatalf("Migrate(%+v): %v", o, err)
	}
	return report
}

// sync syncs, and expects that nothing fails.
func (s *site) sync(t *testing.T, o migrate.SyncOptions) *migrate.Report {
	t.Helper()
	report, err := s.fleet(t).Sync(t.Context(), &o)
	if err != nil {
		t.Fatalf("Sync(%+v): %v", o, err)
	}
	return report
}

// is compares the tables of a schema, without its history's, and its history with lists
// that have blanks in between. A star is on what is recorded and did not run.
func (s *site) is(t *testing.T, schema, wantTables, wantHistory string) {
	t.Helper()
	if got := strings.Join(tables(t, s.conn, schema), " "); got != wantTables {
		t.Errorf("tables of %s: %q, want %q", schema, got, wantTables)
	}
	var got []string
	if column(t, s.conn, "SELECT (to_regclass($1) IS NOT NULL)::text", pgx.Identifier{schema, "cotenant_migrations"}.Sanitize())[0] == "true" {
		got = history(t, s.conn, schema)
	}
	slices.Sort(got)
	if got := strings.Join(got, " "); got != wantHistory {
		t.Errorf("history of %s: %q, want %q", schema, got, wantHistory)
	}
}

// snapshot is all that the database has, down to the transactions that wrote it: two
// that are equal have nothing in between that changed anything. Without the index it leaves
// out the rows of that.
func (s *site) snapshot(t *testing.T, index bool) string {
	t.Helper()
	return strings.Join(column(t, s.conn, `
		SELECT concat_ws(' ', 'schema', oid, nspname, nspowner, nspacl, xmin) FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp'
		UNION ALL SELECT concat_ws(' ', 'relation', oid, relnamespace, relname, relfilenode, relowner, relacl, xmin) FROM pg_class WHERE oid >= 16384
		UNION ALL SELECT concat_ws(' ', 'column', attrelid, attnum, xmin) FROM pg_attribute WHERE attrelid >= 16384
		UNION ALL SELECT concat_ws(' ', 'function', oid, xmin) FROM pg_proc WHERE oid >= 16384
		UNION ALL SELECT concat_ws(' ', 'type', oid, xmin) FROM pg_type WHERE oid >= 16384
		UNION ALL SELECT concat_ws(' ', 'constraint', oid, xmin) FROM pg_constraint WHERE oid >= 16384
		UNION ALL SELECT concat_ws(' ', 'trigger', oid, xmin) FROM pg_trigger WHERE oid >= 16384
		UNION ALL SELECT concat_ws(' ', 'comment', objoid, objsubid, xmin) FROM pg_description WHERE objoid >= 16384
		UNION ALL SELECT concat_ws(' ', 'rows', oid, query_to_xml(format('SELECT xmin, t.* FROM %s AS t', oid::regclass), true, true, ''))
			FROM pg_class WHERE relkind = 'r' AND oid >= 16384 AND (relname <> 'schema_versions' OR $1)
		ORDER BY 1`, index), "\n")
}

// unchanged fails if the database is not as it was.
func (s *site) unchanged(t *testing.T, before string, index bool) {
	t.Helper()
	if after := s.snapshot(t, index); after != before {
		was, is := strings.Split(before, "\n"), strings.Split(after, "\n")
		var diff []string
		for _, line := range is {
			if !slices.Contains(was, line) {
				diff = append(diff, "+ "+line)
			}
		}
		for _, line := range was {
			if !slices.Contains(is, line) {
				diff = append(diff, "- "+line)
			}
		}
		t.Errorf("the database was changed:\n%s", strings.Join(diff[:min(len(diff), 20)], "\n"))
	}
}

// fails runs Migrate and wants an error that has all of the texts, and that nothing was
// changed.
func (s *site) fails(t *testing.T, o migrate.MigrateOptions, texts ...string) error {
	t.Helper()
	before := s.snapshot(t, false)
	report, err := s.fleet(t).Migrate(t.Context(), &o)
	if err == nil {
		t.Errorf("Migrate(%+v): no error; %v", o, report)
		return nil
	}
	has(t, err, texts...)
	s.unchanged(t, before, false)
	return err
}

// has wants an error with all of the texts.
func has(t *testing.T, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want %q", texts)
		return
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error %q, want %q in it", err, text)
		}
	}
}

// adds compares a report's numbers, with those of the schemas that were selected.
func adds(t *testing.T, r *migrate.Report, done, failed, untouched, current int) {
	t.Helper()
	if r == nil {
		t.Error("no report")
		return
	}
	if r.Done != done || r.Failed != failed || r.Untouched != untouched || r.Current != current {
		t.Errorf("report: %v; want %d done, %d failed, %d untouched, %d up to date", r, done, failed, untouched, current)
	}
}

// goose is a migration with a way back.
func goose(up, down string) string {
	return "-- +goose Up\n" + up + ";\n-- +goose Down\n" + down + ";\n"
}

// schemas are the options to run in some schemas only.
func schemas(names ...string) migrate.RunOptions {
	return migrate.RunOptions{Selection: migrate.Selection{Schemas: names}}
}

// poolOver returns a pool such as Fleet needs, that is closed when the test ends.
func poolOver(t *testing.T, url string) *pgxpool.Pool {
	t.Helper()
	pool, err := newPool(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

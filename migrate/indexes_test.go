package migrate_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/migrate"
)

// indexes is a file whose statements run one by one, each with an effect that shows.
const indexes = `INSERT INTO runs VALUES ('one');
CREATE UNIQUE INDEX CONCURRENTLY runs_name ON runs (name);
INSERT INTO runs VALUES ('two');
DROP INDEX CONCURRENTLY items_old;
INSERT INTO runs VALUES ('three')`

// newIndexed makes shops with what the file needs.
func newIndexed(t *testing.T, n int) *shops {
	t.Helper()
	s := newShops(t, n)
	for i := 1; i <= n; i++ {
		execute(t, s.conn, fmt.Sprintf("CREATE INDEX items_old ON s%d.items (id)", i))
	}
	return s
}

// indexFleet is that of the shops with a file more.
func (s *shops) indexFleet(t *testing.T, file string, logger *slog.Logger) *migrate.Fleet {
	t.Helper()
	fsys := shopFiles(1)
	fsys["shop/migrations/9999_more.sql"] = files("x", file)["x"]
	return newFleet(t, withConfig(t, migrate.Config{Logger: logger, TenantApps: migrate.Dirs(fsys, "shop")}), s.url)
}

// indexed checks that the file ran once in a schema.
func (s *shops) indexed(t *testing.T, schema string) {
	t.Helper()
	if got := column(t, s.conn, "SELECT name FROM "+schema+".runs WHERE name <> 'x' ORDER BY 1"); !slices.Equal(got, []string{"one", "three", "two"}) {
		t.Errorf("%s: ran %q", schema, got)
	}
	if got := indexesOf(t, s.conn, schema); !slices.Equal(got, []string{"runs_name"}) {
		t.Errorf("%s: indexes %q", schema, got)
	}
	if got := history(t, s.conn, schema); !slices.Equal(got, []string{"shop/0001_initial", "shop/9999_more"}) {
		t.Errorf("%s: history %q", schema, got)
	}
	if got := column(t, s.conn, "SELECT p.tenant_id || ' ' || p.name FROM cotenant.migration_progress AS p WHERE p.namespace = $1::regnamespace", schema); len(got) != 0 {
		t.Errorf("%s: progress %q", schema, got)
	}
}

// indexesOf are the indexes of a schema but for those of primary keys; a star is on those that
// are invalid.
func indexesOf(t *testing.T, conn *pgx.Conn, schema string) []string {
	t.Helper()
	return column(t, conn, `SELECT x.relname || CASE WHEN i.indisvalid THEN '' ELSE '*' END FROM pg_index AS i JOIN pg_class AS x ON x.oid = i.indexrelid
		WHERE x.relnamespace = $1::regnamespace AND NOT i.indisprimary ORDER BY 1`, schema)
}

// Of an index that cannot be built nothing is left, and when the data are mended the next
// run goes on where the last one stopped.
func TestIndexesOfManySchemas(t *testing.T) {
	t.Parallel()

	s := newIndexed(t, 20)
	execute(t, s.conn, "INSERT INTO s5.runs VALUES ('x'), ('x')")
	_, err := s.indexFleet(t, indexes, nil).Migrate(t.Context(), &migrate.MigrateOptions{RunOptions: migrate.RunOptions{Jobs: 4}})
	report := runFailure(t, err).Report
	if report.Done != 19 || report.Failed != 1 || report.Untouched != 0 {
		t.Errorf("run: %v", err)
	}
	for _, want := range []string{"shop/migrations/9999_more.sql:2", `schema "s5"`, `could not create unique index "runs_name"`, "SQLSTATE 23505", "the statements before it, 1, stay"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q, want one that says %q", err, want)
		}
	}
	if got := indexesOf(t, s.conn, "s5"); !slices.Equal(got, []string{"items_old"}) {
		t.Errorf("indexes of s5: %q", got)
	}
	if got := column(t, s.conn, "SELECT name FROM s5.runs ORDER BY 1"); !slices.Equal(got, []string{"one", "x", "x"}) {
		t.Errorf("runs of s5: %q", got)
	}
	if got := history(t, s.conn, "s5"); !slices.Equal(got, []string{"shop/0001_initial"}) {
		t.Errorf("history of s5: %q", got)
	}

	execute(t, s.conn, "DELETE FROM s5.runs WHERE name = 'x'")
	if again, err := s.indexFleet(t, indexes, nil).Migrate(t.Context(), nil); err != nil || again.Done != 1 {
		t.Errorf("after mending: %v, %v", again, err)
	}
	for i := 1; i <= s.n; i++ {
		s.indexed(t, fmt.Sprintf("s%d", i))
	}
	s.checkNothingHeld(t)
}

// A program that is killed while an index is built leaves a server that goes on with it,
// or not. In both cases the next run goes on.
func TestProgramKilledWhileAnIndexIsBuilt(t *testing.T) {
	t.Parallel()

	for name, then := range map[string]func(t *testing.T, s *shops, release func()){
		"the server ends it before the next run": func(t *testing.T, s *shops, release func()) {
			t.Helper()
			release()
			eventually(t, s.conn, "nobody at work", "SELECT count(*) = 0 FROM pg_stat_activity WHERE query LIKE 'CREATE UNIQUE%' AND state = 'active' AND datname = current_database()")
		},
		"the server stops it": func(t *testing.T, s *shops, release func()) {
			t.Helper()
			execute(t, s.conn, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'CREATE UNIQUE%' AND datname = current_database()")
			eventually(t, s.conn, "nobody at work", "SELECT count(*) = 0 FROM pg_stat_activity WHERE query LIKE 'CREATE UNIQUE%' AND datname = current_database()")
			if got := indexesOf(t, s.conn, "s1"); !slices.Contains(got, "runs_name*") {
				t.Errorf("indexes: %q", got)
			}
			release()
		},
		"the server is at it still": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			s := newIndexed(t, 1)
			release := lock(t, s.url, "INSERT INTO s1.runs VALUES ('x')")
			c := s.start(t, 1, indexes)
			eventually(t, s.conn, "an index that waits", "SELECT count(*) > 0 FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid) WHERE NOT l.granted AND a.query LIKE 'CREATE UNIQUE%' AND a.datname = current_database()")
			c.killAfter(t, 0)
			var logger *slog.Logger
			if then != nil {
				then(t, s, release)
			} else {
				logger = hear(slog.LevelInfo, func(text string) {
					if strings.Contains(text, "waiting") {
						release()
					}
				})
			}
			report, err := s.indexFleet(t, indexes, logger).Migrate(t.Context(), nil)
			if err != nil || report.Done != 1 {
				t.Errorf("run: %v, %v", report, err)
			}
			s.indexed(t, "s1")
			s.checkNothingHeld(t)
		})
	}
}

// A program that is killed between two statements has the next run go on behind the first.
func TestProgramKilledBetweenStatements(t *testing.T) {
	t.Parallel()

	s := newIndexed(t, 1)
	file := "INSERT INTO runs VALUES ('one');\nSELECT count(*) FROM gate;\nINSERT INTO runs VALUES ('two');\nDROP INDEX CONCURRENTLY items_old;\nCREATE INDEX CONCURRENTLY runs_name ON runs (name);\nINSERT INTO runs VALUES ('three')"
	execute(t, s.conn, "CREATE TABLE public.gate (id int)")
	release := lock(t, s.url, "LOCK TABLE public.gate IN ACCESS EXCLUSIVE MODE")
	c := s.start(t, 1, file)
	eventually(t, s.conn, "a statement that waits", "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND relation = 'public.gate'::regclass")
	c.killAfter(t, 0)
	release()
	report, err := s.indexFleet(t, file, nil).Migrate(t.Context(), nil)
	if err != nil || report.Done != 1 {
		t.Errorf("run: %v, %v", report, err)
	}
	execute(t, s.conn, "DROP TABLE public.gate")
	s.indexed(t, "s1")
	s.checkNothingHeld(t)
}

// An invalid index that somebody has left is built anew.
func TestInvalidIndexIsThere(t *testing.T) {
	t.Parallel()

	s := newIndexed(t, 2)
	execute(t, s.conn, "CREATE UNIQUE INDEX runs_name ON s1.runs (name)")
	execute(t, s.conn, "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 's1.runs_name'::regclass")
	before := column(t, s.conn, "SELECT 's1.runs_name'::regclass::oid::text")
	file := strings.Replace(indexes, "CONCURRENTLY runs_name", "CONCURRENTLY IF NOT EXISTS runs_name", 1)
	report, err := s.indexFleet(t, file, nil).Migrate(t.Context(), nil)
	if err != nil || report.Done != 2 {
		t.Errorf("run: %v, %v", report, err)
	}
	if after := column(t, s.conn, "SELECT 's1.runs_name'::regclass::oid::text"); slices.Equal(before, after) {
		t.Error("the index is the same")
	}
	s.indexed(t, "s1")
	s.indexed(t, "s2")
}

// What PostgreSQL refused is not taken for done by the next run.
func TestIndexIsRefusedTwice(t *testing.T) {
	t.Parallel()

	for file, want := range map[string]string{
		"CREATE INDEX CONCURRENTLY runs_name ON runs (name)": "already exists",
		"DROP INDEX CONCURRENTLY other_name":                 "does not exist",
	} {
		s := newShops(t, 1)
		execute(t, s.conn, "CREATE INDEX runs_name ON s1.items (id)") // the name is taken
		for range 2 {
			_, err := s.indexFleet(t, file, nil).Migrate(t.Context(), nil)
			has(t, err, want)
		}
		if got := history(t, s.conn, "s1"); !slices.Equal(got, []string{"shop/0001_initial"}) {
			t.Errorf("%s: history %q", file, got)
		}
	}
}

// An index whose schema is renamed at the last moment is not built in public.
func TestIndexIsNotBuiltInPublic(t *testing.T) {
	t.Parallel()

	s := newShops(t, 1)
	execute(t, s.conn, "CREATE TABLE public.runs (name text)")
	mover := connect(t, s.url)
	var once sync.Once
	pool := tappedPool(t, s.url, 5, func(_ net.Conn, data []byte) error {
		if bytes.Contains(data, []byte("CREATE INDEX CONCURRENTLY")) {
			once.Do(func() {
				if _, err := mover.Exec(t.Context(), "ALTER SCHEMA s1 RENAME TO one; UPDATE cotenant.tenants SET schema_name = 'one'", pgx.QueryExecModeSimpleProtocol); err != nil {
					t.Error(err)
				}
			})
		}
		return nil
	})
	fsys := shopFiles(1)
	fsys["shop/migrations/9999_more.sql"] = files("x", "CREATE INDEX CONCURRENTLY runs_name ON runs (name)")["x"]
	if _, err := withConfig(t, migrate.Config{TenantApps: migrate.Dirs(fsys, "shop")}).Fleet(pool).Migrate(t.Context(), nil); err != nil {
		t.Error(err)
	}
	if got := column(t, s.conn, "SELECT schemaname::text FROM pg_indexes WHERE indexname = 'runs_name'"); !slices.Equal(got, []string{"one"}) {
		t.Errorf("the index is in %q", got)
	}
}

package migrate_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/cotenant/cotenant/migrate"
)

// progress returns the notes of how far migrations have come.
func (s *site) progress(t *testing.T) []string {
	t.Helper()
	return column(t, s.conn, "SELECT concat_ws(' ', tenant_id, app, name, done, begun) FROM cotenant.migration_progress ORDER BY 1")
}

// indexes returns the indexes of a schema but for the history's, with a ! on the invalid.
func (s *site) indexes(t *testing.T, schema string) []string {
	t.Helper()
	return column(t, s.conn, `SELECT c.relname || CASE WHEN i.indisvalid THEN '' ELSE '!' END FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
		WHERE c.relnamespace = $1::text::regnamespace AND c.relname NOT LIKE 'cotenant%' ORDER BY 1`, schema)
}

// Statements that PostgreSQL does not run in a transaction run one by one, in public and
// in the tenants' schemas, mixed with others, and back.
func TestOneByOne(t *testing.T) {
	t.Parallel()

	s := newSite(t, "base", "shop",
		"base/migrations/1_x.sql", "CREATE TABLE x (id int); CREATE INDEX CONCURRENTLY x_id ON x (id); VACUUM x;",
		"shop/migrations/1_a.sql", goose("CREATE TABLE a (id int, n int)", "DROP TABLE a"),
		"shop/migrations/2_b.sql", "-- +goose NO TRANSACTION\n"+goose(`INSERT INTO a SELECT g, g FROM generate_series(1, 100) AS g;
CREATE INDEX CONCURRENTLY a_id ON a (id);
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS a_n ON a (n);
VACUUM (ANALYZE) a;
REINDEX INDEX CONCURRENTLY a_id;
CREATE TABLE b (id int);
DROP INDEX CONCURRENTLY a_id`, "DROP TABLE b;\nDROP INDEX CONCURRENTLY a_n"),
		"shop/migrations/3_c.sql", goose("CREATE TABLE c (id int)", "DROP TABLE c"),
	)
	s.add(t, "t1", "t2", "t3", "t4")
	adds(t, s.migrate(t, migrate.MigrateOptions{}), 5, 0, 0, 0)
	s.is(t, "public", "x", "base/1_x")
	for _, schema := range []string{"t1", "t2", "t3", "t4"} {
		s.is(t, schema, "a b c", "shop/1_a shop/2_b shop/3_c")
		if got := s.indexes(t, schema); !slices.Equal(got, []string{"a_n"}) {
			t.Errorf("indexes of %s: %q", schema, got)
		}
	}
	adds(t, s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "1_a"}), 4, 0, 0, 1)
	s.is(t, "t3", "a", "shop/1_a")
	if got := append(s.indexes(t, "t3"), s.progress(t)...); len(got) != 0 {
		t.Errorf("left: %q", got)
	}
	if got := column(t, s.conn, "SELECT count(*)::text FROM t3.a"); got[0] != "100" {
		t.Errorf("%s rows", got[0])
	}
}

// One that fails leaves no invalid index, remembers how far it came, and goes on from
// there; what ran before must not have changed.
func TestOneByOneGoesOn(t *testing.T) {
	t.Parallel()

	const text = "CREATE TABLE trace AS SELECT 1 AS id;\nINSERT INTO trace VALUES (2);\nCREATE UNIQUE INDEX CONCURRENTLY a_id ON a (id);\nCREATE TABLE b (id int);"
	s := newSite(t, "", "shop", "shop/migrations/1_a.sql", "CREATE TABLE a (id int)", "shop/migrations/2_b.sql", text)
	s.add(t, "t1", "t2")
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "1_a"})
	execute(t, s.conn, "INSERT INTO t1.a VALUES (1), (1)")
	report, err := s.fleet(t).Migrate(t.Context(), nil)
	adds(t, report, 1, 1, 0, 1)
	has(t, err, "shop/migrations/2_b.sql:3", `schema "t1"`, `could not create unique index "a_id"`, "the statements before it, 2, stay, and the next run goes on with it")
	var stmtErr *migrate.StatementError
	if !errors.As(err, &stmtErr) {
		t.Errorf("%v is no StatementError", err)
	}
	s.is(t, "t1", "a trace", "shop/1_a")
	if got := s.indexes(t, "t1"); len(got) != 0 {
		t.Errorf("indexes: %q", got)
	}
	if got := s.progress(t); !slices.Equal(got, []string{"1 shop 2_b 2 2"}) {
		t.Errorf("progress: %q", got)
	}

	s.write("shop/migrations/2_b.sql", "CREATE TABLE other AS SELECT 1 AS id;\nINSERT INTO other VALUES (2);\nCREATE INDEX CONCURRENTLY a_id ON a (id);")
	report, err = s.fleet(t).Migrate(t.Context(), &migrate.MigrateOptions{RunOptions: schemas("t1")})
	adds(t, report, 0, 1, 0, 0)
	has(t, err, "its first 2 statements ran before and have changed since", "migration_progress")

	s.write("shop/migrations/2_b.sql", text)
	execute(t, s.conn, "DELETE FROM t1.a")
	adds(t, s.migrate(t, migrate.MigrateOptions{}), 1, 0, 0, 2)
	s.is(t, "t1", "a b trace", "shop/1_a shop/2_b")
	if got := append(append(s.indexes(t, "t1"), s.progress(t)...), column(t, s.conn, "SELECT id::text FROM t1.trace ORDER BY 1")...); !slices.Equal(got, []string{"a_id", "1", "2"}) {
		t.Errorf("indexes, progress, rows: %q", got)
	}
}

// An invalid index that somebody has left makes room for a valid one.
func TestOneByOneMeetsInvalidIndex(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop", "shop/migrations/1_a.sql", "CREATE TABLE a (id int)", "shop/migrations/2_b.sql", "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS a_id ON a (id);")
	s.add(t, "t1")
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "1_a"})
	execute(t, s.conn, "INSERT INTO t1.a VALUES (1), (1)")
	if _, err := s.conn.Exec(t.Context(), "CREATE UNIQUE INDEX CONCURRENTLY a_id ON t1.a (id)"); err == nil {
		t.Fatal("no error")
	}
	execute(t, s.conn, "DELETE FROM t1.a")
	if got := s.indexes(t, "t1"); !slices.Equal(got, []string{"a_id!"}) {
		t.Fatalf("indexes: %q", got)
	}
	s.migrate(t, migrate.MigrateOptions{})
	if got := s.indexes(t, "t1"); !slices.Equal(got, []string{"a_id"}) {
		t.Errorf("indexes: %q", got)
	}
	// A valid one of that name that nobody has begun here is not taken for done.
	s.write("shop/migrations/3_c.sql", "CREATE INDEX CONCURRENTLY other ON a (id);")
	execute(t, s.conn, "CREATE INDEX other ON t1.a (id)")
	report, err := s.fleet(t).Migrate(t.Context(), nil)
	adds(t, report, 0, 1, 0, 1)
	has(t, err, "shop/migrations/3_c.sql:1", `relation "other" already exists`)
}

// A file that says so runs one by one, though it need not.
func TestOneByOneBecauseTheFileSaysSo(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop", "shop/migrations/1_a.sql", "-- cotenant:no-transaction\nCREATE TABLE a (id int);\nCREATE TABLE b (id itn);\n")
	s.add(t, "t1")
	_, err := s.fleet(t).Migrate(t.Context(), nil)
	has(t, err, "shop/migrations/1_a.sql:3", `schema "t1"`)
	s.is(t, "t1", "a", "")
	s.write("shop/migrations/1_a.sql", "-- cotenant:no-transaction\nCREATE TABLE a (id int);\nCREATE TABLE b (id int);\n")
	s.migrate(t, migrate.MigrateOptions{})
	s.is(t, "t1", "a b", "shop/1_a")
	// A temporary table lives from one statement to the next, no longer than the file.
	s.write("shop/migrations/2_b.sql", "-- cotenant:no-transaction\nCREATE TEMP TABLE stage AS SELECT 7 AS id;\nINSERT INTO a SELECT id FROM stage;\n",
		"shop/migrations/3_c.sql", "CREATE TEMP TABLE stage AS SELECT 8 AS id;\nINSERT INTO a SELECT id FROM stage;\n")
	s.migrate(t, migrate.MigrateOptions{})
	if got := column(t, s.conn, "SELECT id::text FROM t1.a ORDER BY 1"); !slices.Equal(got, []string{"7", "8"}) {
		t.Errorf("rows: %q", got)
	}
}

package pgxtenant_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/pgxtenant"
)

// What changes in a table between executions is not noticed outside of
// transactions, be the statement described or prepared, and whatever way it is sent.
func TestStale(t *testing.T) {
	t.Parallel()

	for name, mode := range map[string]func(c *pgxpool.Config){
		"adaptive":  one,
		"described": func(c *pgxpool.Config) { one(c); c.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe },
	} {
		for executions := range 4 {
			db := newDB(t, "", mode)
			a := as(t, 1, "a")
			calls := map[string]func() error{
				"Query": func() error {
					rows, err := db.Query(a, "SELECT * FROM things")
					if err != nil {
						return err
					}
					got, err := pgx.CollectRows(rows, pgx.RowToMap)
					if err == nil && len(got) != 1 {
						err = fmt.Errorf("rows: %v", got)
					}
					return err
				},
				"Query, Close": func() error {
					rows, err := db.Query(a, "SELECT *, 'closed' FROM things")
					rows.Close()
					return errors.Join(err, rows.Err())
				},
				"QueryRow":          func() error { return db.QueryRow(a, "SELECT n FROM things WHERE id = $1", 1).Scan(new(any)) },
				"QueryRow, returns": func() error { return db.QueryRow(a, "UPDATE things SET n = $1 RETURNING n", "5").Scan(new(any)) },
				"Exec":              func() error { _, err := db.Exec(a, "UPDATE things SET n = $1", "5"); return err },
				"Exec, compares":    func() error { _, err := db.Exec(a, "UPDATE things SET id = 1 WHERE n = $1", "5"); return err },
				"Exec, wide":        func() error { _, err := db.Exec(a, "UPDATE things SET wide = $1", "5"); return err },
			}
			run := func(after string) {
				t.Helper()
				for what, call := range calls {
					for range max(1, executions) {
						if err := call(); err != nil {
							t.Errorf("%s, %d executions, %s after %s: %v", name, executions, what, after, err)
						}
					}
				}
			}
			for _, sql := range []string{
				"CREATE SCHEMA a; CREATE TYPE a.mood AS ENUM ('5'); CREATE TABLE a.things (id int, n int, wide int); INSERT INTO a.things VALUES (1, 5)",
				"ALTER TABLE things ADD COLUMN more text",
				"ALTER TABLE things ALTER COLUMN n TYPE text",
				"ALTER TABLE things ALTER COLUMN n TYPE mood USING n::mood",
				"ALTER TABLE things ALTER COLUMN n TYPE numeric USING n::text::numeric, ALTER COLUMN wide TYPE bigint",
				"ALTER TABLE things DROP COLUMN more",
				"DROP SCHEMA a CASCADE; CREATE SCHEMA a; CREATE TYPE a.mood AS ENUM ('5'); CREATE TABLE a.things (id int, n a.mood, wide int); INSERT INTO a.things VALUES (1, '5')",
				"DEALLOCATE ALL",
			} {
				change(t, db, sql)
				run(sql)
			}
		}
	}
}

// change runs sql in the schema a, on a connection of its own.
func change(t *testing.T, db *pgxtenant.DB, sql string) {
	t.Helper()
	conn, err := pgx.ConnectConfig(t.Context(), db.Config().ConnConfig)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), "SET search_path = a; "+sql); err != nil {
		t.Fatal(err)
	}
}

// A value that fits after the column was widened is not refused for what pgx
// remembers of the column.
func TestStaleParameter(t *testing.T) {
	t.Parallel()

	db := newDB(t, "CREATE SCHEMA a; CREATE TABLE a.things (n int)", one)
	a := as(t, 1, "a")
	insert := func(n int64) error { _, err := db.Exec(a, "INSERT INTO things VALUES ($1)", n); return err }
	if err := errors.Join(insert(1), insert(1)); err != nil {
		t.Fatal(err)
	}
	if err := insert(1 << 40); err == nil {
		t.Error("no error for a value that does not fit")
	}
	if err := insert(1); err != nil {
		t.Fatal(err)
	}
	change(t, db, "ALTER TABLE things ALTER COLUMN n TYPE bigint")
	if err := insert(1 << 40); err != nil {
		t.Error(err)
	}
}

// Within a transaction the error is reported, as the transaction is lost; so it is
// where the caller has seen something of the result.
func TestStaleWithinTransaction(t *testing.T) {
	t.Parallel()

	tr := &tracer{}
	db := newDB(t, "CREATE SCHEMA a; CREATE TABLE a.things (id int); INSERT INTO a.things VALUES (1)", one, func(c *pgxpool.Config) { c.ConnConfig.Tracer = tr })
	a := as(t, 1, "a")
	const sql = "SELECT * FROM things"
	read := func(q statements) error {
		rows, err := q.Query(a, sql)
		if err != nil {
			return err
		}
		_, err = pgx.CollectRows(rows, pgx.RowToMap)
		return err
	}
	for i := range 3 {
		if err := errors.Join(read(db), read(db)); err != nil {
			t.Fatal(err)
		}
		change(t, db, fmt.Sprintf("ALTER TABLE things ADD COLUMN c%d int", i))
		tr.of("")
		err := db.BeginFunc(a, func(tx pgx.Tx) error { return read(tx) })
		if err == nil {
			t.Error("in a transaction: no error")
		}
		if got := tr.of("query"); !slices.Equal(got, []string{"begin", sql, "rollback"}) {
			t.Errorf("sent %q", got)
		}
	}
	if err := errors.Join(read(db), read(db)); err != nil {
		t.Fatal(err)
	}
	change(t, db, "ALTER TABLE things ADD COLUMN more int")
	rows, err := db.Query(a, sql)
	if err != nil {
		t.Fatal(err)
	}
	_ = rows.FieldDescriptions()
	for rows.Next() {
		t.Error("a row of columns that were described otherwise")
	}
	if rows.Err() == nil {
		t.Error("no error after the caller saw the columns")
	}
}

// A statement that is wrong is executed once.
func TestNoRetryOfErrors(t *testing.T) {
	t.Parallel()

	w := &writes{}
	db := newDB(t, `CREATE SCHEMA a; CREATE TABLE a.things (id int PRIMARY KEY);
		CREATE FUNCTION public.fails() RETURNS int LANGUAGE plpgsql AS $$BEGIN PERFORM nonsense FROM pg_class; RETURN 1; END$$`, one, w.count)
	a := as(t, 1, "a")
	for sql, warm := range map[string]int64{
		"SELECT nonsense, $1::int":            1, // it fails when it is described
		"SELECT 1 / ($1::int - 1)":            1,
		"INSERT INTO things VALUES ($1), (1)": 1,
		"SELECT fails() + $1":                 1, // its own code, but within a function
	} {
		for i := range 4 {
			n := w.during(t, func() error {
				if err := db.QueryRow(a, sql, 1).Scan(nil); err == nil {
					t.Errorf("%s: no error", sql)
				}
				return nil
			})
			if i > 1 && n > warm+2 { // what failed is forgotten by pgx, so that it is closed and prepared again
				t.Errorf("%s: %d writes at execution %d", sql, n, i+1)
			}
		}
	}
}

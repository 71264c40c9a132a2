package wire_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant/pgxtenant/internal/wire"
)

// modes are pgx's ways to send a statement.
var modes = []pgx.QueryExecMode{
	pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec,
	pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol,
}

// writes are ways to put a row into things.
func writes(s *session) map[string]func(context.Context) error {
	all := map[string]func(context.Context) error{
		"without arguments": func(ctx context.Context) error {
			_, err := s.Exec(ctx, "INSERT INTO things VALUES ('x')")
			return err
		},
		"a batch": func(ctx context.Context) error {
			b := &pgx.Batch{}
			b.Queue("SELECT 1")
			b.Queue("INSERT INTO things VALUES ($1)", "x")
			return s.SendBatch(ctx, b).Close()
		},
		"copy": func(ctx context.Context) error {
			_, err := s.CopyFrom(ctx, pgx.Identifier{"things"}, []string{"name"}, pgx.CopyFromRows([][]any{{"x"}}))
			return err
		},
		"a transaction": func(ctx context.Context) error {
			return pgx.BeginFunc(ctx, s.Conn, func(tx pgx.Tx) error {
				_, err := tx.Exec(ctx, "INSERT INTO things VALUES ($1)", "x")
				return err
			})
		},
		"several in one text": func(ctx context.Context) error {
			_, err := s.Exec(ctx, "SELECT 1; BEGIN; SELECT 2; ROLLBACK; INSERT INTO things VALUES ('x')")
			return err
		},
		"a batch with a roll-back": func(ctx context.Context) error {
			b := &pgx.Batch{}
			for _, sql := range []string{"BEGIN", "SELECT 1", "ROLLBACK", "INSERT INTO things VALUES ('x')"} {
				b.Queue(sql)
			}
			return s.SendBatch(ctx, b).Close()
		},
		"a procedure that commits": func(ctx context.Context) error {
			_, err := s.Exec(ctx, "CALL public.commits()")
			return err
		},
		"a pipeline of groups": func(ctx context.Context) error {
			p := s.PgConn().StartPipeline(ctx)
			p.SendQueryParams("SELECT 1", nil, nil, nil, nil)
			p.SendPipelineSync()
			p.SendQueryParams("INSERT INTO things VALUES ('x')", nil, nil, nil, nil)
			return errors.Join(p.Sync(), p.Close())
		},
	}
	for _, mode := range modes {
		all[mode.String()] = func(ctx context.Context) error {
			_, err := s.Exec(ctx, "INSERT INTO things VALUES ($1)", mode, "x")
			return err
		}
	}
	return all
}

// Whatever way a row is written, it is written to the wanted schema, and when that
// is gone nothing is written anywhere, least of all to the schema that the session
// had before, or to public.
func TestWrites(t *testing.T) {
	t.Parallel()

	for _, slow := range []bool{false, true} {
		for name := range writes(nil) {
			t.Run(fmt.Sprint(name, ", slow ", slow), func(t *testing.T) {
				t.Parallel()

				s := newSession(t, slow)
				write := writes(s)[name]
				for i, schema := range []string{"a", "b", "a", "a", "b"} {
					s.want(schema, i == 3)
					if err := write(t.Context()); err != nil {
						t.Fatalf("%s: %v", schema, err)
					}
				}
				if got := s.rows(t); got != [3]int{0, 3, 2} {
					t.Fatalf("rows in public, a, b: %v", got)
				}

				// From a to a schema that is gone.
				s.want("a", true)
				if err := write(t.Context()); err != nil {
					t.Fatal(err)
				}
				s.want("gone", false)
				err := write(t.Context())
				var pgErr *pgconn.PgError
				if !errors.As(err, &pgErr) || pgErr.Code != "3F000" || pgErr.Routine != wire.Routine {
					t.Errorf("with a schema that is gone: %v", err)
				}
				if got := s.rows(t); got != [3]int{0, 4, 2} {
					t.Errorf("rows in public, a, b after the refusal: %v", got)
				}
				if s.IsClosed() || wire.Of(s.PgConn()).Broken() {
					return // the pool replaces it
				}
				// Asked again, it is refused again; and the connection is good for another.
				if err := write(t.Context()); err == nil {
					t.Error("the second write to a schema that is gone: no error")
				}
				if s.IsClosed() || wire.Of(s.PgConn()).Broken() {
					return
				}
				s.want("b", false)
				if err := write(t.Context()); err != nil {
					t.Errorf("after the refusal: %v", err)
				}
				if got := s.rows(t); got != [3]int{0, 4, 3} {
					t.Errorf("rows in public, a, b in the end: %v", got)
				}
			})
		}
	}
}

// What must stand alone does, on the wanted path.
func TestStandsAlone(t *testing.T) {
	t.Parallel()

	s := newSession(t, false)
	for _, sql := range []string{
		"VACUUM things", "CREATE INDEX CONCURRENTLY i ON things (name)", "REINDEX TABLE CONCURRENTLY things",
		"/* a comment */ DROP INDEX CONCURRENTLY i", "DO $$BEGIN COMMIT; END$$",
	} {
		for _, schema := range []string{"a", "b"} {
			s.want(schema, true)
			if _, err := s.Exec(t.Context(), sql); err != nil {
				t.Errorf("%s in %s: %v", sql, schema, err)
			}
		}
	}
	// Prepared beforehand, too.
	if _, err := s.Prepare(t.Context(), "vacuum", "VACUUM things"); err != nil {
		t.Fatal(err)
	}
	s.want("a", false)
	if _, err := s.Exec(t.Context(), "vacuum"); err != nil {
		t.Errorf("prepared VACUUM: %v", err)
	}
}

// The path survives what transactions do, and what the application sets itself.
func TestPathStays(t *testing.T) {
	t.Parallel()

	s := newSession(t, true)
	check := func(after string) {
		t.Helper()
		var path string
		if err := s.QueryRow(t.Context(), "SELECT current_setting('search_path')").Scan(&path); err != nil || path != `"b", "public", pg_temp` {
			t.Errorf("after %s: %s, %v", after, path, err)
		}
	}
	for _, sql := range []string{
		"SELECT 1", "SELECT nonsense", "SELECT 1/0", "", "-- only a comment",
		"SET search_path = a", "SET SCHEMA 'a'", "RESET search_path", "RESET ALL", "DISCARD ALL", "DEALLOCATE ALL",
		"BEGIN; SET LOCAL search_path = a; COMMIT", "BEGIN; SET search_path = a; ROLLBACK", "BEGIN; SET search_path = a; COMMIT",
		"SELECT set_config('search_path', 'a', false)",
	} {
		s.want("a", true)
		if _, err := s.Exec(t.Context(), "SELECT 1"); err != nil {
			t.Fatal(err)
		}
		s.want("b", false)
		_, _ = s.Exec(t.Context(), sql)
		if strings.Contains(sql, "set_config") {
			s.want("b", true) // nothing on the wire tells of it
		}
		if sql == "DISCARD ALL" || sql == "DEALLOCATE ALL" {
			_ = s.DeallocateAll(t.Context()) // pgx's own statements are gone, too
		}
		check(sql)
	}
	for name, end := range map[string]func(pgx.Tx) error{
		"COMMIT":   func(tx pgx.Tx) error { return tx.Commit(t.Context()) },
		"ROLLBACK": func(tx pgx.Tx) error { return tx.Rollback(t.Context()) },
		"a failed transaction": func(tx pgx.Tx) error {
			_, _ = tx.Exec(t.Context(), "SELECT 1/0")
			return tx.Rollback(t.Context())
		},
		"ROLLBACK AND CHAIN": func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), "ROLLBACK AND CHAIN")
			check("ROLLBACK AND CHAIN, within")
			return errors.Join(err, tx.Commit(t.Context()))
		},
		"ROLLBACK TO": func(tx pgx.Tx) error {
			_, err := tx.Exec(t.Context(), "SAVEPOINT s; SELECT 1; ROLLBACK TO s")
			check("ROLLBACK TO, within")
			return errors.Join(err, tx.Commit(t.Context()))
		},
	} {
		s.want("a", true)
		if _, err := s.Exec(t.Context(), "SELECT 1"); err != nil {
			t.Fatal(err)
		}
		s.want("b", false)
		tx, err := s.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		check(name + ", within")
		if err := end(tx); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		check(name)
	}
}

// No flush beyond those of the application, on a switch neither, once the
// statement was prepared.
func TestNoRoundTrip(t *testing.T) {
	t.Parallel()

	s := newSession(t, false)
	calls := map[string]func() error{
		"simple":   func() error { _, err := s.Exec(t.Context(), "SELECT 1"); return err },
		"prepared": func() error { _, err := s.Exec(t.Context(), "SELECT $1::int", 1); return err },
		"exec":     func() error { _, err := s.Exec(t.Context(), "SELECT $1::int", pgx.QueryExecModeExec, 1); return err },
		"transaction": func() error {
			return pgx.BeginFunc(t.Context(), s.Conn, func(tx pgx.Tx) error {
				_, err := tx.Exec(t.Context(), "SELECT 1")
				return err
			})
		},
	}
	for name, call := range calls {
		s.want("a", false)
		if err := errors.Join(call(), call()); err != nil { // the second time nothing is prepared
			t.Fatal(err)
		}
		count := func(schema string, again bool) int64 {
			s.want(schema, again)
			before := s.sent.Load()
			if err := call(); err != nil {
				t.Fatal(err)
			}
			return s.sent.Load() - before
		}
		same, switched, again := count("a", false), count("b", false), count("b", true)
		if switched != same || again != same {
			t.Errorf("%s: %d writes for the same tenant, %d on a switch, %d when set again", name, same, switched, again)
		}
	}
}

// The position of an error is that in the application's text.
func TestErrorPosition(t *testing.T) {
	t.Parallel()

	s := newSession(t, true)
	for _, sql := range []string{"SELECT 'ä', nonsense", "SELEC 1", "SELECT 1; SELECT nonsense", "SELECT * FROM gone.things", "SELECT 'gone'::regnamespace"} {
		_, err := s.plain.Exec(t.Context(), sql)
		var want, got *pgconn.PgError
		if !errors.As(err, &want) {
			t.Fatalf("%s: %v", sql, err)
		}
		s.want("a", true)
		if _, err := s.Exec(t.Context(), sql); !errors.As(err, &got) || got.Position != want.Position || got.Message != want.Message || got.Routine != want.Routine {
			t.Errorf("%s: %+v; want %+v", sql, got, want)
		}
	}
}

// Notices, notifications and large results pass.
func TestTrafficPasses(t *testing.T) {
	t.Parallel()

	for _, slow := range []bool{false, true} {
		s := newSession(t, slow)
		s.want("a", true)
		if _, err := s.Exec(t.Context(), "LISTEN news; NOTIFY news, 'first'"); err != nil {
			t.Fatal(err)
		}
		s.want("b", true)
		if _, err := s.Exec(t.Context(), "NOTIFY news, 'second'; DO $$BEGIN RAISE NOTICE 'hm'; END$$"); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"first", "second"} {
			n, err := s.WaitForNotification(t.Context())
			if err != nil || n.Payload != want {
				t.Errorf("notification %v, %v; want %s", n, err, want)
			}
		}
		s.want("a", true)
		var n, sum int
		rows, err := s.Query(t.Context(), "SELECT i, repeat('x', i % 500) FROM generate_series(1, 5000) AS i")
		if err != nil {
			t.Fatal(err)
		}
		var i int
		var text string
		if _, err := pgx.ForEachRow(rows, []any{&i, &text}, func() error { n++; sum += len(text); return nil }); err != nil || n != 5000 || sum != 10*499*500/2 {
			t.Errorf("%d rows, %d bytes, %v", n, sum, err)
		}
	}
}

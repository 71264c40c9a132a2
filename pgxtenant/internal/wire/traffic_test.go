package wire_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant/pgxtenant/internal/wire"
)

// Errors are those that PostgreSQL has for the application's text, with the position
// in that.
func TestErrors(t *testing.T) {
	t.Parallel()

	for modeName, mode := range modes {
		s := newSession(t, mode, true)
		for _, sql := range []string{"SELECT 'ä', nonsense", "SELEC 1", "SELECT 1; SELECT nonsense", "SELECT * FROM gone.things", "SELECT 'gone'::regnamespace", "SELECT 1/0"} {
			for range 2 {
				_, err := s.plain.Exec(t.Context(), sql)
				var want, got *pgconn.PgError
				if !errors.As(err, &want) {
					t.Fatalf("%s: %v", sql, err)
				}
				s.want("a")
				if _, err := s.Exec(t.Context(), sql); !errors.As(err, &got) || got.Position != want.Position || got.Message != want.Message || got.Routine != want.Routine {
					t.Errorf("%s, %s: %+v; want %+v", modeName, sql, got, want)
				}
			}
		}
	}
}

// Notices, notifications, COPY both ways and large results pass.
func TestTrafficPasses(t *testing.T) {
	t.Parallel()

	for _, slow := range []bool{false, true} {
		s := newSession(t, wire.EveryAcquire, slow)
		s.want("a")
		if _, err := s.Exec(t.Context(), "LISTEN news; NOTIFY news, 'first'"); err != nil {
			t.Fatal(err)
		}
		s.want("b")
		if _, err := s.Exec(t.Context(), "NOTIFY news, 'second'; DO $$BEGIN RAISE NOTICE 'hm'; END$$"); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"first", "second"} {
			n, err := s.WaitForNotification(t.Context())
			if err != nil || n.Payload != want {
				t.Errorf("notification %v, %v; want %s", n, err, want)
			}
		}
		s.want("a")
		rows, err := s.Query(t.Context(), "SELECT i, repeat('x', i % 500) FROM generate_series(1, 5000) AS i")
		if err != nil {
			t.Fatal(err)
		}
		var i, n, sum int
		var text string
		if _, err := pgx.ForEachRow(rows, []any{&i, &text}, func() error { n++; sum += len(text); return nil }); err != nil || n != 5000 || sum != 10*499*500/2 {
			t.Errorf("%d rows, %d bytes, %v", n, sum, err)
		}
		rowCount := 100_000
		if slow {
			rowCount = 2_000
		}
		testCopy(t, s, rowCount)
	}
}

func testCopy(t *testing.T, s *session, rowCount int) {
	t.Helper()
	in := strings.Repeat("a line among many that are like it\n", rowCount)
	s.want("a")
	if tag, err := s.PgConn().CopyFrom(t.Context(), strings.NewReader(in), "COPY things FROM STDIN"); err != nil || tag.RowsAffected() != int64(rowCount) {
		t.Errorf("COPY FROM: %v, %v", tag, err)
	}
	var out bytes.Buffer
	s.want("a")
	if _, err := s.PgConn().CopyTo(t.Context(), &out, "COPY things TO STDOUT"); err != nil || out.String() != in {
		t.Errorf("COPY TO: %d bytes, %v", out.Len(), err)
	}
	// A COPY that fails in its midst, or before it began.
	for _, sql := range []string{"COPY things (name) FROM STDIN (FORMAT csv)", "COPY gone FROM STDIN", "COPY things FROM STDIN WHERE name::int > 0"} {
		for _, schema := range []string{"a", "b"} {
			s.want(schema)
			if _, err := s.PgConn().CopyFrom(t.Context(), strings.NewReader("\"x\",\"y\"\n"+in), sql); err == nil {
				t.Errorf("%s: no error", sql)
			}
			var name string
			if err := s.QueryRow(t.Context(), "SELECT current_schema()").Scan(&name); err != nil || name != schema {
				t.Errorf("after %s: %s, %v", sql, name, err)
			}
		}
	}
	s.expect(t, "copied", 0, rowCount, 0)
}

// What is left in the session is told, and what is not is not.
func TestDirty(t *testing.T) {
	t.Parallel()

	s := newSession(t, wire.EveryAcquire, false)
	_ = s.Close(t.Context())
	for sql, want := range map[string]bool{
		"SELECT temp FROM (SELECT 1 AS temp) AS x":   false,
		"SET LOCAL statement_timeout = 1000":         false,
		"SET search_path = a":                        false,
		"RESET search_path":                          false,
		"SELECT set_config('x.y', 'z', true)":        false,
		"SELECT pg_advisory_xact_lock(1)":            false,
		"CREATE TEMP TABLE x (y int) ON COMMIT DROP": false,
		"CREATE TABLE y (temp int)":                  false,
		"SET statement_timeout = 1000":               true,
		"SET ROLE pg_monitor":                        true,
		"SET SESSION AUTHORIZATION DEFAULT":          true,
		"RESET ALL":                                  true,
		"DISCARD ALL":                                true,
		"SELECT set_config('x.y', 'z', false)":       true,
		"SELECT pg_advisory_lock(1)":                 true,
		"SELECT pg_try_advisory_lock_shared(1)":      true,
		"CREATE LOCAL TEMPORARY TABLE x (y int)":     true,
		"SELECT 1 AS y INTO TEMP x":                  true,
		"CREATE TABLE pg_temp.x (y int)":             true,
		"DECLARE x CURSOR WITH HOLD FOR SELECT 1":    true,
		"LISTEN news":                                true,
		"PREPARE x AS SELECT 1":                      true,
	} {
		for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeSimpleProtocol, pgx.QueryExecModeExec, pgx.QueryExecModeCacheStatement} {
			s.Conn = s.connect(t, s.plain.Config().ConnString(), wire.EveryAcquire, false)
			s.want("a")
			rows, err := s.Query(t.Context(), sql, mode)
			if err == nil {
				rows.Close()
				err = rows.Err()
			}
			if err != nil {
				t.Errorf("%s: %v", sql, err)
			}
			if got := wire.Of(s.PgConn()).Dirty(); got != want {
				t.Errorf("%s, %v: dirty %t", sql, mode, got)
			}
			_ = s.Close(t.Context())
			s.plainly(t, "DROP TABLE IF EXISTS a.y")
		}
	}
}

// A statement that is under way while its schema is dropped or renamed away fails:
// its names would be found in public.
func TestRaces(t *testing.T) {
	t.Parallel()

	for modeName, mode := range modes {
		all := ways()
		if mode != wire.Local {
			for _, name := range []string{"a transaction in one text", "a procedure with a result"} {
				all[name] = sessionWays()[name]
			}
		}
		for name, write := range all {
			t.Run(modeName+", "+name, func(t *testing.T) {
				t.Parallel()

				s := newSession(t, mode, false)
				s.want("a")
				if err := write(t.Context(), s); err != nil {
					t.Fatal(err)
				}
				s.plainly(t, "BEGIN", "DROP SCHEMA a CASCADE")
				s.want("a")
				done := make(chan error, 1)
				go func() { done <- write(context.WithoutCancel(t.Context()), s) }()
				s.awaitLock(t)
				s.plainly(t, "COMMIT")
				if err := <-done; err == nil {
					t.Error("no error")
				}
				if n := s.rows(t, "public")[0]; n != 0 {
					t.Errorf("%d rows in public", n)
				}
			})
		}
	}
}

// awaitLock returns when a session waits for a lock.
func (s *session) awaitLock(t *testing.T) {
	t.Helper()
	for waits := false; !waits; {
		err := s.plain.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))").Scan(&waits)
		if err != nil {
			t.Fatal(err)
		}
	}
}

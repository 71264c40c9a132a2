package wire_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant/pgxtenant/internal/wire"
)

// Whatever the statement, when its schema has gone under a path that is right it fails,
// and nothing of public is changed or shown.
func TestGone(t *testing.T) {
	t.Parallel()

	for modeName, mode := range modes {
		s := newSession(t, mode, false)
		s.plainly(t, "INSERT INTO public.things VALUES ('public')")
		for _, sql := range []string{
			"CREATE INDEX CONCURRENTLY i ON things (name)", "VACUUM things", "REINDEX TABLE things", "CREATE TABLE made (x int)",
			`INSERT INTO things VALUES (E'one\ntwo; three')`, `INSERT INTO things SELECT a$b$c FROM (SELECT 'x;' AS a$b$c) AS q`,
			"BEGIN; INSERT INTO things VALUES ('x'); COMMIT", "DO $$BEGIN INSERT INTO things VALUES ('x'); END$$", "CALL public.commits()",
			"SELECT 1; INSERT INTO things VALUES ('x')", "COPY things TO STDOUT", "SELECT name FROM things",
		} {
			for _, exec := range []pgx.QueryExecMode{pgx.QueryExecModeSimpleProtocol, pgx.QueryExecModeExec} {
				_ = s.Close(t.Context())
				s.Conn = s.connect(t, s.plain.Config().ConnString(), mode, false)
				s.want("a")
				if _, err := s.Exec(t.Context(), "SELECT 1"); err != nil {
					t.Fatal(err)
				}
				s.plainly(t, "ALTER SCHEMA a RENAME TO renamed")
				s.want("a")
				rows, err := s.Query(t.Context(), sql, exec)
				if err == nil {
					for rows.Next() {
						t.Errorf("%s, %s, %v: a row was shown", modeName, sql, exec)
					}
					err = rows.Err()
				}
				if err == nil {
					t.Errorf("%s, %s, %v: no error", modeName, sql, exec)
				}
				var others int
				if err := s.plain.QueryRow(t.Context(), "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname <> 'things'").Scan(&others); err != nil || others != 0 || s.rows(t, "public")[0] != 1 {
					t.Errorf("%s, %s, %v: public was changed: %d relations, %v", modeName, sql, exec, others, err)
				}
				s.plainly(t, "ALTER SCHEMA renamed RENAME TO a")
			}
		}
	}
}

// A role that may not use the schema is refused: PostgreSQL passes such a schema over
// without a word.
func TestUsage(t *testing.T) {
	t.Parallel()

	for modeName, mode := range modes {
		s := newSession(t, mode, false)
		s.plainly(t, "GRANT SELECT, INSERT ON public.things TO pg_monitor", "GRANT USAGE ON SCHEMA b TO pg_monitor", "GRANT INSERT ON b.things TO pg_monitor")
		if _, err := s.Exec(t.Context(), "SET ROLE pg_monitor"); err != nil { // as a login would be
			t.Fatal(err)
		}
		for name, write := range ways() {
			if name == "a batch in a transaction" && mode == wire.Local {
				continue // it ends the session
			}
			s.want("a")
			var pgErr *pgconn.PgError
			if err := write(t.Context(), s); !errors.As(err, &pgErr) || pgErr.Code != "42501" || !strings.Contains(pgErr.Message, "schema a") {
				t.Errorf("%s, %s: %v", modeName, name, err)
			}
			if !s.usable() {
				s.Conn = s.connect(t, s.plain.Config().ConnString(), mode, false)
				if _, err := s.Exec(t.Context(), "SET ROLE pg_monitor"); err != nil {
					t.Fatal(err)
				}
			}
		}
		s.want("b")
		if _, err := s.Exec(t.Context(), insert, pgx.QueryExecModeExec, "x"); err != nil {
			t.Errorf("%s, where it may: %v", modeName, err)
		}
		s.expect(t, modeName, 0, 0, 1)

		// In the midst of a transaction.
		s.Conn = s.connect(t, s.plain.Config().ConnString(), mode, false)
		for _, set := range []string{"SET LOCAL ROLE pg_monitor", "SELECT set_config('role', 'pg_monitor', true)"} {
			s.want("a")
			tx, err := s.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			_, err = tx.Exec(t.Context(), set)
			if err == nil { // where a proof stands behind it, it fails itself
				_, err = tx.Exec(t.Context(), insert, pgx.QueryExecModeExec, "x")
			}
			if err == nil {
				t.Errorf("%s, %s: no error", modeName, set)
			}
			_ = tx.Rollback(t.Context())
		}
		s.expect(t, modeName, 0, 0, 1)
	}
}

// The body of a function is left alone.
func TestAtomic(t *testing.T) {
	t.Parallel()

	for modeName, mode := range modes {
		for _, sql := range []string{
			"CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END",
			"CREATE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC INSERT INTO things VALUES ('f'); SELECT CASE WHEN true THEN count(*) END FROM things; END",
		} {
			s := newSession(t, mode, false)
			if _, err := s.plain.Exec(t.Context(), "SET search_path = b; "+sql); err != nil {
				t.Fatal(err)
			}
			s.want("a")
			err := pgx.BeginFunc(t.Context(), s.Conn, func(tx pgx.Tx) error {
				_, err := tx.Exec(t.Context(), sql)
				return err
			})
			if err != nil {
				t.Fatalf("%s, %s: %v", modeName, sql, err)
			}
			var same bool
			if err := s.plain.QueryRow(t.Context(), "SELECT replace(pg_get_functiondef('a.f'::regproc), 'a.', 'b.') = replace(pg_get_functiondef('b.f'::regproc), 'b.b.', 'b.') OR pg_get_functiondef('a.f'::regproc) NOT LIKE '%cotenant%'").Scan(&same); err != nil || !same {
				t.Errorf("%s, %s: %t, %v", modeName, sql, same, err)
			}
			if mode == wire.Local {
				continue // outside of a transaction it is refused
			}
			s.want("a")
			if _, err := s.Exec(t.Context(), strings.Replace(sql, "f()", "g()", 1)); err != nil {
				t.Errorf("%s, %s: %v", modeName, sql, err)
			}
		}
	}
}

// A path that one group of a pipeline sets is noticed when that group is answered.
func TestPathSetInPipeline(t *testing.T) {
	t.Parallel()

	s := newSession(t, wire.OnChange, false)
	s.want("a")
	p := s.PgConn().StartPipeline(t.Context())
	p.SendQueryParams("SELECT 1", nil, nil, nil, nil)
	p.SendPipelineSync()
	p.SendQueryParams("SELECT set_config('search_path', 'b', false)", nil, nil, nil, nil)
	if err := errors.Join(p.Sync(), p.Close()); err != nil {
		t.Fatal(err)
	}
	s.want("a")
	if _, err := s.Exec(t.Context(), insert, pgx.QueryExecModeExec, "x"); err != nil {
		t.Fatal(err)
	}
	s.expect(t, "after the pipeline", 0, 1, 0)
}

// When the path that is set ahead of a transaction is cancelled, pgx is told what became
// of the transaction itself.
func TestCancelAhead(t *testing.T) {
	t.Parallel()

	s := newSession(t, wire.EveryAcquire, false)
	s.plainly(t, "BEGIN", "LOCK pg_catalog.pg_namespace IN ACCESS EXCLUSIVE MODE")
	s.want("a")
	done := make(chan error, 1)
	go func() {
		b := &pgx.Batch{}
		for _, sql := range []string{"BEGIN", "INSERT INTO things VALUES ('x')", "COMMIT"} {
			b.Queue(sql)
		}
		done <- s.SendBatch(context.WithoutCancel(t.Context()), b).Close()
	}()
	s.awaitLock(t)
	if _, err := s.plain.Exec(t.Context(), "SELECT pg_cancel_backend($1)", pgx.QueryExecModeExec, s.PgConn().PID()); err != nil {
		t.Fatal(err)
	}
	s.plainly(t, "COMMIT")
	err := <-done
	if n := s.rows(t, "a")[0]; (err == nil) != (n == 1) {
		t.Errorf("told %v, and there are %d rows", err, n)
	}
}

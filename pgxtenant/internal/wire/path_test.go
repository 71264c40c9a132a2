package wire_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/pgxtenant/internal/wire"
)

// What must stand alone does, on the wanted path.
func TestStandsAlone(t *testing.T) {
	t.Parallel()

	s := newSession(t, wire.EveryAcquire, false)
	for _, sql := range []string{
		"VACUUM things", "CREATE INDEX CONCURRENTLY i ON things (name)", "REINDEX TABLE CONCURRENTLY things",
		"/* a comment */ DROP INDEX CONCURRENTLY i", "DO $$BEGIN COMMIT; END$$",
	} {
		for _, schema := range []string{"a", "b"} {
			s.want(schema)
			if _, err := s.Exec(t.Context(), sql); err != nil {
				t.Errorf("%s in %s: %v", sql, schema, err)
			}
			if _, err := s.Exec(t.Context(), strings.Replace(sql, "INDEX CONCURRENTLY i", "INDEX CONCURRENTLY IF EXISTS i", 1)); err != nil && !strings.HasPrefix(sql, "CREATE") {
				t.Errorf("%s in %s, again: %v", sql, schema, err)
			}
		}
	}
	// Prepared beforehand, too.
	if _, err := s.Prepare(t.Context(), "vacuum", "VACUUM things"); err != nil {
		t.Fatal(err)
	}
	s.want("a")
	if _, err := s.Exec(t.Context(), "vacuum"); err != nil {
		t.Errorf("prepared VACUUM: %v", err)
	}
}

// It does, too, where another role may be set, of which more must be proven.
func TestStandsAloneUnderRole(t *testing.T) {
	t.Parallel()

	for _, mode := range []wire.Mode{wire.OnChange, wire.EveryAcquire} {
		for _, protocol := range []pgx.QueryExecMode{pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeSimpleProtocol} {
			s := newSession(t, mode, mode == wire.EveryAcquire)
			for _, sql := range []string{"SET SESSION AUTHORIZATION DEFAULT", "VACUUM things", "DO $$BEGIN COMMIT; END$$", "CALL public.commits()", "VACUUM things"} {
				for _, schema := range []string{"a", "b", "b"} {
					s.want(schema)
					if _, err := s.Exec(t.Context(), sql, protocol); err != nil {
						t.Errorf("%s, %s: %v", protocol, sql, err)
					}
				}
			}
			s.expect(t, "a procedure", 0, 1, 2)
		}
	}
}

// A name that was a harmless statement's does not make the next of that name one.
func TestNameIsTakenAgain(t *testing.T) {
	t.Parallel()

	for _, name := range []string{"", "name"} {
		s := newSession(t, wire.OnChange, false)
		s.want("a")
		c := s.PgConn()
		for _, sql := range []string{"SET statement_timeout = 0", insert} {
			if _, err := c.Prepare(t.Context(), name, sql, nil); err != nil {
				t.Fatal(err)
			}
			if err := c.Deallocate(t.Context(), name); name != "" && sql != insert && err != nil {
				t.Fatal(err)
			}
		}
		if _, err := c.Prepare(t.Context(), name, insert, nil); err != nil {
			t.Fatal(err)
		}
		s.plainly(t, "ALTER SCHEMA a RENAME TO renamed")
		if _, err := c.ExecPrepared(t.Context(), name, [][]byte{[]byte("x")}, nil, nil).Close(); err == nil {
			t.Errorf("%q: no error", name)
		}
		if n := s.rows(t, "public"); n[0] != 0 {
			t.Errorf("%q: %d rows in public", name, n[0])
		}
	}
}

// Where the path was set in a group that is not confirmed, what would undo it is
// refused.
func TestRefusedInPipeline(t *testing.T) {
	t.Parallel()

	for _, sql := range []string{"ROLLBACK", "BEGIN", "VACUUM", "CALL public.commits()"} {
		s := newSession(t, wire.OnChange, false)
		s.want("a")
		if err := ways()["without arguments"](t.Context(), s); err != nil {
			t.Fatal(err)
		}
		s.want("b")
		p := s.PgConn().StartPipeline(t.Context())
		p.SendQueryParams("SELECT 1", nil, nil, nil, nil)
		if err := p.Flush(); err != nil {
			t.Fatal(err)
		}
		p.SendQueryParams(sql, nil, nil, nil, nil)
		p.SendQueryParams("INSERT INTO things VALUES ('x')", nil, nil, nil, nil)
		if err := errors.Join(p.Sync(), p.Close()); !errors.Is(err, wire.ErrAlone) {
			t.Errorf("%s: %v", sql, err)
		}
		s.expect(t, sql, 0, 1, 0)
	}
}

// Behind a pooler it is refused, as is what ends the transaction that has the path.
func TestRefusedLocally(t *testing.T) {
	t.Parallel()

	for _, sql := range []string{
		"VACUUM things", "CREATE INDEX CONCURRENTLY i ON things (name)",
		"BEGIN; INSERT INTO things VALUES ('x'); COMMIT; INSERT INTO things VALUES ('y')", "COMMIT; INSERT INTO things VALUES ('x')",
		"COMMIT AND CHAIN", "ROLLBACK AND CHAIN",
	} {
		s := newSession(t, wire.Local, false)
		s.want("a")
		if _, err := s.Exec(t.Context(), sql); !errors.Is(err, wire.ErrAlone) {
			t.Errorf("%s: %v", sql, err)
		}
		s.expect(t, sql, 0, 0, 0)
	}
	for _, sql := range []string{"COMMIT", "CALL public.commits()"} {
		s := newSession(t, wire.Local, false)
		s.want("a")
		p := s.PgConn().StartPipeline(t.Context())
		p.SendQueryParams("SELECT 1", nil, nil, nil, nil)
		p.SendQueryParams(sql, nil, nil, nil, nil)
		err := p.Flush()
		p.SendQueryParams("INSERT INTO things VALUES ('x')", nil, nil, nil, nil)
		if err := errors.Join(err, p.Sync(), p.Close()); !errors.Is(err, wire.ErrAlone) {
			t.Errorf("%s in a group: %v", sql, err)
		}
		s.expect(t, sql, 0, 0, 0)
	}
	s := newSession(t, wire.Local, false)
	s.want("a")
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeDescribeExec, pgx.QueryExecModeCacheStatement} {
		s := newSession(t, wire.Local, false)
		s.want("a")
		if _, err := s.Exec(t.Context(), insert, mode, "x"); !errors.Is(err, wire.ErrPrepared) {
			t.Errorf("%v: %v", mode, err)
		}
		s.expect(t, mode.String(), 0, 0, 0)
	}
	tx, err := s.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Prepare(t.Context(), "name", insert); !errors.Is(err, wire.ErrPrepared) {
		t.Errorf("prepared in a transaction: %v", err)
	}
	s = newSession(t, wire.Local, false)
	s.want("a")
	if _, err := s.PgConn().ExecPrepared(t.Context(), "name", nil, nil, nil).Close(); !errors.Is(err, wire.ErrPrepared) {
		t.Errorf("by a name: %v", err)
	}
}

// What is sent past the frontend is not sent.
func TestBypass(t *testing.T) {
	t.Parallel()

	s := newSession(t, wire.OnChange, false)
	b := &pgx.Batch{}
	b.Queue(insert, "x")
	conn := s.connectExec(t)
	wire.Of(conn.PgConn()).Want(wire.Path{SearchPath: "a", Schema: "a"})
	if err := conn.SendBatch(t.Context(), b).Close(); !errors.Is(err, wire.ErrBypass) {
		t.Errorf("a batch in exec mode: %v", err)
	}
	_ = conn.Close(t.Context())
	s.expect(t, "a batch in exec mode", 0, 0, 0)
}

// connectExec connects once more, with pgx.QueryExecModeExec for batches.
func (s *session) connectExec(t *testing.T) *pgx.Conn {
	t.Helper()
	config := s.plain.Config()
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	wire.Attach(&config.Config, wire.OnChange)
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// The path survives what transactions do, and what the application sets itself.
func TestPathStays(t *testing.T) {
	t.Parallel()

	s := newSession(t, wire.OnChange, true)
	begin := func() {
		t.Helper()
		s.want("a")
		if _, err := s.Exec(t.Context(), "SELECT 1"); err != nil {
			t.Fatal(err)
		}
		s.want("b")
	}
	check := func(after string) {
		t.Helper()
		var path string
		if err := s.QueryRow(t.Context(), "SELECT current_setting('search_path')").Scan(&path); err != nil || path != "b, public, pg_temp" {
			t.Errorf("after %s: %s, %v", after, path, err)
		}
	}
	for _, sql := range []string{
		"SELECT 1", "SELECT nonsense", "SELECT 1/0", "", "-- only a comment", "BEGIN; SELECT 1; ROLLBACK", "BEGIN; SELECT 1; COMMIT", "ROLLBACK", "COMMIT",
		"SET search_path = a", "SET SCHEMA 'a'", "RESET search_path", "RESET ALL", "DISCARD ALL", "DEALLOCATE ALL",
		"BEGIN; SET LOCAL search_path = a; COMMIT", "BEGIN; SET search_path = a; ROLLBACK", "BEGIN; SET search_path = a; COMMIT",
		"SELECT set_config('search_path', 'a', false)", "DO $$BEGIN EXECUTE 'SET search_path = a'; END$$", "DO $$BEGIN EXECUTE 'DEALLOCATE ALL'; END$$",
	} {
		begin()
		_, _ = s.Exec(t.Context(), sql)
		if strings.Contains(sql, "D") && strings.Contains(sql, " ALL") {
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
		"a failed statement in a savepoint": func(tx pgx.Tx) error {
			savepoint, err := tx.Begin(t.Context())
			if err != nil {
				return err
			}
			_, _ = savepoint.Exec(t.Context(), "SELECT $1::int / 0", 1)
			err = savepoint.Rollback(t.Context())
			check("ROLLBACK TO, within")
			return errors.Join(err, tx.Commit(t.Context()))
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
		begin()
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

// No write beyond those of the application, on a switch neither, once our own
// statements were prepared.
func TestNoRoundTrip(t *testing.T) {
	t.Parallel()

	for modeName, mode := range modes {
		s := newSession(t, mode, false)
		calls := ways()
		if mode != wire.Local {
			calls["described"] = sessionWays()["described"]
		}
		for name, call := range calls {
			count := func(schema string) int64 {
				if schema != "" {
					s.want(schema)
				}
				before := s.sent.Load()
				if err := call(t.Context(), s); err != nil {
					t.Fatal(err)
				}
				return s.sent.Load() - before
			}
			count("a") // the first time it is prepared
			bare := newBare(t, s)
			want := func() int64 {
				_ = call(t.Context(), bare)
				before := bare.sent.Load()
				if err := call(t.Context(), bare); err != nil {
					t.Fatal(err)
				}
				return bare.sent.Load() - before
			}()
			same, switched, back := count("a"), count("b"), count("a")
			if same != want || switched != want || back != want {
				t.Errorf("%s, %s: %d writes for the same tenant, %d on a switch, %d on the next; by bare pgx %d", modeName, name, same, switched, back, want)
			}
		}
	}
}

// newBare returns a session on which no path is ever wanted: bare pgx.
func newBare(t *testing.T, s *session) *session {
	t.Helper()
	bare := &session{}
	config := s.plain.Config()
	bare.Conn = bare.connect(t, config.ConnString(), wire.OnChange, false)
	t.Cleanup(func() { _ = bare.Close(t.Context()) })
	return bare
}

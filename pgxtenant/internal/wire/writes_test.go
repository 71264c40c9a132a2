package wire_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant/pgxtenant/internal/wire"
)

const insert = "INSERT INTO things VALUES ($1)"

// way is a way to put a row into things.
type way func(context.Context, *session) error

// ways are those that work in every mode.
func ways() map[string]way {
	all := map[string]way{
		"without arguments": func(ctx context.Context, s *session) error {
			_, err := s.Exec(ctx, "INSERT INTO things VALUES ('x')")
			return err
		},
		"a batch": func(ctx context.Context, s *session) error {
			b := &pgx.Batch{}
			b.Queue("SELECT 1")
			b.Queue(insert, "x")
			return s.SendBatch(ctx, b).Close()
		},
		"a batch of simple queries": func(ctx context.Context, s *session) error {
			rows, err := s.Query(ctx, "INSERT INTO things VALUES ($1) RETURNING name", pgx.QueryExecModeSimpleProtocol, "x;y")
			if err != nil {
				return err
			}
			_, err = pgx.CollectRows(rows, pgx.RowTo[string])
			return err
		},
		"copy": func(ctx context.Context, s *session) error {
			_, err := s.CopyFrom(ctx, pgx.Identifier{"things"}, []string{"name"}, pgx.CopyFromRows([][]any{{"x"}}))
			return err
		},
		"a transaction": func(ctx context.Context, s *session) error {
			return pgx.BeginFunc(ctx, s.Conn, func(tx pgx.Tx) error {
				_, err := tx.Exec(ctx, insert, pgx.QueryExecModeExec, "x")
				return err
			})
		},
		"a batch in a transaction": func(ctx context.Context, s *session) error {
			b := &pgx.Batch{}
			b.BeginTx(pgx.TxOptions{})
			b.Queue(insert, "x")
			results := s.SendBatch(ctx, b)
			if err := results.Close(); err != nil {
				_ = results.Tx().Rollback(ctx) // it may have begun
				return err
			}
			return results.Tx().Commit(ctx)
		},
		"several in one text": func(ctx context.Context, s *session) error {
			_, err := s.Exec(ctx, "SELECT 1; INSERT INTO things VALUES ('x'); SELECT 2 -- a comment")
			return err
		},
		"a block": func(ctx context.Context, s *session) error {
			_, err := s.Exec(ctx, "DO $$BEGIN INSERT INTO things VALUES ('x'); END$$")
			return err
		},
		"a pipeline of groups": func(ctx context.Context, s *session) error {
			p := s.PgConn().StartPipeline(ctx)
			p.SendQueryParams("SELECT 1", nil, nil, nil, nil)
			p.SendPipelineSync()
			p.SendQueryParams("INSERT INTO things VALUES ('x')", nil, nil, nil, nil)
			return errors.Join(p.Sync(), p.Close())
		},
		"a group in two writes": func(ctx context.Context, s *session) error {
			p := s.PgConn().StartPipeline(ctx)
			p.SendQueryParams("SELECT 1", nil, nil, nil, nil)
			err := p.Flush()
			p.SendQueryParams("INSERT INTO things VALUES ('x')", nil, nil, nil, nil)
			return errors.Join(err, p.Sync(), p.Close())
		},
	}
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
		all[mode.String()] = func(ctx context.Context, s *session) error {
			_, err := s.Exec(ctx, insert, mode, "x")
			return err
		}
	}
	return all
}

// sessionWays are those that do not work in the transaction of a group.
func sessionWays() map[string]way {
	return map[string]way{
		"prepared": func(ctx context.Context, s *session) error {
			_, err := s.Exec(ctx, insert, pgx.QueryExecModeCacheStatement, "x")
			return err
		},
		"described": func(ctx context.Context, s *session) error {
			_, err := s.Exec(ctx, insert, pgx.QueryExecModeDescribeExec, "x")
			return err
		},
		"a transaction in one text": func(ctx context.Context, s *session) error {
			_, err := s.Exec(ctx, "BEGIN; INSERT INTO things VALUES ('x'); COMMIT")
			if err != nil {
				_, _ = s.Exec(ctx, "ROLLBACK")
			}
			return err
		},
		"with a roll-back in one text": func(ctx context.Context, s *session) error {
			_, err := s.Exec(ctx, "SELECT 1; BEGIN; SELECT 2; ROLLBACK; INSERT INTO things VALUES ('x')")
			return err
		},
		"a batch with a roll-back": func(ctx context.Context, s *session) error {
			b := &pgx.Batch{}
			for _, sql := range []string{"BEGIN", "SELECT 1", "ROLLBACK", "INSERT INTO things VALUES ('x')"} {
				b.Queue(sql)
			}
			return s.SendBatch(ctx, b).Close()
		},
		"a roll-back that was prepared": func(ctx context.Context, s *session) error {
			for name, sql := range map[string]string{"b": "BEGIN", "r": "ROLLBACK", "i": "INSERT INTO things VALUES ('x')"} {
				if _, err := s.Prepare(ctx, name, sql); err != nil {
					return err
				}
			}
			b := &pgx.Batch{}
			for _, name := range []string{"b", "r", "i"} {
				b.Queue(name)
			}
			return s.SendBatch(ctx, b).Close()
		},
		"a procedure that commits": func(ctx context.Context, s *session) error {
			_, err := s.Exec(ctx, "CALL public.commits()")
			return err
		},
		"a procedure with a result": func(ctx context.Context, s *session) error {
			rows, err := s.Query(ctx, "CALL public.counts(NULL)", pgx.QueryExecModeSimpleProtocol)
			if err != nil {
				return err
			}
			_, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[int])
			return err
		},
		"a block that rolls back": func(ctx context.Context, s *session) error {
			_, err := s.Exec(ctx, "DO $$BEGIN ROLLBACK; INSERT INTO things VALUES ('x'); END$$")
			return err
		},
	}
}

// Whatever way a row is written, it is written to the wanted schema, and when that
// is gone nothing is written anywhere, least of all to the schema that the session
// had before, or to public.
func TestWrites(t *testing.T) {
	t.Parallel()

	for modeName, mode := range modes {
		all := ways()
		if mode != wire.Local {
			for name, write := range sessionWays() {
				all[name] = write
			}
		}
		for name, write := range all {
			t.Run(modeName+", "+name, func(t *testing.T) {
				t.Parallel()

				testWrite(t, newSession(t, mode, mode == wire.EveryAcquire), write)
			})
		}
	}
}

func testWrite(t *testing.T, s *session, write way) {
	t.Helper()
	for _, schema := range []string{"a", "b", "a", "a", "b"} {
		s.want(schema)
		if err := write(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", schema, err)
		}
	}
	s.expect(t, "five writes", 0, 3, 2)

	// From a to a schema that is gone.
	s.want("a")
	if err := write(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	s.want("gone")
	err := write(t.Context(), s)
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) || pgErr.Code != "3F000" || pgErr.Routine != wire.Routine {
		t.Errorf("with a schema that is gone: %v", err)
	}
	s.expect(t, "after the refusal", 0, 4, 2)

	// Asked again, it is refused again; and the connection is good for another.
	if s.usable() {
		if err := write(t.Context(), s); err == nil {
			t.Error("the second write to a schema that is gone: no error")
		}
	}
	if s.usable() {
		s.want("b")
		if err := write(t.Context(), s); err != nil {
			t.Errorf("after the refusal: %v", err)
		}
		s.expect(t, "in the end", 0, 4, 3)
	}

	// The path is right, and the schema goes.
	if !s.usable() {
		return
	}
	s.want("a")
	if err := write(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	before := s.rows(t, "public", "a", "b")
	s.plainly(t, "ALTER SCHEMA a RENAME TO renamed")
	s.want("a")
	if err := write(t.Context(), s); !errors.As(err, &pgErr) || pgErr.Code != "3F000" {
		t.Errorf("after the schema was renamed: %v", err)
	}
	if after := s.rows(t, "public", "renamed", "b"); !slices.Equal(before, after) {
		t.Errorf("after the schema was renamed: rows %v, %v before", after, before)
	}
}

package conformance

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// preparations are the operations with statements that were prepared by whoever came
// first.
func preparations() []operation {
	return []operation{
		{"prepared read", 40, func(g *gust, ctx context.Context) error {
			return g.prepared(ctx, "SELECT owner, pg_backend_pid() FROM things LIMIT 2", func(stmt Stmt) error {
				return g.reads(ctx, stmtSession{stmt}, "")
			})
		}},
		{"prepared read by a parameter", 20, func(g *gust, ctx context.Context) error {
			return g.prepared(ctx, "SELECT owner, pg_backend_pid() FROM people WHERE mood = $1", func(stmt Stmt) error {
				return g.reads(ctx, stmtSession{stmt}, "", label(g.ID))
			})
		}},
		{"prepared read of types", 10, func(g *gust, ctx context.Context) error {
			return g.prepared(ctx, selectPerson, func(stmt Stmt) error { return g.person(ctx, stmtSession{stmt}) })
		}},
		{"prepared read of another migration", 10, func(g *gust, ctx context.Context) error {
			return g.prepared(ctx, selectProfile, func(stmt Stmt) error { return g.profile(ctx, stmtSession{stmt}) })
		}},
		{"prepared insert", 40, func(g *gust, ctx context.Context) error {
			return g.prepared(ctx, insertThing, func(stmt Stmt) error { return g.insert(ctx, stmt) })
		}},
		{"prepared, in a transaction", 6, (*gust).joined},
		{"prepared for once", 4, func(g *gust, ctx context.Context) error {
			stmt, err := g.Access.(Preparer).Prepare(ctx, insertThing)
			if err != nil {
				return err
			}
			return errors.Join(g.insert(ctx, stmt), stmt.Close())
		}},
	}
}

// stmts are those of a storm, by text.
type stmts struct {
	mu   sync.Mutex
	text map[string]Stmt
}

// of returns the statement of that text, which the first who asks prepares.
func (s *stmts) of(ctx context.Context, access Access, text string) (Stmt, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if stmt := s.text[text]; stmt != nil {
		return stmt, nil
	}
	stmt, err := access.(Preparer).Prepare(ctx, text)
	if err != nil {
		return nil, err
	}
	if s.text == nil {
		s.text = make(map[string]Stmt)
	}
	s.text[text] = stmt
	return stmt, nil
}

// close closes all.
func (s *stmts) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	for text, stmt := range s.text {
		if e := stmt.Close(); e != nil {
			err = errors.Join(err, fmt.Errorf("close %q: %w", text, e))
		}
	}
	return err
}

// prepared calls f with the storm's statement.
func (g *gust) prepared(ctx context.Context, text string, f func(Stmt) error) error {
	stmt, err := g.storm.stmts.of(ctx, g.Access, text)
	if err != nil {
		return err
	}
	return f(stmt)
}

func (g *gust) insert(ctx context.Context, stmt Stmt) error {
	n, err := stmt.Exec(ctx, g.ID)
	g.written += n
	return err
}

// joined runs the storm's statements in a transaction.
func (g *gust) joined(ctx context.Context) error {
	write, err := g.storm.stmts.of(ctx, g.Access, insertThing)
	if err != nil {
		return err
	}
	read, err := g.storm.stmts.of(ctx, g.Access, moodOfPeople)
	if err != nil {
		return err
	}
	tx, err := g.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // done, or reported below
	joiner, ok := tx.(Joiner)
	if !ok {
		return nil
	}
	var found []int64
	if err := joiner.Join(ctx, read).Query(ctx, owners(&found), label(g.ID)); err != nil {
		return err
	}
	if err := g.insert(ctx, joiner.Join(ctx, write)); err != nil {
		return err
	}
	if err := tx.Commit(ctx); err != nil {
		return err
	}
	if len(found) != rows || found[0] != g.ID {
		return foreignError{g.ID, 0}
	}
	return nil
}

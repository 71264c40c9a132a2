package conformance

import (
	"context"
	"errors"
	"strings"
)

// replacing are the operations that leave something behind for the next tenant, or try
// to, so that the session must be replaced, or that cost the server as much.
func replacing(way Way, access Access) []operation {
	found := []operation{
		{"path", 5, func(g *gust, ctx context.Context) error { return g.leaves(ctx, pick(g.random, openChanges()[:10])) }},
		{"temporary table", 2, func(g *gust, ctx context.Context) error {
			return g.leaves(ctx, "CREATE TEMPORARY TABLE things AS SELECT -7::bigint AS owner, ''::text AS name, 0 AS n")
		}},
		{"VACUUM", 1, func(g *gust, ctx context.Context) error {
			_, err := g.Exec(ctx, "VACUUM profiles")
			return onlyContext(err)
		}},
	}
	if _, ok := access.(Batcher); ok {
		found = append(found, operation{"batch with a transaction", 6, (*gust).batchControl})
	}
	if way.HiddenPath {
		found = append(found, operation{"path, hidden", 3, (*gust).hiddenPath})
	}
	if way.Clean {
		found = append(found, operation{"session state", 3, (*gust).carry})
	}
	return found
}

// controlling are the operations that begin and end transactions by texts.
func controlling(access Access) []operation {
	found := []operation{{"transaction control in a text", 18, func(g *gust, ctx context.Context) error {
		_, err := g.Exec(ctx, g.text(g, pick(g.random, control())))
		return onlyContext(err)
	}}}
	if _, ok := access.(Acquirer); ok {
		found = append(found, operation{"connection", 5, (*gust).connection})
	}
	return found
}

// excursions are the operations that are not what an application should do.
func excursions() []operation {
	return []operation{
		{"no tenant", 2, func(g *gust, ctx context.Context) error {
			_, err := g.Exec(context.WithoutCancel(nobodys{ctx}), "INSERT INTO things VALUES (0, 'no tenant')")
			if err == nil {
				return foreignError{0, g.ID}
			}
			return nil
		}},
		{"failing statement", 4, func(g *gust, ctx context.Context) error {
			_, err := g.Exec(ctx, "SELECT 1/(n - n) FROM things LIMIT 1", g.mode()...)
			if sqlstate(err) == "22012" {
				return nil
			}
			return err
		}},
	}
}

// nobodys is a context without what its parent carries.
type nobodys struct{ context.Context }

func (nobodys) Value(any) any { return nil }

// leaves executes a text in one of the ways that there are.
func (g *gust) leaves(ctx context.Context, sql string) error {
	sql = g.text(g, sql)
	acquirer, ok := g.Access.(Acquirer)
	switch n := g.random.IntN(3); {
	case n == 0:
		tx, err := g.Begin(ctx)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, sql)
		if g.random.IntN(2) == 0 {
			return onlyContext(errors.Join(err, tx.Commit(ctx)))
		}
		return onlyContext(errors.Join(err, tx.Rollback(ctx)))
	case n == 1 && ok:
		conn, err := acquirer.Acquire(ctx)
		if err != nil {
			return err
		}
		defer conn.Release()
		_, err = conn.Exec(ctx, sql)
		return onlyContext(err)
	default:
		_, err := g.Exec(ctx, sql)
		return onlyContext(err)
	}
}

func (g *gust) hiddenPath(ctx context.Context) error {
	return g.leaves(ctx, pick(g.random, hiddenChanges()))
}

func (g *gust) carry(ctx context.Context) error {
	c := pick(g.random, carried())
	if strings.Contains(c.sql, "lock") {
		return nil // they would wait for each other
	}
	return g.leaves(ctx, c.sql)
}

// connection does a few things on one connection.
func (g *gust) connection(ctx context.Context) error {
	conn, err := g.Access.(Acquirer).Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	for range 3 {
		if err := g.reads(ctx, conn, "SELECT owner, pg_backend_pid() FROM things LIMIT 3", g.mode()...); err != nil {
			return err
		}
		if _, err := conn.Exec(ctx, withID(pick(g.random, control()), g.Tenant)); onlyContext(err) != nil {
			return err
		}
		if _, err := conn.Exec(ctx, "ROLLBACK"); onlyContext(err) != nil {
			return err
		}
	}
	return nil
}

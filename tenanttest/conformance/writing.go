package conformance

import (
	"context"
	"errors"
)

// errMeant ends what is to fail.
var errMeant = errors.New("as meant")

// writings are the operations that write.
func writings() []operation {
	return []operation{
		{"insert", 60, func(g *gust, ctx context.Context) error {
			g.written = 1
			return g.reads(ctx, g, "INSERT INTO things VALUES ($1, 'storm') RETURNING owner, pg_backend_pid()", g.mode(g.ID)...)
		}},
		{"insert by a text", 30, func(g *gust, ctx context.Context) error {
			g.written = 2
			_, err := g.Exec(ctx, withID("INSERT INTO things VALUES ($id); INSERT INTO things VALUES ($id)", g.Tenant))
			return err
		}},
		{"delete what is not there", 18, func(g *gust, ctx context.Context) error {
			n, err := g.Exec(ctx, "DELETE FROM things WHERE owner < $1 OR owner > $1", g.mode(g.ID)...)
			if err == nil && n > 0 {
				err = foreignError{g.ID, 0}
			}
			return err
		}},
		{"transaction", 20, func(g *gust, ctx context.Context) error { return g.transaction(ctx, true) }},
		{"transaction, rolled back", 8, func(g *gust, ctx context.Context) error { return g.transaction(ctx, false) }},
		{"CALL", 9, func(g *gust, ctx context.Context) error {
			if !g.stable && !g.storm.way.InnerCommits {
				return nil
			}
			_, err := g.Exec(ctx, "CALL twice('storm')")
			return onlyContext(err)
		}},
		{"DO", 9, func(g *gust, ctx context.Context) error {
			g.written = 1
			_, err := g.Exec(ctx, withID("DO $$ BEGIN INSERT INTO things VALUES ($id); END $$", g.Tenant))
			return err
		}},
	}
}

// onlyContext drops the errors of an operation that may well fail.
func onlyContext(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// transaction writes, fails, goes back to a savepoint, and writes again.
func (g *gust) transaction(ctx context.Context, commit bool) error {
	tx, err := g.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // done, or reported below
	for _, sql := range []string{"INSERT INTO things VALUES ($id, 'transaction')", "SAVEPOINT s", "INSERT INTO things VALUES ($id, 'undone')"} {
		if _, err := tx.Exec(ctx, withID(sql, g.Tenant)); err != nil {
			return err
		}
	}
	if g.random.IntN(2) == 0 {
		if _, err := tx.Exec(ctx, "SELECT 1/0"); sqlstate(err) != "22012" {
			return err
		}
	}
	if _, err := tx.Exec(ctx, "ROLLBACK TO s"); err != nil {
		return err
	}
	if err := g.reads(ctx, tx, "SELECT owner, pg_backend_pid() FROM things LIMIT 2"); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, insertThing, g.ID); err != nil {
		return err
	}
	if !commit {
		return tx.Rollback(ctx)
	}
	g.written = 2
	return tx.Commit(ctx)
}

func (g *gust) panics(ctx context.Context) (err error) {
	defer func() {
		if p := recover(); p != nil && p != errMeant { //nolint:errorlint // the very value
			panic(p)
		}
	}()
	return g.Access.(Transactor).InTx(ctx, func(s Session) error {
		if _, err := s.Exec(ctx, insertThing, g.ID); err != nil {
			return err
		}
		panic(errMeant)
	})
}

func (g *gust) copyIn(ctx context.Context) error {
	n := 1 + g.random.IntN(20)
	data := things(g.Tenant, n)
	if g.random.IntN(4) == 0 {
		_, err := g.Access.(Copier).CopyIn(ctx, "things", thingsColumns(), append(data, []any{nil, "bad"}))
		if sqlstate(err) == "23502" {
			return nil
		}
		return err
	}
	copied, err := g.Access.(Copier).CopyIn(ctx, "things", thingsColumns(), data)
	g.written = copied
	return err
}

func (g *gust) batch(ctx context.Context) error {
	g.written = 1
	var foreign error
	err := g.Access.(Batcher).Batch(ctx,
		Statement{SQL: insertThing, Args: []any{g.ID}},
		Statement{SQL: "SELECT owner, pg_backend_pid() FROM things LIMIT 2", Row: g.each(&foreign)},
		Statement{SQL: "SELECT owner, pg_backend_pid() FROM people WHERE mood = $1", Args: []any{label(g.ID)}, Row: g.each(&foreign)})
	if err != nil {
		return err
	}
	return foreign
}

func (g *gust) batchFails(ctx context.Context) error {
	err := g.Access.(Batcher).Batch(ctx, Statement{SQL: insertThing, Args: []any{g.ID}}, Statement{SQL: "SELECT 1/(n - n) FROM things"})
	if sqlstate(err) == "22012" {
		return nil
	}
	return err
}

func (g *gust) batchControl(ctx context.Context) error {
	end := pick(g.random, []string{"COMMIT", "ROLLBACK", "ROLLBACK AND CHAIN"})
	return onlyContext(g.Access.(Batcher).Batch(ctx,
		Statement{SQL: "BEGIN"}, Statement{SQL: insertThing, Args: []any{g.ID}}, Statement{SQL: end}, Statement{SQL: insertThing, Args: []any{g.ID}}))
}

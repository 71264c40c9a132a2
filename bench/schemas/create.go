package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"

	"github.com/cotenant/cotenant/bench/internal/large"
	"github.com/cotenant/cotenant/bench/internal/report"
	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/registry"
)

// creator makes the schema of the i-th tenant.
type creator func(ctx context.Context, i int) error

// create makes the table of new tenants.
func (b *bench) create(ctx context.Context) (*report.Table, error) {
	dir, err := b.largeApps()
	if err != nil {
		return nil, err
	}
	t := &report.Table{
		Title: "Creating a tenant",
		Note: fmt.Sprintf("A schema of %d tables with as many sequences, %d indexes and %d foreign keys, two of them to shared tables. Bare pgx sends CREATE SCHEMA and the same "+
			"statements in one transaction, one a message and all in one go, and neither a tenant's row nor a history. Tenants a second, and as a ratio to bare pgx.", large.Tables, large.Indexes, large.References),
		Header: []string{"workers", "bare pgx", "cotenant", "to bare pgx"},
	}
	b.log.Info("measuring", "table", "create")
	var all []*report.Contender
	workers := []int{1, 2}
	for _, n := range workers {
		bare, closeBare, err := b.bareCreator(ctx, dir, n)
		if err != nil {
			return nil, err
		}
		defer closeBare()
		ours, closeOurs, err := b.ourCreator(ctx, dir, n)
		if err != nil {
			return nil, err
		}
		defer closeOurs()
		all = append(all, b.creation(ctx, bare, n), b.creation(ctx, ours, n))
	}
	if err := report.Interleave(ctx, all, 2*b.rounds); err != nil {
		return nil, err
	}
	for _, n := range workers {
		if err := b.sameSchemas(ctx, n); err != nil {
			return nil, err
		}
	}
	for i, n := range workers {
		bare, ours := all[2*i], all[2*i+1]
		t.Rows = append(t.Rows, []string{fmt.Sprint(n), fmt.Sprintf("%.1f", bare.Value()), fmt.Sprintf("%.1f", ours.Value()), fmt.Sprintf("%.2f", ours.Ratio(bare))})
	}
	return t, nil
}

// creation is a turn: some tenants, by several at a time.
func (b *bench) creation(ctx context.Context, create creator, workers int) *report.Contender {
	made := 0
	return &report.Contender{Measure: func() (float64, error) {
		if err := execute(ctx, b.url, "CHECKPOINT"); err != nil {
			return 0, err
		}
		start := time.Now()
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(workers)
		for i := range b.created {
			group.Go(func() error { return create(ctx, made+i) })
		}
		if err := group.Wait(); err != nil {
			return 0, err
		}
		made += b.created
		return float64(b.created) / time.Since(start).Seconds(), nil
	}}
}

// ourCreator has the registry of a tenancy.
func (b *bench) ourCreator(ctx context.Context, dir string, workers int) (creator, func(), error) {
	url, err := b.database(ctx, fmt.Sprintf("create_ours_%d", workers), "template0")
	if err != nil {
		return nil, nil, err
	}
	t, err := open(ctx, url, dir, nil)
	if err != nil {
		return nil, nil, err
	}
	if err := t.Migrate(ctx); err != nil {
		t.Close()
		return nil, nil, err
	}
	return func(ctx context.Context, i int) error {
		_, err := t.Registry().Create(ctx, registry.CreateParams{Schema: schemaName(i)})
		return err
	}, t.Close, nil
}

// bareCreator has connections of its own, one for each worker.
func (b *bench) bareCreator(ctx context.Context, dir string, workers int) (creator, func(), error) {
	url, err := b.database(ctx, fmt.Sprintf("create_bare_%d", workers), "template0")
	if err != nil {
		return nil, nil, err
	}
	t, err := open(ctx, url, dir, nil) // both databases have the same in public
	if err != nil {
		return nil, nil, err
	}
	err = t.Migrate(ctx)
	t.Close()
	if err != nil {
		return nil, nil, err
	}
	conns := make(chan *pgconn.PgConn, workers)
	closeAll := func() {
		for range len(conns) {
			_ = (<-conns).Close(context.WithoutCancel(ctx))
		}
	}
	for range workers {
		conn, err := pgconn.Connect(ctx, url)
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		conns <- conn
	}
	statements := large.SQL()
	return func(ctx context.Context, i int) error {
		conn := <-conns
		defer func() { conns <- conn }()
		schema := schemaName(i)
		batch := &pgconn.Batch{}
		for _, sql := range []string{"BEGIN", "CREATE SCHEMA " + searchpath.Quote(schema), "SET LOCAL search_path TO " + searchpath.For(schema)} {
			batch.ExecParams(sql, nil, nil, nil, nil)
		}
		for _, sql := range statements {
			batch.ExecParams(sql, nil, nil, nil, nil)
		}
		batch.ExecParams("COMMIT", nil, nil, nil, nil)
		return conn.ExecBatch(ctx, batch).Close()
	}, closeAll, nil
}

// countSQL counts what the tenants' schemas hold, without the history's table.
const countSQL = `SELECT count(DISTINCT n.oid), count(*) FILTER (WHERE c.relkind = 'r'), count(*) FILTER (WHERE c.relkind = 'S'), count(*) FILTER (WHERE c.relkind = 'i'),
	(SELECT count(*) FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_namespace m ON m.oid = k.connamespace WHERE k.contype = 'f' AND m.nspname LIKE 'tenant\_%')
	FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid
	WHERE n.nspname LIKE 'tenant\_%' AND c.relname NOT LIKE 'cotenant%'`

// sameSchemas looks that both ways made the schemas that were asked for.
func (b *bench) sameSchemas(ctx context.Context, workers int) error {
	made := (2*b.rounds + 1) * b.created
	want := [5]int{made, made * large.Tables, made * large.Tables, made * large.Indexes, made * large.References}
	for _, way := range []string{"bare", "ours"} {
		name := fmt.Sprintf("create_%s_%d", way, workers)
		url, err := b.addressOf(name)
		if err != nil {
			return err
		}
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		var got [5]int
		err = conn.QueryRow(ctx, countSQL).Scan(&got[0], &got[1], &got[2], &got[3], &got[4])
		if err := errors.Join(err, conn.Close(ctx)); err != nil {
			return err
		}
		if got != want {
			return fmt.Errorf("%s has schemas, tables, sequences, indexes and foreign keys %v, want %v", name, got, want)
		}
	}
	return nil
}

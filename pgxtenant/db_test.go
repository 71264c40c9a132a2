package pgxtenant_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/tenant"
)

const twoTenants = `
	CREATE TABLE things (name text);
	CREATE SCHEMA a; CREATE TABLE a.things (name text);
	CREATE SCHEMA b; CREATE TABLE b.things (name text);`

// statements are the methods that DB, Conn and transactions have in common.
type statements interface {
	Begin(ctx context.Context) (pgx.Tx, error)
	CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error)
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// calls writes a row in every way there is.
func calls(ctx context.Context, s statements) map[string]func() error {
	const sql = "INSERT INTO things VALUES ($1) RETURNING name"
	batch := func() pgx.BatchResults {
		b := &pgx.Batch{}
		b.Queue(sql, "x")
		return s.SendBatch(ctx, b)
	}
	var name string
	return map[string]func() error{
		"Exec": func() error { _, err := s.Exec(ctx, sql, "x"); return err },
		"Query": func() error {
			rows, err := s.Query(ctx, sql, "x")
			if err != nil {
				rows.Close()
				return err
			}
			_, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[string])
			return err
		},
		"QueryRow": func() error { return s.QueryRow(ctx, sql, "x").Scan(&name) },
		"CopyFrom": func() error {
			_, err := s.CopyFrom(ctx, pgx.Identifier{"things"}, []string{"name"}, pgx.CopyFromRows([][]any{{"x"}}))
			return err
		},
		"Begin": func() error {
			tx, err := s.Begin(ctx)
			if err != nil {
				return err
			}
			_, err = tx.Exec(ctx, sql, "x")
			return errors.Join(err, tx.Commit(ctx))
		},
		"SendBatch, Exec":     func() error { r := batch(); _, err := r.Exec(); return errors.Join(err, r.Close()) },
		"SendBatch, QueryRow": func() error { r := batch(); return errors.Join(r.QueryRow().Scan(&name), r.Close()) },
		"SendBatch, Query": func() error {
			r := batch()
			rows, err := r.Query()
			if err == nil {
				_, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[string])
			}
			return errors.Join(err, r.Close())
		},
		"SendBatch, Close": func() error { return batch().Close() },
	}
}

// Every way to write reaches the schema of the tenant in the context, and says in
// the same words that it is gone.
func TestDBCalls(t *testing.T) {
	t.Parallel()

	db := newDB(t, twoTenants, one)
	a, b, gone := as(t, 1, "a"), as(t, 2, "b"), as(t, 3, "gone")
	n := 0
	for name := range calls(a, db) {
		n++
		for _, ctx := range []context.Context{a, b} {
			if err := calls(ctx, db)[name](); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		err := calls(gone, db)[name]()
		if !errors.Is(err, tenant.ErrSchemaNotFound) || !strings.Contains(err.Error(), `tenant "gone"`) {
			t.Errorf("%s with a schema that is gone: %v", name, err)
		}
	}
	var public, inA, inB int
	err := db.QueryRow(tenant.Public(t.Context()), "SELECT (SELECT count(*) FROM public.things), (SELECT count(*) FROM a.things), (SELECT count(*) FROM b.things)").Scan(&public, &inA, &inB)
	if err != nil || public != 0 || inA != n || inB != n {
		t.Errorf("rows in public, a, b: %d, %d, %d, %v; want 0, %d, %[5]d", public, inA, inB, err, n)
	}
}

// A transaction and a connection refuse another tenant's context, and none, before
// anything is sent; the tenant's own goes on.
func TestOtherTenant(t *testing.T) {
	t.Parallel()

	tracer := &tracer{}
	db := newDB(t, twoTenants, func(c *pgxpool.Config) { c.ConnConfig.Tracer = tracer })
	a, b := as(t, 1, "a"), as(t, 2, "b")
	conn, err := db.Acquire(a)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	tx, err := db.Begin(a)
	if err != nil {
		t.Fatal(err)
	}
	savepoint, err := tx.Begin(a)
	if err != nil {
		t.Fatal(err)
	}
	for what, s := range map[string]statements{"connection": conn, "transaction": tx, "savepoint": savepoint} {
		for who, ctx := range map[error]context.Context{tenant.ErrOtherTenant: b, tenant.ErrNoTenant: t.Context()} {
			before := tracer.count()
			for name, call := range calls(ctx, s) {
				if err := call(); !errors.Is(err, who) {
					t.Errorf("%s on a %s: %v; want %v", name, what, err, who)
				}
			}
			if n := tracer.count() - before; n != 0 {
				t.Errorf("%d statements were sent on a %s", n, what)
			}
		}
	}
	for name, call := range calls(a, savepoint) {
		if err := call(); err != nil {
			t.Errorf("%s by the tenant itself: %v", name, err)
		}
	}
	// Committing and rolling back must work whatever the context.
	if err := errors.Join(savepoint.Rollback(t.Context()), tx.Commit(t.Context())); err != nil {
		t.Error(err)
	}
	var rows int
	if err := conn.QueryRow(a, "SELECT count(*) FROM things").Scan(&rows); err != nil || rows != 0 {
		t.Errorf("%d rows, %v", rows, err)
	}
}

// Whatever the mode of pgx, whatever comes first on a connection after another
// tenant, by way of DB or of its pool, is in the tenant's schema.
func TestFirstCall(t *testing.T) {
	t.Parallel()

	for _, mode := range []pgx.QueryExecMode{
		pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec,
		pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol,
	} {
		db := newDB(t, twoTenants, one, func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = mode })
		a, b := as(t, 1, "a"), as(t, 2, "b")
		rows := func() (public, inA, inB int) {
			err := db.QueryRow(tenant.Public(t.Context()), "SELECT (SELECT count(*) FROM public.things), (SELECT count(*) FROM a.things), (SELECT count(*) FROM b.things)").Scan(&public, &inA, &inB)
			if err != nil {
				t.Fatal(err)
			}
			return public, inA, inB
		}
		n := 0
		for way, s := range map[string]statements{"DB": db, "Pool": db.Pool()} {
			for name := range calls(a, s) {
				for range 2 {
					n++
					if err := errors.Join(calls(a, s)[name](), calls(b, s)[name]()); err != nil {
						t.Errorf("%v: %s of %s: %v", mode, name, way, err)
					}
					if public, inA, inB := rows(); public != 0 || inA != n || inB != n {
						t.Fatalf("%v: %s of %s: rows in public, a, b: %d, %d, %d; want 0, %d, %[7]d", mode, name, way, public, inA, inB, n)
					}
				}
			}
		}
	}
}

// A batch that begins a transaction gives it out as the tenant's own.
func TestBatchTx(t *testing.T) {
	t.Parallel()

	db := newDB(t, twoTenants)
	a, b := as(t, 1, "a"), as(t, 2, "b")
	batch := &pgx.Batch{}
	batch.BeginTx(pgx.TxOptions{})
	batch.Queue("INSERT INTO things VALUES ('x')")
	results := db.SendBatch(a, batch)
	tx := results.Tx()
	if _, err := results.Exec(); err != nil {
		t.Fatal(err)
	}
	if err := results.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(b, "SELECT 1"); !errors.Is(err, tenant.ErrOtherTenant) {
		t.Errorf("another tenant's call: %v", err)
	}
	if _, err := tx.Exec(a, "INSERT INTO things VALUES ('y')"); err != nil {
		t.Error(err)
	}
	if err := tx.Commit(a); err != nil {
		t.Error(err)
	}
	refused := db.SendBatch(t.Context(), batch).Tx()
	if _, err := refused.Exec(a, "SELECT 1"); !errors.Is(err, tenant.ErrNoTenant) {
		t.Errorf("the transaction of a refused batch: %v", err)
	}
	for _, err := range []error{refused.Commit(a), refused.Rollback(a)} {
		if !errors.Is(err, tenant.ErrNoTenant) {
			t.Errorf("the end of it: %v", err)
		}
	}
}

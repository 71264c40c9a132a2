package pgxtenant_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/pgxtenant"
)

// modes are all there are.
var modes = []pgxtenant.Mode{pgxtenant.OnChange, pgxtenant.EveryAcquire, pgxtenant.Transaction}

// newPooledDB returns a DB in the mode Transaction behind a pooler, and the URL of that.
func newPooledDB(t *testing.T, setup string) (db *pgxtenant.DB, through string) {
	t.Helper()
	address := testdb.New(t)
	plain, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close(t.Context())
	if _, err := plain.Exec(t.Context(), setup); err != nil {
		t.Fatal(err)
	}
	through = testdb.PgBouncer(t, address, "transaction")
	config, err := pgxpool.ParseConfig(through)
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = 2
	db, err = pgxtenant.New(t.Context(), config, &pgxtenant.Config{Mode: pgxtenant.Transaction})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db, through
}

// What would stay in the pooler's session, for another tenant or another program, is
// refused, also beside what nobody knows, and in a transaction.
func TestLeavesNothingBehindPooler(t *testing.T) {
	t.Parallel()

	db, through := newPooledDB(t, twoTenants+"CREATE PROCEDURE public.noop() LANGUAGE sql AS 'SELECT 1'")
	ctx := as(t, 1, "a")
	for _, sql := range []string{
		"SET search_path TO a", "SET SCHEMA 'a'", "SET SESSION search_path = a", "RESET search_path", "BEGIN; SET search_path TO a; COMMIT",
		"SET lock_timeout = 77; CALL public.noop()", "SELECT pg_advisory_lock(1); CALL public.noop()",
		"DO $$ BEGIN /* commit */ PERFORM set_config('search_path', 'a', false); END $$", "LOAD 'plpgsql'",
	} {
		for name, err := range map[string]error{
			"DB":     func() error { _, err := db.Exec(ctx, sql); return err }(),
			"Query":  func() error { return db.QueryRow(ctx, sql, pgx.QueryExecModeExec).Scan() }(),
			"within": db.BeginFunc(ctx, func(tx pgx.Tx) error { _, err := tx.Exec(ctx, sql); return err }),
			"batch":  func() error { b := &pgx.Batch{}; b.Queue(sql); return db.SendBatch(ctx, b).Close() }(),
		} {
			if err == nil || name == "DB" && !errors.Is(err, pgxtenant.ErrLeaves) { // some are no single statement
				t.Errorf("%s, %s: %v", sql, name, err)
			}
		}
	}
	if err := db.AcquireFunc(ctx, func(c *pgxtenant.Conn) error { _, err := c.Conn().Prepare(ctx, "x", "SELECT 1"); return err }); !errors.Is(err, pgxtenant.ErrPrepared) {
		t.Errorf("a name: %v", err)
	}
	config, err := pgx.ParseConfig(through)
	if err != nil {
		t.Fatal(err)
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	other, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close(t.Context())
	for range 5 {
		if _, err := other.Exec(t.Context(), "INSERT INTO things VALUES ('of another program')"); err != nil {
			t.Error(err)
		}
	}
	var n, names int
	err = other.QueryRow(t.Context(), "SELECT (SELECT count(*) FROM public.things), (SELECT count(*) FROM pg_prepared_statements)").Scan(&n, &names)
	if err != nil || n != 5 || names != 0 {
		t.Errorf("%d rows in public, %d statements, %v", n, names, err)
	}
}

// A transaction that failed is rolled back in a pipeline, too.
func TestPipelineRollback(t *testing.T) {
	t.Parallel()

	for _, mode := range modes {
		db := newDBWith(t, &pgxtenant.Config{Mode: mode}, twoTenants, one)
		ctx := as(t, 1, "a")
		err := db.AcquireFunc(ctx, func(c *pgxtenant.Conn) error {
			if _, err := c.Exec(ctx, "SELECT $1::int", 1); err != nil {
				return err
			}
			p := c.Conn().PgConn().StartPipeline(ctx)
			for _, sql := range []string{"BEGIN", "SELECT 1/0", "ROLLBACK"} {
				p.SendQueryParams(sql, nil, nil, nil, nil)
				_ = p.Sync()
			}
			_ = p.Close()
			if status := c.Conn().PgConn().TxStatus(); status != 'I' {
				t.Errorf("%v: the transaction is %c", mode, status)
			}
			return nil
		})
		if err != nil {
			t.Errorf("%v: %v", mode, err)
		}
	}
}

// A batch begins a transaction with options in every mode.
func TestBatchIsolation(t *testing.T) {
	t.Parallel()

	for _, mode := range modes {
		db := newDBWith(t, &pgxtenant.Config{Mode: mode}, twoTenants, one)
		for range 3 { // in turns, and then on the path that is right already
			for _, schema := range []string{"a", "b", "b"} {
				ctx := as(t, int64(schema[0]), schema)
				b := &pgx.Batch{}
				b.Queue("BEGIN ISOLATION LEVEL SERIALIZABLE")
				b.Queue("INSERT INTO things VALUES ($1)", schema)
				b.Queue("COMMIT")
				if err := db.SendBatch(ctx, b).Close(); err != nil {
					t.Errorf("%v: %v", mode, err)
				}
			}
		}
		var rows string
		err := db.QueryRow(as(t, 1, "a"), "SELECT (SELECT count(*) FROM public.things) || ',' || (SELECT count(*) FROM a.things WHERE name = 'a') || ',' || (SELECT count(*) FROM b.things WHERE name = 'b')").Scan(&rows)
		if err != nil || rows != "0,3,6" {
			t.Errorf("%v: rows in public, a, b: %s, %v", mode, rows, err)
		}
	}
}

package pgxtenant_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/pgxtenant"
	"github.com/cotenant/cotenant/tenant"
)

// What pools shows what it does.
func TestDetectPooling(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	for url, want := range map[string]pgxtenant.Pooling{
		address:                                 pgxtenant.NoPooling,
		testdb.PgBouncer(t, address, "session"): pgxtenant.SessionPooling,
		testdb.PgBouncer(t, address, "transaction"): pgxtenant.TransactionPooling,
		testdb.PgBouncer(t, address, "statement"):   pgxtenant.TransactionPooling,
	} {
		got, err := pgxtenant.DetectPooling(t.Context(), func(ctx context.Context) (*pgx.Conn, error) { return pgx.Connect(ctx, url) })
		if err != nil || got != want {
			t.Errorf("%v, %v; want %v", got, err, want)
		}
	}
	_, err := pgxtenant.DetectPooling(t.Context(), func(context.Context) (*pgx.Conn, error) { return nil, errors.New("no") })
	if err == nil || err.Error() != "no" {
		t.Errorf("without a connection: %v", err)
	}
}

// console changes how the PgBouncer at address pools, as its administrator.
func console(t *testing.T, address string) (change func(mode string)) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/pgbouncer"
	config, err := pgx.ParseConfig(u.String())
	if err != nil {
		t.Fatal(err)
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return func(mode string) {
		if _, err := conn.PgConn().Exec(t.Context(), "SET pool_mode = '"+mode+"'").ReadAll(); err != nil {
			t.Error(err)
		}
	}
}

// A pooler that is told otherwise under way makes calls fail, if anything: none
// reaches another tenant's rows.
func TestPoolerChanges(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	setup, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := setup.Exec(t.Context(), twoTenants); err != nil {
		t.Fatal(err)
	}
	if err := setup.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	pooled := testdb.PgBouncer(t, address, "session")
	config, err := pgxpool.ParseConfig(pooled)
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = 6
	db, err := pgxtenant.New(t.Context(), config, &pgxtenant.Config{Mode: pgxtenant.Transaction})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	change := console(t, pooled)
	modes := strings.Fields("transaction statement session")
	var wg sync.WaitGroup
	for i := range 8 {
		schema := string(rune('a' + i%2))
		ctx := as(t, 1+int64(i%2), schema)
		wg.Go(func() {
			for n := range 40 {
				if i == 0 {
					change(modes[n%len(modes)])
				}
				var in string
				err := db.QueryRow(ctx, "INSERT INTO things VALUES ($1) RETURNING tableoid::regclass::text || current_schema()", schema).Scan(&in)
				if err == nil && in != "things"+schema {
					t.Errorf("%q; want things in %q", in, schema)
				}
				_ = db.BeginFunc(ctx, func(tx pgx.Tx) error {
					_, err := tx.Exec(ctx, "INSERT INTO things VALUES ($1)", schema)
					return err
				})
			}
		})
	}
	wg.Wait()
	change("transaction")
	var strays int
	err = db.QueryRow(as(t, 1, "a"), "SELECT (SELECT count(*) FROM public.things) + (SELECT count(*) FROM a.things WHERE name <> 'a') + (SELECT count(*) FROM b.things WHERE name <> 'b')").Scan(&strays)
	if err != nil || strays != 0 {
		t.Errorf("%d rows where they do not belong, %v", strays, err)
	}
}

// In the mode Transaction, what takes two sessions for one is refused before
// anything is sent, and the connection stays.
func TestTransactionModeRefuses(t *testing.T) {
	t.Parallel()

	db := newDBWith(t, &pgxtenant.Config{Mode: pgxtenant.Transaction}, twoTenants, one)
	ctx := as(t, 1, "a")
	pid := func() (pid int) {
		if err := db.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&pid); err != nil {
			t.Error(err)
		}
		return pid
	}
	before := pid()
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeDescribeExec} {
		for name, err := range map[string]error{
			"DB":   func() error { _, err := db.Exec(ctx, "INSERT INTO things VALUES ($1)", mode, "x"); return err }(),
			"Pool": func() error { _, err := db.Pool().Exec(ctx, "INSERT INTO things VALUES ($1)", mode, "x"); return err }(),
		} {
			if err == nil || !strings.Contains(err.Error(), "QueryExecModeCacheDescribe") {
				t.Errorf("%s, %v: %v", name, mode, err)
			}
		}
	}
	if after := pid(); after != before {
		t.Errorf("the connection was replaced: %d, %d", before, after)
	}
}

// In the mode Transaction, a transaction may have any options, however it is begun.
func TestTransactionModeOptions(t *testing.T) {
	t.Parallel()

	db := newDBWith(t, &pgxtenant.Config{Mode: pgxtenant.Transaction}, twoTenants, one)
	const isolation = "SELECT current_setting('transaction_isolation') || ' in ' || current_schema()"
	for _, schema := range []string{"a", "b", "gone"} {
		ctx := as(t, int64(schema[0]), schema)
		for name, begin := range map[string]func(options pgx.TxOptions) (pgx.Tx, error){
			"BeginTx": func(options pgx.TxOptions) (pgx.Tx, error) { return db.BeginTx(ctx, options) },
			"Batch.BeginTx": func(options pgx.TxOptions) (pgx.Tx, error) {
				batch := &pgx.Batch{}
				batch.BeginTx(options)
				batch.Queue("INSERT INTO things VALUES ('x')")
				results := db.SendBatch(ctx, batch)
				return results.Tx(), results.Close()
			},
			"SET TRANSACTION": func(options pgx.TxOptions) (pgx.Tx, error) {
				tx, err := db.Begin(ctx)
				if err == nil {
					_, err = tx.Exec(ctx, "SET TRANSACTION ISOLATION LEVEL "+string(options.IsoLevel))
				}
				return tx, err
			},
		} {
			var got string
			tx, err := begin(pgx.TxOptions{IsoLevel: pgx.Serializable})
			if err == nil {
				err = tx.QueryRow(ctx, isolation).Scan(&got)
			}
			if schema == "gone" {
				if !errors.Is(err, tenant.ErrSchemaNotFound) {
					t.Errorf("%s without the schema: %q, %v", name, got, err)
				}
			} else if err != nil || got != "serializable in "+schema {
				t.Errorf("%s: %q, %v", name, got, err)
			}
			if tx != nil {
				if err := tx.Rollback(ctx); err != nil && !errors.Is(err, pgx.ErrTxClosed) {
					t.Errorf("%s: roll back: %v", name, err)
				}
			}
		}
	}
}

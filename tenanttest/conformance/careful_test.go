package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/tenant"
	"github.com/cotenant/cotenant/tenanttest/conformance"
)

// careful is a way in that is right, whatever it costs: each call is a transaction
// that sets the path and proves, in front and behind, that the schema is the same.
// It is what the suite must find no fault with.
type careful struct{ pool *pgxpool.Pool }

func openCareful(ctx context.Context, url string, connections int) (conformance.Access, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns = int32(connections)
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec
	pool, err := pgxpool.NewWithConfig(ctx, config)
	return careful{pool}, err
}

func (c careful) Close() { c.pool.Close() }

func (c careful) Exec(ctx context.Context, sql string, args ...any) (n int64, err error) {
	err = c.do(ctx, func(tx conformance.Tx) error { n, err = tx.Exec(ctx, sql, args...); return err })
	return n, err
}

func (c careful) Query(ctx context.Context, row conformance.Row, sql string, args ...any) error {
	return c.do(ctx, func(tx conformance.Tx) error { return tx.Query(ctx, row, sql, args...) })
}

func (c careful) InTx(ctx context.Context, f func(conformance.Session) error) error {
	return c.do(ctx, func(tx conformance.Tx) error { return f(tx) })
}

func (c careful) do(ctx context.Context, f func(conformance.Tx) error) error {
	tx, err := c.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(context.WithoutCancel(ctx))
	if err := f(tx); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

func (c careful) Begin(ctx context.Context) (conformance.Tx, error) {
	t, err := tenant.Settled(ctx)
	if err != nil {
		return nil, err
	}
	conn, err := c.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	tx := &carefulTx{conn: conn, tenant: t}
	if _, err := conn.Exec(ctx, "BEGIN"); err != nil {
		tx.end(ctx)
		return nil, err
	}
	if err := tx.prove(ctx); err != nil {
		tx.end(ctx)
		return nil, err
	}
	return tx, nil
}

// carefulTx is a transaction of a tenant.
type carefulTx struct {
	conn   *pgxpool.Conn
	tenant *tenant.Tenant
	seen   string // the schema's row: its oid, and the transaction that wrote it
	gone   error  // a proof failed: nothing is committed
	ended  bool
}

// prove sets the path, and finds the schema that it found at first, which nobody has
// renamed meanwhile, not even to bring it back.
func (tx *carefulTx) prove(ctx context.Context) error {
	var seen string
	err := tx.conn.QueryRow(ctx, "SELECT oid || ' ' || xmin::text FROM pg_catalog.pg_namespace, pg_catalog.set_config('search_path', $1, true) WHERE nspname = $2",
		pgx.QueryExecModeExec, searchpath.For(tx.tenant.Schema), tx.tenant.Schema.String()).Scan(&seen)
	if err == nil && tx.seen != "" && seen != tx.seen {
		err = fmt.Errorf("%v: the schema was changed", tx.tenant)
	}
	if err != nil {
		tx.gone = err
		return err
	}
	tx.seen = seen
	return nil
}

// control are the statements that would end the transaction under us.
var control = regexp.MustCompile(`(?i)\b(abort|begin|commit|end|prepare|rollback|start)\b`)

func (tx *carefulTx) guard(ctx context.Context, sql string, f func() error) error {
	if s := strings.ToUpper(sql); control.MatchString(sql) && !strings.HasPrefix(s, "DO ") && !strings.HasPrefix(s, "ROLLBACK TO ") {
		return errors.New("transaction control in a text")
	}
	if tx.conn.Conn().PgConn().TxStatus() == 'T' {
		if err := tx.prove(ctx); err != nil {
			return err
		}
	}
	if err := f(); err != nil {
		return err
	}
	if tx.conn.Conn().PgConn().TxStatus() == 'T' {
		return tx.prove(ctx)
	}
	return nil
}

func (tx *carefulTx) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	var n int64
	err := tx.guard(ctx, sql, func() error {
		tag, err := tx.conn.Exec(ctx, sql, args...)
		n = tag.RowsAffected()
		return err
	})
	return n, err
}

func (tx *carefulTx) Query(ctx context.Context, row conformance.Row, sql string, args ...any) error {
	return tx.guard(ctx, sql, func() error {
		rows, err := tx.conn.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := row(rows.Scan); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

func (tx *carefulTx) Commit(ctx context.Context) error {
	if tx.ended {
		return pgx.ErrTxClosed
	}
	defer tx.end(ctx)
	if tx.gone != nil {
		return tx.gone
	}
	_, err := tx.conn.Exec(ctx, "COMMIT")
	return err
}

func (tx *carefulTx) Rollback(ctx context.Context) error {
	if tx.ended {
		return pgx.ErrTxClosed
	}
	_, err := tx.conn.Exec(ctx, "ROLLBACK")
	tx.end(ctx)
	return err
}

// end leaves nothing on the connection.
func (tx *carefulTx) end(ctx context.Context) {
	tx.ended = true
	if tx.conn.Conn().PgConn().TxStatus() != 'I' {
		_ = tx.conn.Conn().Close(ctx)
	} else if _, err := tx.conn.Exec(ctx, "DISCARD ALL"); err != nil {
		_ = tx.conn.Conn().Close(ctx)
	}
	tx.conn.Release()
}

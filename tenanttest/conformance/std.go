package conformance

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/cotenant/cotenant/tenant"
)

// stdTraps are what database/sql does by itself, and what an application can do to it.
func stdTraps() []trap {
	return []trap{
		{"database/sql: calls without a context", withoutContext},
		{"database/sql: a connection that nobody has used yet", unused},
		{"database/sql: no idle connections", func(tr *trial) { tr.pooled(func(db *sql.DB) { db.SetMaxIdleConns(-1) }) }},
		{"database/sql: connections that age", func(tr *trial) { tr.pooled(func(db *sql.DB) { db.SetConnMaxLifetime(time.Millisecond) }) }},
		{"database/sql: connections opened in the background", background},
		{"database/sql: sent below the wrapper", below},
		{"database/sql: settings below the wrapper", belowCarried},
		{"database/sql: a transaction left open below the wrapper", belowOpen},
		{"database/sql: Raw panics, or says that the connection is bad", belowBad},
	}
}

// std returns what the way in is made of.
func (tr *trial) std() *sql.DB {
	tr.Helper()
	return needs[SQL](tr).DB
}

// withoutContext: there is no tenant, whoever began what they are made on.
func withoutContext(tr *trial) {
	const write = "INSERT INTO things VALUES (0, 'no context')"
	db := tr.std()
	exec := func(f func(string, ...any) (sql.Result, error)) func() error {
		return func() error { _, err := f(write); return err }
	}
	query := func(f func(string, ...any) *sql.Row) func() error {
		return func() error { var owner int64; return f(ownerOfThings).Scan(&owner) }
	}
	prepare := func(f func(string) (*sql.Stmt, error)) func() error {
		return func() error {
			stmt, err := f(write)
			if err != nil {
				return err
			}
			defer stmt.Close()
			_, err = stmt.Exec() //nolint:noctx // that is it
			return err
		}
	}
	tr.runs(tr.as(tr.a), tr.preparedBy(needs[SQL](tr), tr.a), tr.a)
	tr.mustBe("DB.Exec", exec(db.Exec)(), tenant.ErrNoTenant)
	tr.mustBe("DB.QueryRow", query(db.QueryRow)(), tenant.ErrNoTenant)
	tr.mustBe("DB.Prepare", prepare(db.Prepare)(), tenant.ErrNoTenant)
	tx, err := db.Begin() //nolint:noctx // that is it
	if err == nil {
		_, err = tx.Exec(write) //nolint:noctx // that is it
		_ = tx.Rollback()
	}
	tr.mustBe("DB.Begin", err, tenant.ErrNoTenant)
	stmt := tr.prepare(needs[SQL](tr), tr.a, write).(sqlStmt).stmt
	_, err = stmt.Exec() //nolint:noctx // that is it
	tr.mustBe("Stmt.Exec", err, tenant.ErrNoTenant)
	if tr.way.Owned {
		tx, err := db.BeginTx(tr.as(tr.a), nil)
		tr.must("begin", err)
		defer tx.Rollback()
		tr.mustBe("Tx.Exec", exec(tx.Exec)(), tenant.ErrNoTenant)
		tr.mustBe("Tx.QueryRow", query(tx.QueryRow)(), tenant.ErrNoTenant)
		tr.mustBe("Tx.Prepare", prepare(tx.Prepare)(), tenant.ErrNoTenant)
		within := tx.Stmt(stmt) //nolint:noctx // that is it
		defer within.Close()
		_, err = within.Exec() //nolint:noctx // that is it
		tr.mustBe("Tx.Stmt", err, tenant.ErrNoTenant)
		tr.must("commit", tx.Commit())
	}
	tr.owns(tr, tr.b)
}

// unused: a connection may be had without a tenant, and becomes that of the first who
// makes a call on it.
func unused(tr *trial) {
	for _, t := range []*tenant.Tenant{tr.a, tr.b} {
		conn, err := needs[SQL](tr).Acquire(tr.ctx)
		if err != nil {
			tr.mustBe("acquire", err, tenant.ErrNoTenant)
			return
		}
		_, err = conn.Exec(tr.ctx, "INSERT INTO things VALUES (0, 'nobody')")
		tr.mustBe("write", err, tenant.ErrNoTenant)
		tr.harmless("first call", tr.visit(conn, t))
		conn.Release()
		tr.owns(tr, tr.b)
		tr.owns(tr, tr.a)
	}
}

// pooled has a crowd work on a pool that is set like this.
func (tr *trial) pooled(set func(*sql.DB)) {
	needs[SQL](tr)
	access := tr.open(3).(SQL)
	set(access.DB)
	tr.crowd(access, 6, 15)
}

// background: where all connections are in use and one of them ends, database/sql
// opens the next in a goroutine of its own, with a context that has no tenant, and
// gives it to whoever waits.
func background(tr *trial) {
	db := tr.std()
	db.SetMaxOpenConns(1)
	db.SetMaxIdleConns(-1)
	db.SetConnMaxLifetime(time.Millisecond)
	tr.crowd(tr, 12, 10)
}

// send sends a text on what Raw is given, past what is scoped.
func send(ctx context.Context, raw any, text string) error {
	if conn := pgxOf(raw); conn != nil {
		_, err := conn.PgConn().Exec(ctx, text).ReadAll()
		return err
	}
	if c, ok := raw.(interface{ Unwrap() driver.Conn }); ok {
		raw = c.Unwrap()
	}
	execer, ok := raw.(driver.ExecerContext)
	if !ok {
		return fmt.Errorf("%T leads nowhere", raw)
	}
	_, err := execer.ExecContext(ctx, text, nil)
	return err
}

// below sends texts on a connection of the tenant, past what is scoped.
func (tr *trial) below(t *tenant.Tenant, texts ...string) {
	tr.Helper()
	conn, err := tr.std().Conn(tr.as(t))
	tr.must("connection", err)
	defer conn.Close()
	tr.must("ping", conn.PingContext(tr.as(t))) // so that there is one below
	tr.harmless("below", conn.Raw(func(c any) error {
		for _, text := range texts {
			if err := send(tr.as(t), c, text); err != nil {
				return err
			}
		}
		return nil
	}))
}

func below(tr *trial) {
	texts := openChanges()
	if tr.way.HiddenPath {
		texts = append(texts, hiddenChanges()...)
	}
	for _, text := range texts {
		for _, pair := range [][2]*tenant.Tenant{{tr.a, tr.b}, {tr.b, tr.a}} {
			tr.below(pair[0], withOther(text, pair[1]))
			tr.owns(tr, pair[0])
			tr.below(pair[0], withOther(text, pair[1]))
			tr.owns(tr, pair[1])
		}
	}
}

func belowCarried(tr *trial) {
	tr.std()
	tr.promises(tr.way.Clean)
	for _, c := range carried() {
		for _, pair := range [][2]*tenant.Tenant{{tr.a, tr.b}, {tr.b, tr.a}} {
			tr.below(pair[0], c.sql)
			n, err := one[int64](tr.as(pair[1]), tr, c.probe)
			tr.must("probe", err)
			if n != 0 {
				tr.Errorf("%q left by %v is found by %v", c.sql, pair[0], pair[1])
			}
		}
	}
}

// What the next tenant writes must not wait for a transaction that nobody ends.
func belowOpen(tr *trial) {
	for _, texts := range [][]string{
		{"BEGIN"},
		{withID(insertThing1, tr.a), "BEGIN", withID(insertThing1, tr.a)},
		{"BEGIN", "SELECT 1/0"},
		{"BEGIN READ ONLY"},
		{"BEGIN", "SET LOCAL search_path TO " + tr.b.Schema.String()},
	} {
		tr.below(tr.a, texts...)
		tr.durable(tr.b)
		tr.below(tr.a, texts...)
		tr.durable(tr.a)
	}
}

// insertThing1 is insertThing for protocols without parameters.
const insertThing1 = "INSERT INTO things VALUES ($id, 'below')"

// durable writes for a tenant, and looks for the row from elsewhere.
func (tr *trial) durable(t *tenant.Tenant) {
	tr.Helper()
	count := func() (n int64) {
		tr.must("count", tr.town.plain.QueryRow(tr.ctx, "SELECT count(*) FROM "+t.Schema.String()+".things").Scan(&n))
		return n
	}
	before := count()
	_, err := tr.Exec(tr.as(t), insertThing, t.ID)
	tr.must("write", err)
	if n := count() - before; n != 1 {
		tr.Errorf("%d rows of %v are there; want 1", n, t)
	}
	tr.owns(tr, t)
}

func belowBad(tr *trial) {
	db := tr.std()
	for _, f := range []func(any) error{
		func(any) error { return driver.ErrBadConn },
		func(c any) error {
			return errors.Join(send(tr.as(tr.a), c, "SET work_mem = '99kB'"), driver.ErrBadConn)
		},
		func(any) error { panic(errMeant) },
	} {
		conn, err := db.Conn(tr.as(tr.a))
		tr.must("connection", err)
		tr.owns(sqlConn{needs[SQL](tr).on(conn), conn}, tr.a)
		func() {
			defer func() { _ = recover() }() // what is meant to be
			tr.harmless("raw", conn.Raw(f))
		}()
		_ = conn.Close()
		tr.owns(tr, tr.b)
		tr.owns(tr, tr.a)
	}
}

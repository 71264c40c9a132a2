package sqltenant_test

import (
	"context"
	"database/sql/driver"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/sqltenant"
)

// converter connects to connections whose statements take values in their own way.
type converter struct {
	driver.Connector
	wrap func(contextStmt) driver.Stmt
}

func (c converter) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return convertingConn{conn.(contextConn), c.wrap}, nil
}

type convertingConn struct {
	contextConn
	wrap func(contextStmt) driver.Stmt
}

func (c convertingConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	stmt, err := c.contextConn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	return c.wrap(stmt.(contextStmt)), nil
}

type contextStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// Two ways in which a statement can take values: in upper case.
type (
	columnStmt struct{ contextStmt }
	namedStmt  struct{ contextStmt }
	upperCase  struct{}
)

func (columnStmt) ColumnConverter(int) driver.ValueConverter { return upperCase{} }

func (upperCase) ConvertValue(v any) (driver.Value, error) { return strings.ToUpper(v.(string)), nil }

func (namedStmt) CheckNamedValue(v *driver.NamedValue) error {
	v.Value = strings.ToUpper(v.Value.(string))
	return nil
}

// A statement takes values as the driver's does.
func TestStmtValues(t *testing.T) {
	t.Parallel()

	b := newBase(t, newPQ, twoTenants)
	for want, wrap := range map[string]func(contextStmt) driver.Stmt{
		"X": func(s contextStmt) driver.Stmt { return columnStmt{s} },
		"Y": func(s contextStmt) driver.Stmt { return namedStmt{s} },
		"z": func(s contextStmt) driver.Stmt { return s },
	} {
		connector, err := sqltenant.Wrap(converter{b.make(t, b.url, nil), wrap}, nil)
		if err != nil {
			t.Fatal(err)
		}
		stmt, err := opened(t, connector).PrepareContext(asA(t), "SELECT $1::text")
		if err != nil {
			t.Fatal(err)
		}
		defer stmt.Close()
		for _, ctx := range []context.Context{asA(t), asB(t)} {
			var got string
			if err := stmt.QueryRowContext(ctx, strings.ToLower(want)).Scan(&got); err != nil || got != want {
				t.Errorf("%q, %v; want %q", got, err, want)
			}
		}
	}
}

// deafConn goes on when the context of its transaction is done.
type deafConn struct{ contextConn }

func (c deafConn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	return c.contextConn.BeginTx(context.WithoutCancel(ctx), options)
}

// A connection that cannot be asked whether it is still good is replaced when a
// transaction ends with its context, as database/sql does it.
func TestDeafDriver(t *testing.T) {
	t.Parallel()

	b := newBase(t, newPQ, twoTenants)
	var closed bool
	connector, err := sqltenant.Wrap(closing{b.make(t, b.url, nil), func(c driver.Conn) driver.Conn { return deafConn{c.(contextConn)} }, &closed}, nil)
	if err != nil {
		t.Fatal(err)
	}
	db := opened(t, connector)
	before := pid(asA(t), t, db)
	for _, cancelled := range []bool{false, true} {
		ctx, cancel := context.WithCancel(asA(t))
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		if cancelled {
			cancel()
		} else if err := tx.Rollback(); err != nil {
			t.Error(err)
		}
		if replaced := pid(asA(t), t, db) != before; replaced != cancelled {
			t.Errorf("cancelled %t: replaced %t", cancelled, replaced)
		}
		cancel()
	}
}

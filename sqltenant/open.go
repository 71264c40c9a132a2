package sqltenant

import (
	"database/sql"
	"database/sql/driver"
)

// Source makes connections whose every call is scoped to the tenant in its context:
// a *pgxtenant.DB.
type Source interface {
	Connector() driver.Connector
}

// maxIdle is how many shells wait for their next use: they hold no connection, and
// each has to prepare a sql.Stmt anew.
const maxIdle = 256

// OpenDB returns a *sql.DB on the connections of source; see
// [github.com/cotenant/cotenant/pgxtenant.DB.Connector] for what holds. Nothing is
// sent. Closing it leaves source open.
func OpenDB(source Source) *sql.DB {
	db := sql.OpenDB(source.Connector())
	db.SetMaxIdleConns(maxIdle)
	return db
}

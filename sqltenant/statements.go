package sqltenant

import (
	"database/sql/driver"
	"errors"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/cotenant/cotenant/internal/scope"
)

// prepared is a statement of a driver that has all that is needed.
type prepared interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// statements are the prepared statements of a connection, for each tenant.
type statements = simplelru.LRU[key, prepared]

// key is a statement and the place that it was prepared for.
type key struct {
	stmt  *stmt
	place scope.Place
}

// maxStatements is how many are kept; each may take 25 KB or more of the server's
// memory.
const maxStatements = 2048

func newStatements() *statements {
	s, err := simplelru.NewLRU(maxStatements, func(k key, p prepared) {
		delete(k.stmt.places, k.place)
		k.stmt.closed = errors.Join(k.stmt.closed, p.Close())
	})
	if err != nil {
		panic(err) // the size is a constant
	}
	return s
}

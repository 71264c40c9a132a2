package sqltenant

import (
	"context"
	"database/sql/driver"
	"strings"
)

// isCopy reports whether query begins as COPY does, where lib/pq looks for it.
func isCopy(query string) bool { return len(query) >= 4 && strings.EqualFold(query[:4], "COPY") }

// copying is a COPY FROM STDIN of lib/pq, which is within a transaction: it has one
// owner.
type copying struct {
	driver.Stmt
	conn *conn
}

// ExecContext sends a row, or with none ends the copy.
func (s copying) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	if err := s.conn.enter(ctx); err != nil {
		return nil, err
	}
	values := make([]driver.Value, len(args))
	for i, arg := range args {
		values[i] = arg.Value
	}
	result, err := s.Exec(values) // lib/pq has no other
	return result, s.conn.noticed(err)
}

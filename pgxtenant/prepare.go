package pgxtenant

import (
	"context"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant/internal/scope"
)

// preparer is a connection or a transaction of pgx.
type preparer interface {
	Prepare(ctx context.Context, name, sql string) (*pgconn.StatementDescription, error)
}

// prepare prepares a statement of the application, with the owner's tag, on p.
func (s *session) prepare(ctx context.Context, p preparer, name, sql string) (*pgconn.StatementDescription, error) {
	text := sql
	if !scope.IsBlank(sql) {
		text += s.place.tag
	}
	if name == sql {
		name = text // pgx makes a name of the text, which is the owner's then
	}
	if other, ok := s.named[name]; ok && other != text {
		// Another tenant's, or the application's own before any tenant came.
		if err := s.conn.Deallocate(ctx, name); err != nil {
			return nil, err
		}
		delete(s.named, name)
	}
	s.call = call{text: text, sql: sql}
	return p.Prepare(ctx, name, text)
}

package pgxtenant

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant/internal/scope"
)

// prepare prepares a statement of the application, with the owner's tag, on tx.
func (s *session) prepare(ctx context.Context, tx pgx.Tx, name, sql string) (*pgconn.StatementDescription, error) {
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
	return tx.Prepare(ctx, name, text)
}

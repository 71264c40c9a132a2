package pgxtenant

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant/internal/scope"
	"github.com/cotenant/cotenant/pgxtenant/internal/wire"
)

// errReleased refuses a call on a connection that was given back.
var errReleased = errors.New("the connection was released (acquire another)")

// ownerOf returns the owner of what is begun with ctx; see scope.Of.
func (db *DB) ownerOf(ctx context.Context) (scope.Owner, error) {
	return scope.Of(ctx, db.config.Database)
}

// refused says in the words of the house that the owner's schema does not exist, if
// that is what err says.
func refused(o scope.Owner, err error) error {
	if err == nil {
		return nil // for each row of each tenant: before anything is allocated
	}
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && pgErr.Routine == wire.Routine {
		return o.Missing(err)
	}
	return err
}

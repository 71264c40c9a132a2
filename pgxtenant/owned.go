package pgxtenant

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant/pgxtenant/internal/wire"
	"github.com/cotenant/cotenant/tenant"
)

// ErrOtherTenant refuses a call, on a transaction or a connection of one tenant,
// with the context of another.
var ErrOtherTenant = errors.New("it belongs to another tenant than the context (begin or acquire with this context)")

// owned is what belongs to a tenant: a transaction, a connection.
type owned struct{ tenant *tenant.Tenant }

// check refuses a context of another tenant, or of none.
func (o owned) check(ctx context.Context) error {
	t, err := tenant.Settled(ctx)
	if err != nil {
		return err
	}
	if !t.Is(o.tenant) {
		return fmt.Errorf("%v on what was begun for %v: %w", t, o.tenant, ErrOtherTenant)
	}
	return nil
}

// refused says in the words of the house that the schema of t does not exist, if
// that is what err says.
func refused(t *tenant.Tenant, err error) error {
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && pgErr.Routine == wire.Routine {
		return fmt.Errorf("%v: schema %q: %w (was the tenant deleted or renamed? look it up again): %w", t, t.Schema, tenant.ErrSchemaNotFound, err)
	}
	return err
}

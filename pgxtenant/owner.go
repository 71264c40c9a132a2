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

// ErrOtherDatabase refuses a call with the context of a tenant of another database;
// see Config.Database.
var ErrOtherDatabase = errors.New("the tenant is of another database (use the registry of this one)")

// errReleased refuses a call on a connection that was given back.
var errReleased = errors.New("the connection was released (acquire another)")

// owner is for whom a connection was acquired or a transaction begun.
type owner struct {
	tenant *tenant.Tenant
	alone  bool // without the shared tables: tenant.WithoutPublic
	db     *DB
}

// ownerOf returns the owner of what is begun with ctx. The errors are
// tenant.ErrNoTenant, tenant.ErrUncommitted and ErrOtherDatabase.
func (db *DB) ownerOf(ctx context.Context) (owner, error) {
	t, err := tenant.Settled(ctx)
	if err != nil {
		return owner{}, err
	}
	if ours := db.config.Database; t.Database != ours && t.Database != "" && ours != "" {
		return owner{}, fmt.Errorf("%v: %w", t, ErrOtherDatabase)
	}
	return owner{t, !tenant.SeesPublic(ctx), db}, nil
}

// check refuses a context of another tenant, or of none.
func (o owner) check(ctx context.Context) error {
	other, err := o.db.ownerOf(ctx)
	if err != nil {
		return err
	}
	if !other.tenant.Is(o.tenant) || other.alone != o.alone {
		return fmt.Errorf("%v on what was begun for %v: %w", other, o, ErrOtherTenant)
	}
	return nil
}

// context returns ctx with the owner in place of whatever tenant it carries.
func (o owner) context(ctx context.Context) context.Context {
	ctx = tenant.NewContext(ctx, o.tenant)
	if o.alone {
		ctx = tenant.WithoutPublic(ctx)
	}
	return ctx
}

// String names the owner for people.
func (o owner) String() string {
	if o.alone {
		return o.tenant.String() + " without public"
	}
	return o.tenant.String()
}

// refused says in the words of the house that the owner's schema does not exist, if
// that is what err says.
func (o owner) refused(err error) error {
	if err == nil {
		return nil
	}
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && pgErr.Routine == wire.Routine {
		return fmt.Errorf("%v: schema %q: %w (was the tenant deleted or renamed? look it up again): %w", o.tenant, o.tenant.Schema, tenant.ErrSchemaNotFound, err)
	}
	return err
}

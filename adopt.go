package cotenant

import (
	"context"

	"github.com/cotenant/cotenant/adopt"
)

// Adopt takes over the tenants of another system in the same database, such as
// django-tenants, or finds out what would be taken over. It is adopt.Run with the tenancy's
// apps, over its pool for cotenant's own statements. The hooks of a creation are not called,
// nor those of a migration: nothing was created, and no file has run.
func (t *Tenancy) Adopt(ctx context.Context, options *adopt.Options) (*adopt.Report, error) {
	config := &adopt.Config{Migrator: t.migrator, Pool: t.own, Registry: t.registry}
	if options != nil {
		config.Options = *options
	}
	return adopt.Run(ctx, config)
}

package cotenant

import (
	"context"

	"github.com/cotenant/cotenant/adopt"
)

// Adopt takes over the tenants of another system in the same database, such as
// django-tenants, or finds out what would be taken over. It is adopt.Run with the tenancy's
// apps.
func (t *Tenancy) Adopt(ctx context.Context, options *adopt.Options) (*adopt.Report, error) {
	config := &adopt.Config{Migrator: t.migrator, Pool: t.own, Registry: t.registry}
	if options != nil {
		config.Options = *options
	}
	return adopt.Run(ctx, config)
}

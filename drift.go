package cotenant

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/cotenant/cotenant/drift"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

// Drift tells which of the tenants' schemas that are selected have something else than
// they should, and what: by default than a schema that the files of the tenant apps build
// now. It is drift.Find over the tenancy, and changes nothing that lasts. What is not
// migrated yet differs: Fleet().Migrate comes first.
//
// With Selection.Shared it compares what public has with what the files of the shared
// apps build, but for extensions and cotenant's own tables. public cannot be selected
// together with tenants' schemas.
func (t *Tenancy) Drift(ctx context.Context, selection *migrate.Selection, options *drift.Options) (*drift.Report, error) {
	var s migrate.Selection
	if selection != nil {
		s = *selection
	}
	if slices.Contains(s.Schemas, tenant.PublicSchema().String()) {
		return nil, errors.New("drift: schema public is compared alone (select it with Shared, and the others without it)")
	}
	fleet := t.Fleet()
	config := &drift.Config{Build: t.migrator.BuildScratch, ExtraSchemas: t.migrator.ExtraSchemas(), MigratorRole: t.migrator.MigratorRole(), Pool: t.own}
	if options != nil {
		config.Options = *options
	}
	if s.Shared {
		if config.Majority || !config.Like.IsZero() {
			return nil, errors.New("drift: schema public has no like (compare it with a fresh build)")
		}
		config.Build, config.Shared = t.migrator.BuildSharedScratch, true
		config.Count = func(ctx context.Context) (int, error) {
			_, err := fleet.CountSchemas(ctx, &s) // which looks at the selection
			return 1, err
		}
		config.Schemas = onlyPublic()
		return drift.Find(ctx, config)
	}
	s.Tenant = true
	config.Count = func(ctx context.Context) (int, error) { return fleet.CountSchemas(ctx, &s) }
	config.Schemas = fleet.Schemas(ctx, &s)
	return drift.Find(ctx, config)
}

func onlyPublic() iter.Seq2[tenant.Schema, error] {
	return func(yield func(tenant.Schema, error) bool) { yield(tenant.PublicSchema(), nil) }
}

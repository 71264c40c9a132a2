package migrate

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"

	"github.com/cotenant/cotenant/tenant"
)

// Plan says what Migrate with the same options would do, and changes nothing. Schemas
// that need the same are one group. What FakeInitial only records, and whether Sync finds
// anything to create, shows when it is done.
func (f *Fleet) Plan(ctx context.Context, options *MigrateOptions) (*Plan, error) {
	var o MigrateOptions
	if options != nil {
		o = *options
	}
	return f.plan(ctx, &o.RunOptions, o.request())
}

// PlanSync says what Sync with the same options would do, as Plan does for Migrate. It goes
// by the histories: a schema is behind if a schema.sql has changed since it was synced. With
// RunOptions.Verify it reads what every schema has, and says which statements of schema.sql
// it lacks and what differs; to know what these create, it runs them in a scratch schema in
// a transaction that is rolled back. Schemas that are to be migrated first are not compared.
func (f *Fleet) PlanSync(ctx context.Context, options *SyncOptions) (*Plan, error) {
	var o SyncOptions
	if options != nil {
		o = *options
	}
	return f.plan(ctx, &o.RunOptions, request{sync: true, migrate: o.Migrate})
}

func (f *Fleet) plan(ctx context.Context, o *RunOptions, q request) (*Plan, error) {
	r, err := f.newRun(o, q)
	if err != nil {
		return nil, err
	}
	s := survey{run: r, known: make(map[string]*PlanGroup), alike: make(map[string]*PlanGroup)}
	err = r.withConn(ctx, func(c changer) error { return s.take(ctx, c) })
	// Workers and hooks need connections of the pool. Who held one here, and waited for more,
	// would wait for others who do the same.
	if err == nil && s.left {
		err = s.inspectAll(ctx)
	}
	if err == nil {
		err = s.tell(ctx)
	}
	if err != nil {
		return nil, f.migrator.privilegeError(err)
	}
	plan := &Plan{Orphans: s.orphans, Retired: r.report.Retired}
	for _, g := range s.groups {
		plan.Groups = append(plan.Groups, *g)
	}
	return plan, nil
}

// List iterates over the schemas that are selected, with the migrations that each of
// them has and lacks. App, if it is not empty, limits it to that app. Where all tenants
// are selected, the schemas that belong to none come last: the first hundred of them.
func (f *Fleet) List(ctx context.Context, selection *Selection, app string) iter.Seq2[*Listed, error] {
	return func(yield func(*Listed, error) bool) {
		var o RunOptions
		if selection != nil {
			o.Selection = *selection
		}
		r, err := f.newRun(&o, request{migrate: true, sync: true, app: app})
		if err != nil {
			yield(nil, err)
			return
		}
		r.selection.narrow(r.Migrator, app)
		err = r.withConn(ctx, func(c changer) error {
			one := func(t target) error {
				l, err := r.list(ctx, c, t)
				if err == nil && !yield(l, nil) {
					err = errEnough
				}
				return err
			}
			if r.selection.public {
				if err := one(target{schema: tenant.PublicSchema()}); err != nil {
					return err
				}
			}
			there, err := r.hasTenants(ctx, c)
			if err != nil || !there {
				return err
			}
			if err := c.unmatched(ctx, r.selection); err != nil {
				return err
			}
			if err := r.pages(ctx, c, schemaList{which: everything}, one); err != nil {
				return err
			}
			orphans, err := r.orphans(ctx, c)
			for _, name := range orphans {
				if schema, err := tenant.ParseSchema(name); err == nil && !yield(&Listed{Orphan: true, Schema: schema}, nil) {
					return errEnough
				}
			}
			return err
		})
		if err != nil && !errors.Is(err, errEnough) {
			yield(nil, err)
		}
	}
}

// narrow leaves out the schemas that an app is not for; it is empty for all apps.
func (s *selection) narrow(m *Migrator, app string) {
	if app == "" {
		return
	}
	_, shared := find(m.shared, app)
	_, tenants := find(m.tenant, app)
	s.public, s.tenants = s.public && shared, s.tenants && tenants
}

// errEnough ends an iteration.
var errEnough = errors.New("enough")

// list lists what a schema has and lacks.
func (r *run) list(ctx context.Context, c changer, t target) (*Listed, error) {
	if t.missing {
		names, err := c.renamed(ctx, []string{t.schema.String()})
		return &Listed{Missing: true, Renamed: names[t.schema.String()], Schema: t.schema}, err
	}
	h, err := r.history(ctx, c, t)
	if err != nil {
		return nil, err
	}
	return r.listed(t, h), nil
}

// listed lists what the history of a schema has and lacks.
func (r *run) listed(t target, h history) *Listed {
	apps := r.tenant
	if t.schema.IsPublic() {
		apps = r.Migrator.shared
	}
	l := &Listed{Schema: t.schema}
	all := apps
	if in, err := view(apps, h); err == nil {
		apps = in
	}
	for i := range apps {
		app := &apps[i]
		if r.request.app != "" && r.request.app != app.name {
			continue
		}
		known := make(map[string]bool)
		add := func(s *script) {
			known[s.name] = true
			record, ok := h[app.name][s.name]
			l.Migrations = append(l.Migrations, ListedMigration{App: app.name, Applied: ok, Faked: record.faked, Name: s.name})
		}
		if app.schema != nil && len(app.migrations) == 0 {
			add(app.schema)
		}
		for i := range app.migrations {
			add(&app.migrations[i])
		}
		for _, name := range slices.Sorted(maps.Keys(h[app.name])) {
			if !known[name] && name != schemaFile {
				l.Migrations = append(l.Migrations, ListedMigration{App: app.name, Applied: true, Faked: h[app.name][name].faked, Name: name, Unknown: all[i].replacement(name) == nil})
			}
		}
	}
	for _, app := range h.strangers(apps) {
		for _, name := range slices.Sorted(maps.Keys(h[app])) {
			if r.request.app == "" && name != schemaFile {
				l.Migrations = append(l.Migrations, ListedMigration{App: app, Applied: true, Faked: h[app][name].faked, Name: name, Unknown: true})
			}
		}
	}
	return l
}

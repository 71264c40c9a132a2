package migrate

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/tenant"
)

// checkNames looks for the schemas that are selected by name, before anything is touched,
// and for the tenants' table. Where public is selected too, that may come with it.
func (r *run) checkNames(ctx context.Context, c changer) error {
	if err := c.checkOwn(ctx); err != nil {
		return err
	}
	if r.selection.wanted == nil && r.selection.public {
		return nil
	}
	there, err := c.hasTenantsTable(ctx)
	switch {
	case err != nil || !there && r.selection.public:
		return err
	case !there:
		return c.errNoTenants()
	}
	return c.unmatched(ctx, r.selection)
}

func (c changer) hasTenantsTable(ctx context.Context) (there bool, err error) {
	err = c.conn.QueryRow(ctx, "SELECT pg_catalog.to_regclass($1) IS NOT NULL", pgx.QueryExecModeExec, c.config.TenantsTable.Sanitize()).Scan(&there)
	return there, err
}

// foresee looks at the tenants' schemas before public is changed: what cannot be planned
// for ends the run before anything is touched. So does the way back of what a tenant's
// schema requires.
func (r *run) foresee(ctx context.Context, public planned) error {
	var there bool
	err := r.withConn(ctx, func(c changer) (err error) {
		there, err = c.hasTenantsTable(ctx)
		return err
	})
	if err != nil || !there || public.after == nil {
		return err
	}
	r.public = public.after
	var faults faultList
	if r.selection.tenants {
		groups, err := r.counted(ctx, r.selection)
		if err != nil {
			return err
		}
		for _, g := range groups {
			if g.plan.err != nil {
				faults.add(g, g.plan.err)
			}
			if g.plan.none {
				r.ahead.current += g.count
			} else {
				r.ahead.behind += g.count
			}
		}
	}
	if err := r.keepRequired(ctx, public.steps, &faults); err != nil {
		return err
	}
	return faults.err("nothing was touched")
}

// keepRequired finds fault with steps in public that undo what a tenant's schema requires.
func (r *run) keepRequired(ctx context.Context, steps []step, faults *faultList) error {
	var undone []string
	for _, s := range steps {
		if s.action == Unapply || s.action == Forget {
			undone = append(undone, s.script.id())
			for _, name := range s.script.replaces {
				undone = append(undone, s.script.app+"/"+name)
			}
		}
	}
	if !slices.ContainsFunc(r.grounds, func(e edge) bool { return slices.Contains(undone, e.to) }) {
		return nil
	}
	groups, err := r.counted(ctx, &selection{tenants: true})
	if err != nil {
		return err
	}
	for _, g := range groups {
		for _, e := range g.plan.grounds {
			if slices.Contains(undone, e.to) {
				app, _, _ := strings.Cut(e.from, "/")
				faults.add(g, errRequired(e.from, e.to, app))
				break
			}
		}
	}
	return nil
}

// readPublic reads the history of public where the run is not about public: tenants'
// migrations may require some of it, and one that is newer than the program means that
// the database is.
func (r *run) readPublic(ctx context.Context, c changer) (err error) {
	if r.public != nil {
		return nil
	}
	t := target{schema: tenant.PublicSchema()}
	if r.public, err = r.history(ctx, c, t); err != nil {
		return err
	}
	if err := unknownOf(r.Migrator.shared, r.public); err != nil {
		return fmt.Errorf("schema %q: %w", t.schema, err)
	}
	return nil
}

// edge is a migration of a tenant app and one of a shared app that it requires, by their
// ids.
type edge struct{ from, to string }

// groundsOf are the edges from tenant apps to others.
func groundsOf(apps []loadedApp) (edges []edge) {
	for _, app := range apps {
		for i := range app.migrations {
			s := &app.migrations[i]
			for _, required := range s.requires {
				name, _, _ := strings.Cut(required, "/")
				if _, own := find(apps, name); !own {
					edges = append(edges, edge{s.id(), required})
				}
			}
		}
	}
	return edges
}

// grounds are the edges from what is in a history.
func (h history) grounds(edges []edge) (have []edge) {
	for _, app := range slices.Sorted(maps.Keys(h)) {
		for _, e := range edges {
			if name, migration, _ := strings.Cut(e.from, "/"); name == app && h.has(app, migration) {
				have = append(have, e)
			}
		}
	}
	return have
}

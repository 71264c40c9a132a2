package migrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/tenant"
)

// survey makes a Plan, and changes nothing.
type survey struct {
	run     *run
	groups  []*PlanGroup
	orphans []string
	known   map[string]*PlanGroup // by digest
	left    bool                  // take has left the tenants' schemas to inspectAll

	mu         sync.Mutex
	alike      map[string]*PlanGroup // of an inspection, by their keys
	needs      []needy               // for the hook that hears of them
	unreadable *PlanGroup            // the schemas whose history could not be read
}

// take looks at public, at one schema for each digest that is known, and at each schema
// of which nothing is known, unless they are inspected.
func (s *survey) take(ctx context.Context, c changer) error {
	r := s.run
	if err := c.foreseeRole(ctx); err != nil {
		return err
	}
	if r.selection.public {
		t := target{schema: tenant.PublicSchema()}
		h, err := r.history(ctx, c, t)
		if err != nil {
			return err
		}
		t.digest = h.digest()
		if s.inspects() {
			err = s.inspect(ctx, c, t)
		} else {
			s.add(t, h, 1, nil)
		}
		if err != nil {
			return err
		}
		if p, ok := r.remembered(t); ok && p.err == nil {
			r.public = p.after
		}
	}
	there, err := r.hasTenants(ctx, c)
	if err != nil || !there {
		return err
	}
	if err := errors.Join(c.unmatched(ctx, r.selection), r.readPublic(ctx, c)); err != nil {
		return err
	}
	groups, err := c.groups(ctx, r.selection, nil)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if err := s.group(ctx, c, g); err != nil {
			return err
		}
	}
	s.left = s.inspects()
	s.orphans, err = r.orphans(ctx, c)
	return err
}

// hasTenants reports whether there are tenants to look at, and notes whether there is an
// index.
func (r *run) hasTenants(ctx context.Context, c changer) (bool, error) {
	if !r.selection.tenants {
		return false, nil
	}
	var index bool
	var table *string
	err := c.conn.QueryRow(ctx, "SELECT pg_catalog.to_regclass('cotenant.schema_versions') IS NOT NULL, pg_catalog.to_regclass($1)::text",
		pgx.QueryExecModeExec, c.config.TenantsTable.Sanitize()).Scan(&index, &table)
	r.noIndex = !index
	if err == nil && table == nil {
		err = c.checkOwn(ctx)
	}
	if err == nil && table == nil && (r.selection.wanted != nil || !r.selection.public) {
		return false, c.errNoTenants()
	}
	return table != nil, c.tablesError(err)
}

// group looks at a group of schemas.
func (s *survey) group(ctx context.Context, c changer, g group) error {
	schema, err := tenant.ParseSchema(g.schemas[0])
	if err != nil {
		return err
	}
	t := target{id: g.first, schema: schema}
	switch {
	case g.missing:
		return s.missing(ctx, c, g)
	case s.inspects():
		return nil // each by itself
	case g.digest == nil, s.run.options.Verify:
		return s.histories(ctx, c, g.digest)
	}
	h, err := s.run.history(ctx, c, t)
	if t.digest = *g.digest; err != nil || h.digest() != t.digest {
		return s.histories(ctx, c, g.digest)
	}
	s.add(t, h, g.count, g.schemas)
	return nil
}

// missing notes schemas that are not there.
func (s *survey) missing(ctx context.Context, c changer, g group) error {
	names, err := c.renamed(ctx, g.schemas)
	if err != nil {
		return err
	}
	gone := &PlanGroup{Count: g.count}
	for _, name := range g.schemas {
		schema, err := tenant.ParseSchema(name)
		if now := names[name]; err == nil && now != "" {
			s.groups = append(s.groups, &PlanGroup{Count: 1, Err: s.run.errRenamed(schema, now), Schemas: []tenant.Schema{schema}})
			gone.Count--
			continue
		}
		if gone.Err == nil {
			gone.Err = errNoSchema(schema)
		}
		if err == nil {
			gone.Schemas = append(gone.Schemas, schema)
		}
	}
	if gone.Err != nil {
		s.groups = append(s.groups, gone)
	}
	s.need(needy{list: &schemaList{which: missing}})
	return nil
}

// add notes schemas of one digest.
func (s *survey) add(t target, h history, count int, names []string) {
	g, ok := s.known[t.key()]
	p, planned := s.run.remembered(t)
	if !ok || !planned {
		p = s.run.remember(t, h)
	}
	s.run.report.retire(p.retired, count)
	if !ok {
		g = &PlanGroup{Err: p.err}
		for i := range p.steps {
			g.Steps = append(g.Steps, p.steps[i].described())
		}
		if i := slices.IndexFunc(s.groups, func(other *PlanGroup) bool { return !t.schema.IsPublic() && g.needsAs(other) }); i >= 0 {
			g = s.groups[i]
		} else {
			s.groups = append(s.groups, g)
		}
		s.known[t.key()] = g
	}
	g.Count += count
	if names == nil {
		names = []string{t.schema.String()}
	}
	for _, name := range names {
		if schema, err := tenant.ParseSchema(name); err == nil && len(g.Schemas) < maxShown {
			g.Schemas = append(g.Schemas, schema)
		}
	}
	switch {
	case g.Err == nil && len(g.Steps) == 0:
	case count == 1:
		s.need(needy{t: t})
	default:
		s.need(needy{list: &schemaList{which: ofDigests, digests: []string{t.digest}}})
	}
}

// needsAs reports whether two groups of tenants' schemas need the same.
func (g *PlanGroup) needsAs(other *PlanGroup) bool {
	return g.Err == nil && other.Err == nil && !slices.Contains(other.Schemas, tenant.PublicSchema()) &&
		slices.EqualFunc(g.Steps, other.Steps, func(a, b Step) bool { return a.Action == b.Action && a.App == b.App && a.Name == b.Name })
}

// pages calls f for each schema of a list.
func (r *run) pages(ctx context.Context, c changer, list schemaList, f func(t target) error) error {
	for after := int64(0); ; {
		page, err := c.pageIn(ctx, list, after)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, t := range page {
			if err := f(t); err != nil {
				return err
			}
			after = t.id
		}
	}
}

// histories adds each schema of a digest by its own history. One that cannot be read does not
// keep the others from being told.
func (s *survey) histories(ctx context.Context, c changer, digest *string) error {
	list := schemaList{which: unknown}
	if digest != nil {
		list = schemaList{which: ofDigests, digests: []string{*digest}}
	}
	return s.run.pages(ctx, c, list, func(t target) error {
		h, err := s.run.history(ctx, c, t)
		if err != nil {
			return s.unread(ctx, c, t, err)
		}
		t.digest = h.digest()
		s.add(t, h, 1, nil)
		return nil
	})
}

// unread notes a tenant's schema that could not be read, with the others of which that is
// so. It returns the error where it is not about the schema.
func (s *survey) unread(ctx context.Context, c changer, t target, err error) error {
	if c.conn.IsClosed() || ctx.Err() != nil || t.schema.IsPublic() {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unreadable == nil {
		s.unreadable = &PlanGroup{Err: err}
		s.groups = append(s.groups, s.unreadable)
	}
	g := s.unreadable
	if g.Count++; len(g.Schemas) < maxShown {
		g.Schemas = append(g.Schemas, t.schema)
	}
	return nil
}

// history reads the history of a schema.
func (r *run) history(ctx context.Context, c changer, t target) (h history, err error) {
	h, err = c.historyNow(ctx, t.schema)
	if dberr.Code(err) == dberr.InsufficientPrivilege {
		return nil, fmt.Errorf("schema %q: its history: %w (GRANT USAGE ON SCHEMA %s and SELECT ON %s to the role, as for every schema; or GRANT pg_read_all_data, which shows it all rows, too)",
			t.schema, err, searchpath.Quote(t.schema), searchpath.Qualify(t.schema, historyTable))
	}
	if err != nil {
		return nil, c.schemaError(t.schema, err)
	}
	return h, nil
}

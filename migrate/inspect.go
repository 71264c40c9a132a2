package migrate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/catalog"
	"github.com/cotenant/cotenant/tenant"
)

// inspects reports whether the survey compares what the schemas have with what schema.sql
// has, and does not go by their histories alone.
func (s *survey) inspects() bool { return s.run.request.sync && s.run.options.Verify }

// inspectAll looks into the tenants' schemas that are there, a page of them at a time,
// several at once.
func (s *survey) inspectAll(ctx context.Context) error {
	r, before := s.run, len(s.groups)
	next := func(c changer, after int64) ([]target, error) {
		return c.pageIn(ctx, schemaList{which: existing}, after)
	}
	err := r.each(ctx, next, 0, func(w *worker, t target) {
		pauses := newPauses()
		for attempt := 0; ; attempt++ {
			err := w.use(ctx, func(c changer) error { return s.inspect(ctx, c, t) })
			if err != nil && passes(err) && attempt < r.config.Retries && pause(ctx, pauses.NextBackOff()) {
				continue
			}
			if err != nil {
				r.halt(err)
			}
			return
		}
	})
	if err == nil {
		err = r.stopped
	}
	byName := func(a, b tenant.Schema) int { return strings.Compare(a.String(), b.String()) }
	for _, g := range s.groups[before:] { // they came as the workers were done
		slices.SortFunc(g.Schemas, byName)
	}
	slices.SortFunc(s.groups[before:], func(a, b *PlanGroup) int { return byName(a.Schemas[0], b.Schemas[0]) })
	return err
}

// inspect looks into a schema, and notes what it needs and what differs.
func (s *survey) inspect(ctx context.Context, c changer, t target) error {
	h, err := s.run.history(ctx, c, t)
	if err != nil {
		if passes(err) {
			return err
		}
		return s.unread(ctx, c, t, err)
	}
	t.digest = h.digest()
	p, ok := s.run.remembered(t)
	if !ok {
		p = s.run.remember(t, h)
	}
	g := &PlanGroup{Err: p.err}
	for i := range p.steps {
		g.Steps = append(g.Steps, p.steps[i].described())
	}
	migrates := slices.ContainsFunc(g.Steps, func(step Step) bool { return step.Action != Sync })
	if g.Err == nil && !migrates {
		if err := c.inspect(ctx, t, g); err != nil {
			if passes(err) || ctx.Err() != nil {
				return err
			}
			if s.sharedFirst() && !t.schema.IsPublic() {
				err = fmt.Errorf("public is behind, and the shared apps come first: %w", err)
			}
			g = &PlanGroup{Err: err}
		}
	}
	if s.put(t, g, p.retired) {
		s.need(needy{t: t})
	}
	return nil
}

// sharedFirst reports whether public was looked at, and lacks something.
func (s *survey) sharedFirst() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.groups, func(g *PlanGroup) bool { return len(g.Steps) > 0 && slices.Contains(g.Schemas, tenant.PublicSchema()) })
}

// inspect compares the schema with the schema.sql files.
func (c changer) inspect(ctx context.Context, t target, g *PlanGroup) error {
	definitions, err := c.definitions(ctx, t)
	if err != nil {
		return err
	}
	var objects []catalog.Object
	err = pgx.BeginFunc(ctx, c.conn, func(tx pgx.Tx) (err error) {
		objects, err = c.objects(ctx, tx, t)
		return err
	})
	if err != nil {
		return c.schemaError(t.schema, err)
	}
	apps := c.tenant
	if t.schema.IsPublic() {
		apps = c.shared
	}
	for i := range apps {
		app := &apps[i]
		if !app.synced() {
			continue
		}
		result := definitions[app.name].Compare(objects)
		objects = append(objects, result.Makes...) // what later apps build on
		for _, d := range result.Differs {
			g.Differs = append(g.Differs, app.name+": "+d)
		}
		if len(result.Missing) == 0 {
			continue
		}
		at := slices.IndexFunc(g.Steps, func(step Step) bool { return step.App == app.name })
		if at < 0 {
			at = len(g.Steps)
			g.Steps = append(g.Steps, Step{Action: Sync, App: app.name, Name: schemaFile})
		}
		for _, stmt := range result.Missing {
			g.Steps[at].SQL = append(g.Steps[at].SQL, stmt.Text)
		}
	}
	return nil
}

// maxDifferent is how many groups of schemas an inspection tells apart.
const maxDifferent = 1000

// put notes a schema with others that need the same, and the apps that it has and that are
// on no list. It reports whether the schema is not as it should be.
func (s *survey) put(t target, g *PlanGroup, retired []string) (behind bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.run.report.retire(retired, 1)
	key := g.key(t)
	if s.alike[key] == nil && len(s.alike) >= maxDifferent {
		*g = PlanGroup{Err: fmt.Errorf("in more than %d ways schemas are not as schema.sql is (look at fewer: --schema)", maxDifferent)}
		key = g.key(t)
	}
	known := s.alike[key]
	if known == nil {
		known = g
		s.alike[key] = known
		s.groups = append(s.groups, known)
	}
	known.Count++
	if len(known.Schemas) < maxShown {
		known.Schemas = append(known.Schemas, t.schema)
	}
	return g.Err != nil || len(g.Steps) > 0
}

// key is equal for schemas that need the same; public is alone.
func (g *PlanGroup) key(t target) string {
	parts := []string{fmt.Sprint(t.schema.IsPublic()), fmt.Sprint(g.Err)}
	for _, step := range g.Steps {
		parts = append(parts, string(step.Action)+" "+step.App+"/"+step.Name, strings.Join(step.SQL, ";\n"))
	}
	return strings.Join(append(parts, g.Differs...), "\x00")
}

package migrate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/tenant"
)

// State is how a schema stands to the files of the program.
type State string

// The states.
const (
	Ahead    State = "ahead"    // it has migrations that are newer than the program
	Behind   State = "behind"   // it lacks migrations, or the schema.sql of now
	Current  State = "current"  // it is where the files are
	Diverged State = "diverged" // it has what the files do not lead to: no run changes it
	Missing  State = "missing"  // its tenant is there, and it is not
	Unread   State = "unread"   // its history could not be read
)

// Status is how all schemas stand. Its size does not depend on how many there are.
type Status struct {
	// Groups are the schemas that stand alike: public first, which is alone in its
	// group, then the others, the largest group first. There are a thousand of them and
	// a few at most: beyond that, schemas of one state are one group, whose Err says so.
	Groups []StatusGroup
	// Orphans are schemas with a history that belong to no tenant: the first hundred.
	// They are looked for where all schemas were selected.
	Orphans []string
}

// Count returns how many schemas are in a state, public among them.
func (s *Status) Count(state State) int {
	n := 0
	for _, g := range s.Groups {
		if g.State == state {
			n += g.Count
		}
	}
	return n
}

// StatusGroup is schemas that stand alike.
type StatusGroup struct {
	// Count is how many schemas the group has.
	Count int
	// Err is why, and what to do. It is nil where State is Behind or Current, there are not
	// too many groups, and the index says the same of the schemas.
	Err error
	// Lacks are the files that the schemas do not have, in the order in which they
	// would run. What a newer migration replaced counts among them: the program does not
	// know that.
	Lacks []File
	// Latest are the newest file of each app that the schemas have.
	Latest []File
	// Schemas are up to a hundred of them, by name.
	Schemas []tenant.Schema
	// State is how they stand.
	State State
	// Unknown are the migrations that the schemas have and the program does not.
	Unknown []File
}

// File is a file of an app: schema.sql, or a migration such as 0001_initial.
type File struct{ App, Name string }

// String returns shop/0001_initial.
func (f File) String() string { return f.App + "/" + f.Name }

// Status says which migrations the schemas have that are selected, grouped, and changes
// nothing. It asks the index, cotenant.schema_versions, and reads one history for each
// of the digests there: the number of queries does not depend on how many schemas there
// are. Only of those that the index does not know, such as all of a database that was
// restored, it reads the history of each, several at a time; a run puts them there.
//
// A schema that cannot be read does not keep the others from being told.
func (f *Fleet) Status(ctx context.Context, selection *Selection) (*Status, error) {
	return f.status(ctx, selection, false)
}

// VerifiedStatus is Status that reads the history of every schema, several at a time, and
// does not rely on the index: it also finds a history that was changed, or lost, by others
// than a run.
func (f *Fleet) VerifiedStatus(ctx context.Context, selection *Selection) (*Status, error) {
	return f.status(ctx, selection, true)
}

func (f *Fleet) status(ctx context.Context, selection *Selection, verify bool) (*Status, error) {
	o := RunOptions{Verify: verify}
	if selection != nil {
		o.Selection = *selection
	}
	r, err := f.newRun(&o, request{migrate: true, sync: true})
	if err != nil {
		return nil, err
	}
	s := newStatusSurvey(r)
	err = r.withConn(ctx, func(c changer) error { return s.take(ctx, c) })
	// Who held a connection of the pool here, and waited for more, would wait for others who do
	// the same.
	for _, list := range s.left {
		if err == nil {
			err = s.each(ctx, list)
		}
	}
	if err != nil {
		return nil, f.migrator.privilegeError(err)
	}
	return s.sorted(), nil
}

// statusSurvey makes a Status.
type statusSurvey struct {
	run  *run
	left []schemaList // what take has left to each

	mu     sync.Mutex
	status Status
	alike  map[string]int // groups, by their keys
}

func newStatusSurvey(r *run) *statusSurvey {
	return &statusSurvey{run: r, alike: make(map[string]int)}
}

// sorted returns the status in the order in which it is told.
func (s *statusSurvey) sorted() *Status {
	byName := func(a, b tenant.Schema) int { return strings.Compare(a.String(), b.String()) }
	for _, g := range s.status.Groups {
		slices.SortFunc(g.Schemas, byName)
	}
	tenants := s.status.Groups
	if len(tenants) > 0 && tenants[0].first().IsPublic() {
		tenants = tenants[1:]
	}
	ranks := []State{Current, Behind, Ahead, Diverged, Missing, Unread}
	slices.SortFunc(tenants, func(a, b StatusGroup) int {
		return cmp.Or(b.Count-a.Count, slices.Index(ranks, a.State)-slices.Index(ranks, b.State), byName(a.first(), b.first()))
	})
	return &s.status
}

// first is the first schema of a group; the zero Schema if none has a name that one can have.
func (g *StatusGroup) first() tenant.Schema {
	if len(g.Schemas) == 0 {
		return tenant.Schema{}
	}
	return g.Schemas[0]
}

// take looks at public, and at one schema of each digest that is known. What has to be looked
// at one by one it leaves.
func (s *statusSurvey) take(ctx context.Context, c changer) error {
	r := s.run
	if r.selection.public {
		t := target{schema: tenant.PublicSchema()}
		if err := s.alone(ctx, c, t); err != nil {
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
	groups, err := c.groups(ctx, r.selection, nil)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if err := s.group(ctx, c, g); err != nil {
			return err
		}
	}
	if r.options.Verify {
		s.left = append(s.left, schemaList{which: existing})
	}
	if r.selection.wanted == nil && len(r.selection.unwanted) == 0 {
		s.status.Orphans, err = c.orphans(ctx)
	}
	return err
}

// group looks at a group of schemas.
func (s *statusSurvey) group(ctx context.Context, c changer, g group) error {
	switch {
	case g.missing:
		return s.missing(ctx, c, g)
	case s.run.options.Verify:
		return nil // each by itself
	case g.digest == nil:
		s.left = append(s.left, schemaList{which: unknown})
		return nil
	}
	schema, err := tenant.ParseSchema(g.schemas[0])
	if err != nil { // the table of the tenants is not ours, or its check is gone
		s.add(StatusGroup{State: Unread, Err: err}, g)
		return nil //nolint:nilerr // it is told
	}
	return s.read(ctx, c, target{id: g.first, schema: schema, digest: *g.digest}, g)
}

// missing notes schemas that are not there. Those that have another name now have a cure
// of their own.
func (s *statusSurvey) missing(ctx context.Context, c changer, g group) error {
	renamed, err := c.renamed(ctx, g.schemas)
	if err != nil {
		return err
	}
	for _, name := range g.schemas {
		schema, err := tenant.ParseSchema(name)
		if now := renamed[name]; err == nil && now != "" {
			s.add(StatusGroup{State: Missing, Err: s.run.errRenamed(schema, now)}, group{count: 1, schemas: []string{name}})
		}
	}
	g.count -= len(renamed)
	g.schemas = slices.DeleteFunc(g.schemas, func(name string) bool { return renamed[name] != "" })
	if g.count > 0 {
		s.add(StatusGroup{State: Missing, Err: errMissing}, g)
	}
	return nil
}

var errMissing = fmt.Errorf("%w (restore it from a backup; or have it made anew, with nothing in it: tenant create-missing; or delete the tenant)", tenant.ErrSchemaNotFound)

// each reads the histories of the schemas of a list, a page of them at a time, several at
// once.
func (s *statusSurvey) each(ctx context.Context, list schemaList) error {
	r := s.run
	next := func(c changer, after int64) ([]target, error) { return c.pageIn(ctx, list, after) }
	err := r.each(ctx, next, 0, func(w *worker, t target) {
		pauses := newPauses()
		for attempt := 0; ; attempt++ {
			err := w.use(ctx, func(c changer) error { return s.alone(ctx, c, t) })
			if err != nil && passes(err) && attempt < r.config.Retries && pause(ctx, pauses.NextBackOff()) {
				continue
			}
			if err != nil {
				r.halt(err)
			}
			return
		}
	})
	return cmp.Or(err, r.stopped, context.Cause(ctx))
}

// alone reads the history of a schema for itself.
func (s *statusSurvey) alone(ctx context.Context, c changer, t target) error {
	return s.read(ctx, c, t, group{count: 1, schemas: []string{t.schema.String()}})
}

// read reads the history of t for all schemas of a group, unless it turns out to be one
// that others need not have.
func (s *statusSurvey) read(ctx context.Context, c changer, t target, g group) error {
	h, err := s.history(ctx, c, t)
	gone := errors.Is(err, tenant.ErrSchemaNotFound) // it was there a moment ago
	if gone && g.count > 1 {
		s.add(StatusGroup{State: Missing, Err: errMissing}, group{count: 1, schemas: []string{t.schema.String()}})
	}
	switch {
	case err != nil && (c.conn.IsClosed() || ctx.Err() != nil):
		return err
	case g.count > 1 && (err != nil || h.digest() != t.digest):
		s.left = append(s.left, schemaList{which: ofDigests, digests: []string{*g.digest}})
	case gone:
		s.add(StatusGroup{State: Missing, Err: errMissing}, g)
	case err != nil:
		s.add(StatusGroup{State: Unread, Err: err}, g)
	case len(h) == 0 && isKnown(t) && t.digest != h.digest():
		s.add(StatusGroup{State: Diverged, Err: errHistoryLost}, g)
	default:
		otherwise := isKnown(t) && t.digest != h.digest()
		stands := s.stands(t, h)
		if stands.State == Behind && otherwise {
			stands.Err = errIndexOtherwise
		}
		s.add(stands, g)
	}
	return nil
}

// history reads the history of t. Where it has not what the index says of it, and is empty, it
// may be that of a schema which was dropped since.
func (s *statusSurvey) history(ctx context.Context, c changer, t target) (history, error) {
	h, err := s.run.history(ctx, c, t)
	if err != nil || len(h) > 0 || !isKnown(t) || t.digest == h.digest() {
		return h, err
	}
	var there bool
	err = c.conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1)", pgx.QueryExecModeExec, t.schema.String()).Scan(&there)
	if err == nil && !there {
		err = errNoSchema(t.schema)
	}
	return h, err
}

// isKnown reports whether the index knows a schema.
func isKnown(t target) bool { return t.digest != "" && !t.schema.IsPublic() }

// errHistoryLost and errIndexOtherwise say what a run that relies on the index does not see.
var (
	errHistoryLost = errors.New("its history, " + historyTable + ", is empty or gone, and it had one: a migration would begin at the first " +
		"(restore the table from a backup; or, for each app, \"cotenant migrate --schema=… APP MIGRATION --fake --verify\" with the newest migration whose work is there, and for apps without migrations \"cotenant sync --schema=… --verify\")")
	errIndexOtherwise = errors.New("cotenant.schema_versions has another history of it (\"cotenant migrate --verify\" does not rely on that)")
)

// stands compares a history with the files.
func (s *statusSurvey) stands(t target, h history) StatusGroup {
	var g StatusGroup
	for _, m := range s.run.listed(t, h).Migrations {
		switch file := (File{m.App, m.Name}); {
		case m.Unknown:
			g.Unknown = append(g.Unknown, file)
		case !m.Applied:
			g.Lacks = append(g.Lacks, file)
		case len(g.Latest) > 0 && g.Latest[len(g.Latest)-1].App == m.App:
			g.Latest[len(g.Latest)-1] = file
		default:
			g.Latest = append(g.Latest, file)
		}
	}
	p := s.run.remember(t, h) // which changes h
	switch {
	case p.err == nil && len(p.steps) == 0:
		g.State = Current
	case p.err == nil:
		g.State, g.Lacks = Behind, nil
		for _, step := range p.steps {
			g.Lacks = append(g.Lacks, File{step.script.app, step.script.name})
		}
	case errors.Is(p.err, ErrNewer): // what it lacks may have been replaced since
		g.State, g.Err = Ahead, p.err
	default:
		g.State, g.Err = Diverged, p.err
	}
	return g
}

// maxStatusGroups is how many groups of schemas a status tells apart.
const maxStatusGroups = 1000

// add notes that the schemas of a group stand so.
func (s *statusSurvey) add(g StatusGroup, schemas group) {
	s.mu.Lock()
	defer s.mu.Unlock()
	public := schemas.schemas[0] == tenant.PublicSchema().String()
	key := g.key(public)
	i, known := s.alike[key]
	if !known && len(s.status.Groups) >= maxStatusGroups {
		g = StatusGroup{State: g.State, Err: fmt.Errorf("in more than %d ways schemas are not alike (look at fewer: --schema)", maxStatusGroups)}
		key = g.key(public)
		i, known = s.alike[key]
	}
	if !known {
		i = len(s.status.Groups)
		s.alike[key], s.status.Groups = i, append(s.status.Groups, g)
	}
	into := &s.status.Groups[i]
	into.Count += schemas.count
	for _, name := range schemas.schemas {
		if schema, err := tenant.ParseSchema(name); err == nil && len(into.Schemas) < maxShown {
			into.Schemas = append(into.Schemas, schema)
		}
	}
}

// key is equal for schemas that stand alike; public is alone. Those that could not be read
// are alike whatever the reason is.
func (g *StatusGroup) key(public bool) string {
	var why string
	if g.Err != nil && g.State != Unread {
		why = g.Err.Error()
	}
	return fmt.Sprintf("%t %s %q %q %q %q", public, g.State, why, g.Lacks, g.Latest, g.Unknown)
}

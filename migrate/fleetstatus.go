package migrate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cotenant/cotenant/tenant"
)

// State is how a schema stands to the files of the program.
type State string

// The states.
const (
	Ahead    State = "ahead"    // it has migrations that are newer than the program, and lacks none
	Behind   State = "behind"   // it lacks migrations, or the schema.sql of now
	Current  State = "current"  // it is where the files are
	Diverged State = "diverged" // it has what the files do not lead to: no run changes it
	Missing  State = "missing"  // its tenant is there, and it is not
	Unread   State = "unread"   // its history could not be read
)

// Status is how all schemas stand. Its size does not depend on how many there are.
type Status struct {
	// Groups are the schemas that stand alike: public first, which is alone in its
	// group, then the others, the largest group first.
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
	// Err is why, and what to do, where State is not Behind or Current.
	Err error
	// Lacks are the files that the schemas do not have, in the order in which they
	// would run.
	Lacks []File
	// Latest are the newest file of each app that the schemas have.
	Latest []File
	// Schemas are up to a hundred of them.
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
// of the digests there, and that of each schema that the index does not know: the number
// of queries does not depend on how many schemas there are.
//
// A schema that cannot be read does not keep the others from being told.
func (f *Fleet) Status(ctx context.Context, selection *Selection) (*Status, error) {
	var o RunOptions
	if selection != nil {
		o.Selection = *selection
	}
	r, err := f.newRun(&o, request{migrate: true, sync: true})
	if err != nil {
		return nil, err
	}
	s := &statusSurvey{run: r}
	if err := r.withConn(ctx, func(c changer) error { return s.take(ctx, c) }); err != nil {
		return nil, err
	}
	tenants := s.status.Groups
	if len(tenants) > 0 && tenants[0].Schemas[0].IsPublic() {
		tenants = tenants[1:]
	}
	ranks := []State{Current, Behind, Ahead, Diverged, Missing, Unread}
	slices.SortStableFunc(tenants, func(a, b StatusGroup) int {
		return cmp.Or(b.Count-a.Count, slices.Index(ranks, a.State)-slices.Index(ranks, b.State))
	})
	return &s.status, nil
}

// Ready returns nil if no schema is behind the files of the program: public and all that
// tenants have. It is for holding a program back until a deployment has migrated, and
// costs what Status costs. Schemas that are ahead, missing or diverged do not matter:
// nothing that the program waits for would change them. The error wraps ErrBehind, and
// names some.
func (f *Fleet) Ready(ctx context.Context) error {
	status, err := f.Status(ctx, nil)
	if err != nil {
		return err
	}
	g := group{}
	for _, s := range status.Groups {
		if s.State != Behind && s.State != Unread {
			continue
		}
		g.count += s.Count
		for _, schema := range s.Schemas {
			g.schemas = append(g.schemas, schema.String())
		}
		if s.Err != nil {
			err = errors.Join(err, s.Err)
		}
	}
	if g.count == 0 {
		return nil
	}
	return errors.Join(fmt.Errorf("%s: %w (run the migrations)", some(g.schemas, g.count), ErrBehind), err)
}

// ErrBehind says that a schema lacks what the files of the program have.
var ErrBehind = errors.New("behind the program's files")

// statusSurvey makes a Status.
type statusSurvey struct {
	run    *run
	status Status
}

// take looks at public, at one schema of each digest that is known, and at each schema of
// which nothing is known.
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
	case g.digest == nil:
		return s.run.pages(ctx, c, nil, unknown, func(t target) error { return s.alone(ctx, c, t) })
	}
	schema, err := tenant.ParseSchema(g.schemas[0])
	if err != nil {
		return err
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
	if len(g.schemas) > 0 {
		s.add(StatusGroup{State: Missing, Err: errMissing}, g)
	}
	return nil
}

var errMissing = fmt.Errorf("%w (restore it from a backup; or delete the row of its tenant, and create the tenant again)", tenant.ErrSchemaNotFound)

// alone reads the history of a schema for itself.
func (s *statusSurvey) alone(ctx context.Context, c changer, t target) error {
	return s.read(ctx, c, t, group{count: 1, schemas: []string{t.schema.String()}})
}

// read reads the history of t for all schemas of a group, unless it turns out to be one
// that others need not have.
func (s *statusSurvey) read(ctx context.Context, c changer, t target, g group) error {
	h, err := s.run.history(ctx, c, t)
	switch {
	case err != nil && (c.conn.IsClosed() || ctx.Err() != nil):
		return err
	case g.count > 1 && (err != nil || h.digest() != t.digest):
		return s.run.pages(ctx, c, g.digest, ofDigests, func(t target) error { return s.alone(ctx, c, t) })
	case errors.Is(err, tenant.ErrSchemaNotFound): // it was there a moment ago
		s.add(StatusGroup{State: Missing, Err: errMissing}, g)
	case err != nil:
		s.add(StatusGroup{State: Unread, Err: err}, g)
	default:
		s.add(s.stands(t, h), g)
	}
	return nil
}

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
	case errors.Is(p.err, ErrNewer) && len(g.Lacks) == 0:
		g.State, g.Err = Ahead, p.err
	default:
		g.State, g.Err = Diverged, p.err
	}
	return g
}

// add notes that the schemas of a group stand so.
func (s *statusSurvey) add(g StatusGroup, schemas group) {
	public := schemas.schemas[0] == tenant.PublicSchema().String()
	i := slices.IndexFunc(s.status.Groups, func(other StatusGroup) bool { return !public && g.standsAs(other) })
	if i < 0 {
		s.status.Groups, i = append(s.status.Groups, g), len(s.status.Groups)
	}
	into := &s.status.Groups[i]
	into.Count += schemas.count
	for _, name := range schemas.schemas {
		if schema, err := tenant.ParseSchema(name); err == nil && len(into.Schemas) < maxShown {
			into.Schemas = append(into.Schemas, schema)
		}
	}
}

// standsAs reports whether tenants' schemas stand alike.
func (g *StatusGroup) standsAs(other StatusGroup) bool {
	return g.State == other.State && !slices.Contains(other.Schemas, tenant.PublicSchema()) &&
		(g.State == Unread || g.sayErr() == other.sayErr()) &&
		slices.Equal(g.Lacks, other.Lacks) && slices.Equal(g.Latest, other.Latest) && slices.Equal(g.Unknown, other.Unknown)
}

func (g *StatusGroup) sayErr() string {
	if g.Err == nil {
		return ""
	}
	return g.Err.Error()
}

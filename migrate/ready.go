package migrate

import (
	"context"
	"errors"
	"fmt"

	"github.com/cotenant/cotenant/tenant"
)

// ErrBehind says that a schema lacks what the files of the program have.
var ErrBehind = errors.New("behind the program's files")

// Ready returns nil if no schema is behind the files of the program: public and all that
// tenants have. It is for holding a program back until a deployment has migrated, and may
// be asked often: it reads the history of public, and one for each digest in the index,
// however many schemas there are. What the index does not know, such as a schema that was
// restored, is taken to be behind until a run has looked at it.
//
// Schemas that are ahead, missing or diverged do not matter: nothing that the program
// waits for would change them. The error wraps ErrBehind, and names some.
func (f *Fleet) Ready(ctx context.Context) error {
	r, err := f.newRun(&RunOptions{}, request{migrate: true, sync: true})
	if err != nil {
		return err
	}
	s := newStatusSurvey(r)
	var unindexed group
	err = r.withConn(ctx, func(c changer) (err error) {
		unindexed, err = s.sample(ctx, c)
		return err
	})
	if err != nil {
		return err
	}
	var behind group
	var reasons []error
	for _, g := range s.status.Groups {
		if g.State != Behind && g.State != Unread {
			continue
		}
		behind.count += g.Count
		for _, schema := range g.Schemas {
			behind.schemas = append(behind.schemas, schema.String())
		}
		reasons = append(reasons, g.Err)
	}
	var errs []error
	if behind.count > 0 {
		errs = append(errs, fmt.Errorf("%s: %w (run the migrations)", some(behind.schemas, behind.count), ErrBehind))
	}
	if unindexed.count > 0 {
		errs = append(errs, fmt.Errorf("%s: not in the index, and so taken to be %w (run the migrations)", some(unindexed.schemas, unindexed.count), ErrBehind))
	}
	return errors.Join(append(errs, reasons...)...)
}

// sample looks at public, and at one schema of each digest that is known. It returns those
// of which nothing is known.
func (s *statusSurvey) sample(ctx context.Context, c changer) (unindexed group, err error) {
	if err := s.alone(ctx, c, target{schema: tenant.PublicSchema()}); err != nil {
		return unindexed, err
	}
	there, err := s.run.hasTenants(ctx, c)
	if err != nil || !there {
		return unindexed, err
	}
	groups, err := c.groups(ctx, s.run.selection, nil)
	if err != nil {
		return unindexed, err
	}
	for _, g := range groups {
		switch {
		case g.missing:
		case g.digest == nil:
			unindexed = g
		default:
			if err := s.sampleOf(ctx, c, g); err != nil {
				return unindexed, err
			}
		}
	}
	return unindexed, nil
}

// maxSamples is how many schemas of a digest are looked at that turn out not to have it,
// since their histories were changed by hand.
const maxSamples = 10

var errIndex = errors.New("their histories are not as the index has them")

// sampleOf looks at a schema of a digest that has it. Those before it that have not are
// taken for themselves.
func (s *statusSurvey) sampleOf(ctx context.Context, c changer, g group) error {
	for range min(maxSamples, len(g.schemas)) {
		name := g.schemas[0]
		schema, err := tenant.ParseSchema(name)
		if err != nil {
			return err
		}
		t := target{schema: schema, digest: *g.digest}
		h, err := s.history(ctx, c, t)
		alone := group{count: 1, schemas: g.schemas[:1]}
		switch {
		case err != nil && (c.conn.IsClosed() || ctx.Err() != nil):
			return err
		case errors.Is(err, tenant.ErrSchemaNotFound): // it was dropped a moment ago
			s.add(StatusGroup{State: Missing, Err: errMissing}, alone)
		case err != nil:
			s.add(StatusGroup{State: Unread, Err: err}, alone)
		case h.digest() == t.digest:
			s.add(s.stands(t, h), g)
			return nil
		default:
			s.add(s.stands(t, h), alone)
		}
		g.count, g.schemas = g.count-1, g.schemas[1:]
	}
	if len(g.schemas) > 0 {
		s.add(StatusGroup{State: Unread, Err: errIndex}, g)
	}
	return nil
}

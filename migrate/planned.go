package migrate

import (
	"context"
	"fmt"
	"strings"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/tenant"
)

// maxPlans is how many digests are remembered with their plans. More only come up where
// schemas differ from each other.
const maxPlans = 1000

// key keeps the plans of public and of the tenants apart.
func (t target) key() string {
	if t.schema.IsPublic() {
		return "public " + t.digest
	}
	return t.digest
}

// remembered returns the plan for a schema, if one is known for its digest.
func (r *run) remembered(t target) (planned, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, ok := r.plans[t.key()]
	return p, ok
}

// remember plans for a history, which is then as it will be.
func (r *run) remember(t target, h history) planned {
	apps, order := r.tenant, r.tenantOrder
	if t.schema.IsPublic() {
		apps, order = r.Migrator.shared, r.sharedOrder
	}
	public := r.public
	if t.schema.IsPublic() {
		public = nil
	}
	p := planned{grounds: h.grounds(r.grounds), retired: h.strangers(apps)}
	p.steps, p.err = r.plan(apps, order, h, public, r.request)
	if t.schema.IsPublic() {
		p.after = h
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.plans) >= maxPlans {
		clear(r.plans)
	}
	r.plans[t.key()] = p
	return p
}

// indexed reads the history of a schema, indexes it, and plans for it.
func (r *run) indexed(ctx context.Context, c changer, t target) (digest string, err error) {
	h, digest, err := c.indexHistory(ctx, t)
	if err != nil {
		return "", err
	}
	t.digest = digest
	if _, ok := r.remembered(t); !ok {
		r.remember(t, h)
	}
	return digest, nil
}

// planFor plans for a schema whose digest is known.
func (r *run) planFor(ctx context.Context, c changer, t target) (planned, error) {
	if p, ok := r.remembered(t); ok {
		return p, nil
	}
	h, err := r.history(ctx, c, t)
	if err != nil {
		return planned{}, err
	}
	if h.digest() != t.digest { // the index is wrong: a history was changed by hand
		return planned{stale: true}, nil
	}
	return r.remember(t, h), nil
}

// planAll plans for the digests of groups: one history is read for each. It returns the
// digests for which that turned out to be another, or could not be read.
func (r *run) planAll(ctx context.Context, c changer, groups []group) (stale []string, err error) {
	for i := range groups {
		g := &groups[i]
		if g.digest == nil || g.missing {
			continue
		}
		schema, err := tenant.ParseSchema(g.schemas[0])
		if err != nil {
			return nil, err
		}
		p, err := r.planFor(ctx, c, target{id: g.first, schema: schema, digest: *g.digest})
		locked := dberr.Code(err) == dberr.LockNotAvailable // look at others of the digest
		if err != nil && !locked {
			return nil, err
		}
		if p.stale || locked {
			stale = append(stale, *g.digest)
			continue
		}
		g.plan = p.outlook()
	}
	return stale, nil
}

// outlook is what is known of the plan for a group of schemas: all of a plan would be too
// much to keep where every schema has a digest of its own.
type outlook struct {
	err     error
	none    bool // there is nothing to do
	grounds []edge
	retired []string
}

func (p planned) outlook() outlook {
	return outlook{err: p.err, none: p.none(), grounds: p.grounds, retired: p.retired}
}

// faultList collects why schemas cannot be planned for.
type faultList struct {
	lines []string
	errs  []error // of the lines
	count int
}

func (f *faultList) add(g group, err error) {
	f.count += g.count
	if len(f.lines) < 10 {
		f.errs = append(f.errs, err)
		f.lines = append(f.lines, fmt.Sprintf("%s: %v", some(g.schemas, g.count), err))
	}
}

// err returns the error, or nil if there was none. It ends with what was touched.
func (f *faultList) err(touched string) error {
	if len(f.errs) == 0 {
		return nil
	}
	return &faultError{strings.Join(f.lines, "\n") + "\n" + touched, f.errs}
}

// faultError has a text for all of the errors.
type faultError struct {
	text string
	errs []error
}

func (e *faultError) Error() string   { return e.text }
func (e *faultError) Unwrap() []error { return e.errs }

// some names the first of n schemas.
func some(schemas []string, n int) string {
	const most = 3
	shown := make([]string, 0, most)
	for _, name := range schemas[:min(most, len(schemas))] {
		shown = append(shown, fmt.Sprintf("%q", name))
	}
	text := "schema " + strings.Join(shown, ", ")
	if len(shown) > 1 {
		text = "schemas " + strings.Join(shown, ", ")
	}
	if more := n - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

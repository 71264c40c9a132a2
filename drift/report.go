package drift

import (
	"context"
	"errors"
	"fmt"

	"github.com/cotenant/cotenant/tenant"
)

// Report is what Find found. Its size does not depend on how many schemas there are.
type Report struct {
	// Differ is how many schemas differ from the reference.
	Differ int
	// Fingerprint of the reference.
	Fingerprint Fingerprint
	// Groups are the schemas that differ, those that have the same in one group: the
	// largest first, up to a thousand.
	Groups []Group
	// Missing is how many of the schemas are not there.
	Missing int
	// MissingSchemas are the first hundred of those.
	MissingSchemas []tenant.Schema
	// Reference says in words what was compared with: "a fresh build".
	Reference string
	// Same is how many schemas have what the reference has.
	Same int
	// Unlisted is how many of those that differ are in none of the Groups, because these
	// are full.
	Unlisted int
	// Unreadable is how many schemas could not be read.
	Unreadable int
	// UnreadableSchemas are the first hundred of those.
	UnreadableSchemas []SchemaError
}

// Drifted reports whether a schema differs from the reference, is missing or could not be
// read.
func (r *Report) Drifted() bool { return r.Differ+r.Missing+r.Unreadable > 0 }

// Group is schemas that have the same, and not what the reference has.
type Group struct {
	// Count is how many schemas the group has.
	Count int
	// Differences say what the schemas have otherwise, sorted by the tables and the other
	// things that they are about; up to a thousand. None beyond the first hundred groups.
	Differences []Difference
	// Err is why there are no Differences, where one would expect them: the schemas were
	// changed since they were read.
	Err error
	// Fingerprint of the schemas.
	Fingerprint Fingerprint
	// More is how many differences there are beside those in Differences.
	More int
	// Repair are the statements that create what the schemas lack, and have triggers fire as
	// in the reference, if Options.Repair asked for them, in an order that runs. They name no schema: Script runs them in each.
	Repair string
	// Schemas are up to a hundred of them.
	Schemas []tenant.Schema

	frame frame
}

// SchemaError is why a schema could not be read. Schema is the zero Schema if its name is
// none.
type SchemaError struct {
	Err    error
	Schema tenant.Schema
}

// Error says of which schema it is.
func (e SchemaError) Error() string {
	if e.Schema.IsZero() {
		return e.Err.Error()
	}
	return fmt.Sprintf("schema %q: %v", e.Schema, e.Err)
}

// Unwrap returns the cause.
func (e SchemaError) Unwrap() error { return e.Err }

// report compares the groups with the reference.
func (f *finder) report(ctx context.Context, r *reader, reference *Snapshot, name string) (*Report, error) {
	report := &Report{
		Differ: f.unlisted, Fingerprint: reference.fingerprint, Missing: f.missing.count, MissingSchemas: f.missing.names(),
		Reference: name, Unlisted: f.unlisted, Unreadable: f.failed, UnreadableSchemas: f.unreadable,
	}
	for _, m := range f.sorted() {
		if m.fingerprint == reference.fingerprint {
			report.Same = m.count
			continue
		}
		g := Group{Count: m.count, Fingerprint: m.fingerprint, Schemas: m.names()}
		report.Differ += m.count
		if len(report.Groups) < maxCompared {
			if err := f.compare(ctx, r, reference, &g); err != nil {
				return nil, err
			}
		}
		report.Groups = append(report.Groups, g)
	}
	return report, nil
}

// errChanged is why a group cannot be compared.
var errChanged = errors.New("the schemas were changed while others were read (run it again)")

// compare finds the differences of a group.
func (f *finder) compare(ctx context.Context, r *reader, reference *Snapshot, g *Group) error {
	const most = 3 // schemas to look at
	for _, schema := range g.Schemas[:min(most, len(g.Schemas))] {
		s, err := r.snapshot(ctx, schema, (*Options).read)
		if _, ok := errors.AsType[*connError](err); ok || ctx.Err() != nil {
			return err
		}
		if err != nil || s.fingerprint != g.Fingerprint {
			continue
		}
		g.Differences = Compare(reference, s)
		if f.Repair {
			f.repair(reference, s, g)
		}
		if g.More = len(g.Differences) - maxDifferences; g.More > 0 {
			g.Differences = g.Differences[:maxDifferences]
		}
		g.More = max(0, g.More)
		return nil
	}
	g.Err = errChanged
	return nil
}

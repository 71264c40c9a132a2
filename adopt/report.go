package adopt

import (
	"cmp"
	"iter"
	"slices"
	"sync"

	"github.com/cotenant/cotenant/tenant"
)

// Outcome is what became of a schema; with Options.DryRun, what would.
type Outcome string

// The outcomes.
const (
	Adopted Outcome = "adopted" // it is registered, and its migrations are recorded
	There   Outcome = "there"   // a tenant had it before; it was left as it is
	Left    Outcome = "left"    // it differs, or nothing is registered for another reason; it was left as it is
	Refused Outcome = "refused" // its row is no good, or something failed; it was left as it is
)

// Result is what became of one schema.
type Result struct {
	// Contradiction is what a tenant that was there before has otherwise than the source; see
	// Contradiction.Text.
	Contradiction string
	// Err says why it was refused.
	Err error
	// Extra are objects beyond the apps, which are left alone.
	Extra   []string
	Outcome Outcome
	// Name is as it stands in the other system, where it may be no name of a schema.
	Name string
	// Renumbered is the id that it gets in place of the one that it had; nil if it keeps that.
	Renumbered *Renumbered
	// States are those of the apps, in their order.
	States []AppState
}

// Report is what was done; with Options.DryRun, what would be. Its size does not depend on the
// number of schemas: Options.OnSchema is told all that is cut off here.
type Report struct {
	// Advanced are sequences outside of the scratch schema that the files count on while they
	// are built, by a function or a DO block. No roll-back undoes that: their next numbers
	// are left out.
	Advanced []string
	// Claimed counts the schemas that claim a domain which another has, if nothing was
	// registered because of them. They are refused, the others left.
	Claimed int
	// Columns are those of the source's table that are copied into cotenant.tenants, and
	// ColumnsLeft the others. ColumnsOwn are not copied either: cotenant keeps columns of
	// these names, such as status. Every tenant becomes active.
	Columns, ColumnsLeft, ColumnsOwn []string
	// Contradictions are tenants that were there before, and have other domains or another id
	// than the source says; the first 100, and Contradicted counts them. They were left as
	// they are.
	Contradictions []Contradiction
	Contradicted   int
	// DomainsLeft are tables of domains that refer to the table of the tenants and were not
	// read, since the options have the domains come from elsewhere.
	DomainsLeft []string
	// DomainsOfNobody counts the domains of the source that belong to no tenant, and are left
	// out.
	DomainsOfNobody int
	DryRun          bool
	// Extra are objects that schemas have beyond the apps, which are left alone, and how
	// many schemas have them; the first 100 that were met. ExtraMore says that there are others.
	Extra     map[string]int
	ExtraMore bool
	// Groups are schemas that are alike, the largest first; public is not among them. They
	// are the first 1,000 that were met, and Ungrouped counts the schemas that are in none.
	Groups    []Group
	Ungrouped int
	// Left, There, Refused and Adopted count the schemas of the source.
	Adopted, Left, Refused, There int
	// NewIDs counts those that get another id than they had; KeptIDs those that keep it.
	KeptIDs, NewIDs int
	// NoKey says that the source has no primary key of one column of integers, so that no id
	// can be kept.
	NoKey bool
	// NoMatch says that Options.Only names no schema beside public.
	NoMatch bool
	// NoName counts the rows of the source that name no schema.
	NoName int
	// Owners count the tenants' schemas that were adopted by the role that owns them, but for
	// those of the migrator role.
	Owners map[string]int
	// Partial says why the older states of apps are not known: their migrations cannot be
	// built from nothing.
	Partial error
	// Ports and WWW count the domains from which a port, or www., was taken off.
	Ports, WWW int
	// Public are the states of the shared apps. PublicDiffers says that they are in none, and
	// that therefore nothing was done.
	Public        []AppState
	PublicDiffers bool
	// Refusals are those that were refused; the first 100.
	Refusals []Result
	// Renumbered are those that get another id than they had; the first 100. Keys and URLs that
	// hold the old one lead nowhere, or to another tenant.
	Renumbered []Renumbered
	// Rowless counts schemas that the source has no row for, which are left alone;
	// RowlessNames are the first 10.
	Rowless      int
	RowlessNames []string
	// Source is where the tenants are, in words.
	Source string

	unseen []string // of tenants
}

// Differ reports whether something was not taken over.
func (r *Report) Differ() bool { return r.Left+r.Refused+r.NoName > 0 || r.PublicDiffers || r.NoMatch }

// Contradiction is what a tenant has otherwise than the source.
type Contradiction struct {
	Schema tenant.Schema
	// Text is as "only the source has a.example; its id is 3, and 7 in the source".
	Text string
}

// Renumbered is a tenant that has another id than in the source.
type Renumbered struct {
	Schema tenant.Schema
	// From is its id there, and To that of cotenant.tenants: 0 where it is not made yet.
	From, To int64
}

// Unseen are the migrations that are recorded, now or with the schemas that are alike, of
// which no schema shows whether they have run: see AppState. They are sorted, those of the
// shared apps first, each as "shop/0003_rows".
func (r *Report) Unseen() []string {
	if r.PublicDiffers {
		return slices.Clone(r.unseen)
	}
	return append(slices.Sorted(unseen(r.Public)), r.unseen...)
}

// unseen are the migrations that are recorded without having been seen.
func unseen(states []AppState) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, s := range states {
			for _, name := range s.Unseen {
				if s.Name != "" && !yield(s.App+"/"+name) {
					return
				}
			}
		}
	}
}

// Group is schemas that have the same of the apps, and of which the same became.
type Group struct {
	Count   int
	Outcome Outcome
	// Schemas are the first 100 of them.
	Schemas []tenant.Schema
	// States are those of the apps, in their order.
	States []AppState
}

// Bounds of what is kept, whatever the number of schemas.
const (
	maxNames          = 100
	maxGroups         = 1000
	maxExtra          = 100
	maxRefusals       = 100
	maxContradictions = 100
	maxRenumbered     = 100
)

// collector puts the report together. It is safe for concurrent use.
type collector struct {
	mu     sync.Mutex
	report Report
	groups map[string]*Group
	tell   func(Result)
}

func newCollector(o *Options) *collector {
	return &collector{tell: o.OnSchema, groups: map[string]*Group{}, report: Report{DryRun: o.DryRun, Extra: map[string]int{}, Owners: map[string]int{}}}
}

// add counts what became of a schema. v is nil where that was not compared.
func (c *collector) add(result Result, schema tenant.Schema, v *verdict) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := &c.report
	switch result.Outcome {
	case Adopted:
		r.Adopted++
	case There:
		r.There++
		if result.Contradiction != "" {
			if r.Contradicted++; len(r.Contradictions) < maxContradictions {
				r.Contradictions = append(r.Contradictions, Contradiction{Schema: schema, Text: result.Contradiction})
			}
		}
	case Left:
		r.Left++
	case Refused:
		r.Refused++
		if len(r.Refusals) < maxRefusals {
			r.Refusals = append(r.Refusals, result)
		}
	}
	if v != nil && result.Outcome != Refused {
		result.States, result.Extra = v.states, v.extra
		c.group(result.Outcome, schema, v)
	}
	if c.tell != nil {
		c.tell(result)
	}
}

func (c *collector) group(outcome Outcome, schema tenant.Schema, v *verdict) {
	for _, root := range v.extra {
		if _, ok := c.report.Extra[root]; ok || len(c.report.Extra) < maxExtra {
			c.report.Extra[root]++
		} else {
			c.report.ExtraMore = true
		}
	}
	if outcome == Adopted {
		for name := range unseen(v.states) {
			if at, found := slices.BinarySearch(c.report.unseen, name); !found {
				c.report.unseen = slices.Insert(c.report.unseen, at, name)
			}
		}
	}
	key := string(outcome) + "\n" + v.key
	g := c.groups[key]
	if g == nil {
		if len(c.groups) == maxGroups {
			c.report.Ungrouped++
			return
		}
		g = &Group{Outcome: outcome, States: v.states}
		c.groups[key] = g
	}
	g.Count++
	if len(g.Schemas) < maxNames {
		at, _ := slices.BinarySearchFunc(g.Schemas, schema, func(a, b tenant.Schema) int { return cmp.Compare(a.String(), b.String()) })
		g.Schemas = slices.Insert(g.Schemas, at, schema)
	}
}

// note counts what was made of a row.
func (c *collector) note(f func(r *Report)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(&c.report)
}

// end completes the report.
func (c *collector) end() *Report {
	for _, g := range c.groups {
		c.report.Groups = append(c.report.Groups, *g)
	}
	slices.SortFunc(c.report.Groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Schemas[0].String(), b.Schemas[0].String()))
	})
	slices.SortFunc(c.report.Contradictions, func(a, b Contradiction) int { return cmp.Compare(a.Schema.String(), b.Schema.String()) })
	slices.SortFunc(c.report.Renumbered, func(a, b Renumbered) int { return cmp.Compare(a.From, b.From) })
	slices.SortFunc(c.report.Refusals, func(a, b Result) int { return cmp.Compare(a.Name, b.Name) })
	return &c.report
}

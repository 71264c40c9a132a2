package drift

import (
	"cmp"
	"errors"
	"slices"
	"sync"

	"github.com/cotenant/cotenant/tenant"
)

// Bounds of what is kept, whatever the number of schemas.
const (
	maxNames       = 100  // schemas of a group, those that are missing, those that cannot be read
	maxGroups      = 1000 // fingerprints that are told apart
	maxCompared    = 100  // groups that are compared object by object
	maxDifferences = 1000 // of a group
)

// collector puts the schemas into groups, while they are read. It is safe for concurrent
// use.
type collector struct {
	mu         sync.Mutex
	groups     map[Fingerprint]*members
	reference  *Fingerprint // which has a group, however many there are; nil where it is not known
	missing    members
	unlisted   int // schemas of fingerprints beyond those that are told apart
	unreadable []SchemaError
	failed     int
}

// members are schemas that have something in common.
type members struct {
	fingerprint Fingerprint
	count       int
	members     []job // the first of them that were read, in their order
}

// add counts a schema in, and keeps its name if there is room.
func (m *members) add(j job) {
	m.count++
	if len(m.members) < maxNames {
		at, _ := slices.BinarySearchFunc(m.members, j, func(a, b job) int { return cmp.Compare(a.index, b.index) })
		m.members = slices.Insert(m.members, at, j)
	}
}

// names are the names that were kept.
func (m *members) names() []tenant.Schema {
	names := make([]tenant.Schema, len(m.members))
	for i, j := range m.members {
		names[i] = j.schema
	}
	return names
}

// add takes what came of a schema, and tells it.
func (c *collector) add(j job, s *Snapshot, err error, tell func(tenant.Schema, error)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case errors.Is(err, tenant.ErrSchemaNotFound):
		c.missing.add(j)
	case err != nil:
		c.failed++
		if len(c.unreadable) < maxNames {
			c.unreadable = append(c.unreadable, SchemaError{Schema: j.schema, Err: err})
		}
	default:
		c.group(s.fingerprint, j)
	}
	if tell != nil {
		tell(j.schema, err)
	}
}

// group adds a schema to its group.
func (c *collector) group(f Fingerprint, j job) {
	if c.groups == nil {
		c.groups = make(map[Fingerprint]*members)
	}
	g := c.groups[f]
	if g == nil {
		if len(c.groups) >= maxGroups && (c.reference == nil || f != *c.reference) {
			c.unlisted++
			return
		}
		g = &members{fingerprint: f}
		c.groups[f] = g
	}
	g.add(j)
}

// sorted returns the groups, the largest first, and of two that are as large the one of
// the schema that comes first.
func (c *collector) sorted() []*members {
	all := make([]*members, 0, len(c.groups))
	for _, g := range c.groups {
		all = append(all, g)
	}
	slices.SortFunc(all, func(a, b *members) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.members[0].index, b.members[0].index))
	})
	return all
}

// largest is the first of sorted, nil if there is none.
func (c *collector) largest() *members {
	all := c.sorted()
	if len(all) == 0 {
		return nil
	}
	return all[0]
}

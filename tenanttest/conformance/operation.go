package conformance

import (
	"context"
	"math/rand/v2"
	"slices"
)

// operation is something that an application does for a tenant. It returns what
// failed, a foreignError for a row that it must not see, and says in the gust how
// many rows it wrote for certain.
type operation struct {
	name   string
	weight int
	run    func(g *gust, ctx context.Context) error
}

// chances are operations, each with how often one up to it is chosen of all.
type chances struct {
	operations []operation
	sums       []int
}

// add adds operations whose weight counts as many times.
func (c *chances) add(times int, operations ...operation) {
	sum := 0
	if n := len(c.sums); n > 0 {
		sum = c.sums[n-1]
	}
	for _, o := range operations {
		sum += o.weight * times
		c.operations, c.sums = append(c.operations, o), append(c.sums, sum)
	}
}

// pick chooses one.
func (c *chances) pick(r *rand.Rand) operation {
	n, _ := slices.BinarySearch(c.sums, 1+r.IntN(c.sums[len(c.sums)-1]))
	return c.operations[n]
}

// operations are those that the way can do. Those that have the session replaced come
// with the faults: as often as they weigh where there is the usual number of these.
func (s *storm) operations() *chances {
	way, access := s.way, s.access
	c := &chances{}
	c.add(faultsUsual, readings()...)
	c.add(faultsUsual, writings()...)
	c.add(faultsUsual, excursions()...)
	c.add(s.config.Faults, replacing(way, access)...)
	if way.Sessions {
		c.add(faultsUsual, controlling(access)...)
	} else { // what is refused there has the connection replaced
		c.add(s.config.Faults, controlling(access)...)
	}
	if _, ok := access.(Copier); ok {
		c.add(faultsUsual, operation{"copy in", 18, (*gust).copyIn}, operation{"copy out", 8, (*gust).copyOut})
	}
	if _, ok := access.(Batcher); ok {
		c.add(faultsUsual, operation{"batch", 30, (*gust).batch}, operation{"batch that fails", 12, (*gust).batchFails})
	}
	if _, ok := access.(Preparer); ok {
		c.add(faultsUsual, preparations()...)
	}
	if _, ok := access.(Transactor); ok {
		c.add(faultsUsual, operation{"panic", 3, (*gust).panics})
	}
	return c
}

// check compares an owner that was read.
func (g *gust) check(owner int64) error {
	if owner != g.ID {
		return foreignError{g.ID, owner}
	}
	return nil
}

// each is a Row of an owner and the server process.
func (g *gust) each(foreign *error) Row {
	return func(scan func(...any) error) error {
		var owner int64
		var pid int32
		if err := scan(&owner, &pid); err != nil {
			return err
		}
		if g.storm.served(pid, g.Tenant) {
			g.tally.switches++
		}
		if err := g.check(owner); err != nil {
			*foreign = err
		}
		return nil
	}
}

// reads reads owners and the server process. Foreign rows count if the call ended
// well.
func (g *gust) reads(ctx context.Context, s Session, sql string, args ...any) error {
	var foreign error
	if err := s.Query(ctx, g.each(&foreign), sql, args...); err != nil {
		return err
	}
	return foreign
}

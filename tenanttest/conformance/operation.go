package conformance

import "context"

// operation is something that an application does for a tenant. It returns what
// failed, a foreignError for a row that it must not see, and says in the gust how
// many rows it wrote for certain.
type operation struct {
	name   string
	weight int
	run    func(g *gust, ctx context.Context) error
}

// operations are those that the way can do.
func operations(way Way, access Access) []operation {
	found := append(readings(), writings()...)
	found = append(found, excursions()...)
	if _, ok := access.(Copier); ok {
		found = append(found, operation{"copy in", 18, (*gust).copyIn}, operation{"copy out", 8, (*gust).copyOut})
	}
	if _, ok := access.(Batcher); ok {
		found = append(found, operation{"batch", 30, (*gust).batch}, operation{"batch that fails", 12, (*gust).batchFails})
		found = append(found, operation{"batch with a transaction", 6, (*gust).batchControl})
	}
	if _, ok := access.(Transactor); ok {
		found = append(found, operation{"panic", 3, (*gust).panics})
	}
	if _, ok := access.(Acquirer); ok {
		found = append(found, operation{"connection", 8, (*gust).connection})
	}
	if way.HiddenPath {
		found = append(found, operation{"path, hidden", 3, (*gust).hiddenPath})
	}
	if way.Clean {
		found = append(found, operation{"session state", 3, (*gust).carry})
	}
	return found
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

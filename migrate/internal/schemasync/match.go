package schemasync

import "github.com/cotenant/cotenant/internal/catalog"

// match finds the schema's object for each that is expected: the one of its key; for
// one that PostgreSQL named, one of the same table that is the same.
func (c *comparison) match(objects []catalog.Object) {
	c.has = make(map[string]catalog.Object, len(objects))
	for _, o := range objects {
		c.has[o.Key()] = o
	}
	type likeness struct {
		kind           catalog.Kind
		of, definition string
	}
	right := map[string]bool{} // the schema's objects that are what their name says
	for _, e := range c.objects {
		if o, ok := c.has[e.Key()]; ok && o.Definition == e.Definition {
			right[e.Key()] = true
		}
	}
	alike := map[likeness][]catalog.Object{}
	for _, o := range objects {
		if !right[o.Key()] {
			l := likeness{o.Kind, o.Of, o.Definition}
			alike[l] = append(alike[l], o)
		}
	}
	found := map[string]catalog.Object{}
	gone := map[string]bool{}
	for _, e := range c.objects {
		l := likeness{e.Kind, e.Of, e.Definition}
		if !e.unnamed || right[e.Key()] || len(alike[l]) == 0 {
			continue
		}
		found[e.Key()] = alike[l][0]
		gone[alike[l][0].Key()] = true
		alike[l] = alike[l][1:]
	}
	for key := range gone {
		delete(c.has, key)
	}
	for key, o := range found {
		c.has[key] = o
	}
}

package check

import (
	"cmp"
	"maps"
	"slices"

	"github.com/cotenant/cotenant/check/internal/syntax"
)

// domain is what a type that is a domain asks of values.
type domain struct {
	base    columnType
	checks  map[string]bool // by name
	notNull bool
	filled  syntax.Node // the default, zero without one
}

func newDomain(n syntax.Node) *domain {
	d := &domain{base: newColumnType(n.Node("typeName")), checks: map[string]bool{}}
	for _, k := range n.Nodes("constraints") {
		d.add(k)
	}
	return d
}

func (d *domain) add(k syntax.Node) {
	switch {
	case is(k, "CONSTR_CHECK"):
		d.checks[k.Text("conname")] = true
	case is(k, "CONSTR_NOTNULL"):
		d.notNull = true
	case is(k, "CONSTR_DEFAULT"):
		d.fill(k.Node("raw_expr"))
	}
}

// fill sets the default, which NULL takes away.
func (d *domain) fill(expression syntax.Node) {
	if expression.Is("A_Const") && expression.True("isnull") {
		expression = syntax.Node{}
	}
	d.filled = expression
}

// alter follows an ALTER DOMAIN. A check that has no name of its own goes by one that
// PostgreSQL gave it, so that a name which is not known takes it out.
func (d *domain) alter(n syntax.Node) {
	switch n.Text("subtype") {
	case "C":
		d.add(n.Node("def"))
	case "O":
		d.notNull = true
	case "N":
		d.notNull = false
	case "T":
		d.fill(n.Node("def"))
	case "X":
		name := n.Text("name")
		if !d.checks[name] {
			name = ""
		}
		delete(d.checks, name)
	}
}

// maxDomains is how many domains can stand on each other; files that are wrong can make a
// ring of them.
const maxDomains = 16

// domain is what a type asks of values, with the domains that it is made of; nothing if it is no
// domain that files make. An array asks nothing by the type of its elements.
func (v *visit) domain(t columnType) domain {
	d := domain{checks: map[string]bool{}}
	for range maxDomains {
		o := v.here.types[v.here.own(t.named())]
		if o == nil {
			o = v.public.types[v.public.own(t.named())]
		}
		if t.array || o == nil || o.domain == nil {
			break
		}
		maps.Copy(d.checks, o.domain.checks)
		d.notNull = d.notNull || o.domain.notNull
		if !d.filled.Exists() {
			d.filled = o.domain.filled
		}
		t = o.domain.base
	}
	return d
}

// use is a column of a type.
type use struct {
	table  syntax.Name
	object *object
	column string
}

// uses are the columns of tables that are of a type, of arrays of it, or of domains over
// it.
func (s *state) uses(name syntax.Name) []use {
	var all []use
	for table, o := range s.relations {
		for column, c := range o.columns {
			if o.kind == "table" && s.isOf(c.typ, s.own(name)) {
				all = append(all, use{table, o, column})
			}
		}
	}
	slices.SortFunc(all, func(a, b use) int {
		return cmp.Or(cmp.Compare(a.table.String(), b.table.String()), cmp.Compare(a.column, b.column))
	})
	return all
}

func (s *state) isOf(t columnType, name syntax.Name) bool {
	for range maxDomains {
		own := s.own(t.named())
		if own == name {
			return true
		}
		o := s.types[own]
		if o == nil || o.domain == nil {
			return false
		}
		t = o.domain.base
	}
	return false
}

// usesOfOld are the columns of a type which this file does not make, in tables that it does
// not make; of a shared type also the tenants'. It is not known where no file makes the type.
func (v *visit) usesOfOld(name syntax.Name) (uses []use, known bool) {
	if v.madeHere(name) || v.isSharedOther("type", name) {
		return nil, true
	}
	uses = v.here.uses(name)
	if own := v.here.own(name); !v.file.Tenant && own.Schema == "" && v.tenant.types[own] == nil {
		uses = append(uses, v.tenant.uses(own)...)
	}
	uses = slices.DeleteFunc(uses, func(u use) bool { return u.object.file == v.file })
	return uses, len(uses) > 0 || v.here.types[v.here.own(name)] != nil
}

// scansOf are the tables of which ALTER DOMAIN looks at all rows.
func (v *visit) scansOf(name syntax.Name) string {
	uses, known := v.usesOfOld(name)
	if !known {
		return "all tables that have it"
	}
	var tables []syntax.Name
	for _, u := range uses {
		if u.object.emptied != v.file && !slices.Contains(tables, u.table) {
			tables = append(tables, u.table)
		}
	}
	return quotedNames(tables)
}

package syntax

// Name is that of an object, as PostgreSQL has it.
type Name struct {
	Schema string // "" where the search path decides
	Name   string
}

// String has the parts with a dot between them, for messages.
func (n Name) String() string {
	if n.Schema == "" {
		return n.Name
	}
	return n.Schema + "." + n.Name
}

// NameOf makes a name of its last two parts.
func NameOf(parts []string) Name {
	switch len(parts) {
	case 0:
		return Name{}
	case 1:
		return Name{Name: parts[0]}
	default:
		return Name{parts[len(parts)-2], parts[len(parts)-1]}
	}
}

// Relation is the name of a RangeVar.
func (n Node) Relation() Name { return Name{n.Text("schemaname"), n.Text("relname")} }

// Relations returns what the tree refers to as a table, a view or another relation, but
// for the queries that it names itself with WITH.
func (n Node) Relations() []Name {
	own := map[string]bool{}
	n.Walk(func(n Node) bool {
		if n.Is("CommonTableExpr") {
			own[n.Text("ctename")] = true
		}
		return true
	})
	var names []Name
	n.Walk(func(n Node) bool {
		if name := n.Relation(); n.Is("RangeVar") && (name.Schema != "" || !own[name.Name]) {
			names = append(names, name)
		}
		return true
	})
	return names
}

// Calls returns the functions that the tree calls.
func (n Node) Calls() []Name {
	var names []Name
	n.Walk(func(n Node) bool {
		if n.Is("FuncCall") {
			names = append(names, NameOf(n.Strings("funcname")))
		}
		return true
	})
	return names
}

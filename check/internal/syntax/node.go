package syntax

import (
	"maps"
	"slices"
)

// Node is a node of a parse tree. The zero Node is where there is none: it is of no kind,
// and has no fields.
type Node struct {
	Kind   string // IndexStmt, RangeVar, ColumnDef, …
	fields map[string]any
}

// wrapped reads {"IndexStmt": {…}}.
func wrapped(v any) Node {
	m, _ := v.(map[string]any)
	if len(m) == 1 {
		for kind, inner := range m {
			if fields, ok := inner.(map[string]any); ok && kind[0] >= 'A' && kind[0] <= 'Z' {
				return Node{kind, fields}
			}
		}
	}
	return bare(m)
}

// bare tells by its fields what stands where only one kind can stand.
func bare(m map[string]any) Node {
	has := func(name string) bool { _, ok := m[name]; return ok }
	switch {
	case m == nil:
		return Node{}
	case has("relname"):
		return Node{"RangeVar", m}
	case has("names") && has("typemod"):
		return Node{"TypeName", m}
	default:
		return Node{"", m}
	}
}

// Is reports whether the node is of one of the kinds.
func (n Node) Is(kinds ...string) bool { return slices.Contains(kinds, n.Kind) }

// Exists reports whether there is a node.
func (n Node) Exists() bool { return n.fields != nil }

// Text returns a field that is a text, or one of an enumeration; empty where it is unset.
func (n Node) Text(field string) string {
	s, _ := n.fields[field].(string)
	return s
}

// Int returns a field that is a number; 0 where it is unset.
func (n Node) Int(field string) int {
	f, _ := n.fields[field].(float64)
	return int(f)
}

// True reports whether a field is set that is yes or no.
func (n Node) True(field string) bool {
	b, _ := n.fields[field].(bool)
	return b
}

// Node returns a field that is a node.
func (n Node) Node(field string) Node { return wrapped(n.fields[field]) }

// Nodes returns a field that is a list.
func (n Node) Nodes(field string) []Node {
	list, _ := n.fields[field].([]any)
	if list == nil { // a list within a node
		if inner := n.Node(field); inner.Is("List") {
			return inner.Nodes("items")
		}
	}
	nodes := make([]Node, len(list))
	for i, v := range list {
		nodes[i] = wrapped(v)
	}
	return nodes
}

// Strings returns a field that is a list of texts: the parts of a name.
func (n Node) Strings(field string) []string {
	var texts []string
	for _, item := range n.Nodes(field) {
		if item.Is("String") {
			texts = append(texts, item.Text("sval"))
		}
	}
	return texts
}

// Constant returns the text of a string constant.
func (n Node) Constant() (text string, ok bool) {
	if n.Is("TypeCast") {
		return n.Node("arg").Constant()
	}
	s := n.Node("sval")
	if !n.Is("A_Const") || !s.Exists() {
		return "", false
	}
	return s.Text("sval"), true
}

// Walk visits the node and what is below it, each before what is below it, in the order of
// the fields' names. Where visit returns false, it goes no deeper.
func (n Node) Walk(visit func(Node) bool) {
	if !n.Exists() || !visit(n) {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(n.fields)) {
		walk(n.fields[name], visit)
	}
}

func walk(v any, visit func(Node) bool) {
	switch v := v.(type) {
	case map[string]any:
		wrapped(v).Walk(visit)
	case []any:
		for _, item := range v {
			walk(item, visit)
		}
	}
}

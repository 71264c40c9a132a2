package syntax

import (
	"encoding/json"
	"strings"

	"github.com/wasilibs/go-pgquery/parser"
)

// Body is what a function, a procedure or a DO block holds.
type Body struct {
	// Language is the one that it is in, sql where it is none of its own.
	Language string
	// Late has it be text whose names are looked up when it runs. Else they were when it
	// was created, and follow what they mean: RETURN and BEGIN ATOMIC.
	Late bool
	// Text of it, where it is Late.
	Text string
	// Statements of it that could be read: in sql and plpgsql, and there not those that
	// are made of strings when they run.
	Statements []Node
}

// Body returns the body of a CreateFunctionStmt or a DoStmt, whose text is sql.
func (n Node) Body(sql string) Body {
	b := Body{Language: "sql"}
	options := n.Nodes("options")
	if n.Is("DoStmt") {
		b.Language, options = "plpgsql", n.Nodes("args")
	}
	for _, o := range options {
		switch o.Text("defname") {
		case "language":
			b.Language = strings.ToLower(o.Node("arg").Text("sval"))
		case "as":
			b.Late = true
			if b.Text = o.Node("arg").Text("sval"); b.Text == "" {
				b.Text = strings.Join(o.Strings("arg"), "")
			}
		}
	}
	switch {
	case !b.Late:
		b.Statements = []Node{n.Node("sql_body")}
	case b.Language == "sql":
		b.Statements, _ = Parse(b.Text) // what cannot be read is not known
	case b.Language == "plpgsql":
		b.Statements = plpgsql(sql)
	}
	return b
}

// Setting returns what a CreateFunctionStmt sets for the time that it runs; "" and false
// where it does not set it. FROM CURRENT is a kind of its own.
func (n Node) Setting(name string) (set Node, ok bool) {
	for _, field := range []string{"options", "actions"} {
		for _, o := range n.Nodes(field) {
			if s := o.Node("arg"); o.Text("defname") == "set" && s.Is("VariableSetStmt") && strings.EqualFold(s.Text("name"), name) {
				set, ok = s, true
			}
		}
	}
	return set, ok
}

// plpgsql returns the statements within a routine.
func plpgsql(sql string) []Node {
	text, err := try(parser.ParsePlPgSqlToJSON, sql)
	if err != nil {
		return nil
	}
	var tree any
	if json.Unmarshal([]byte(text), &tree) != nil {
		return nil
	}
	var nodes []Node
	walk(tree, func(n Node) bool {
		if n.Is("PLpgSQL_stmt_dynexecute") {
			nodes = append(nodes, dynamic(n.Node("query").Text("query"))...)
		}
		if n.Is("PLpgSQL_expr") {
			statements, err := Parse(statement(n.Text("query"), n.Int("parseMode")))
			if err == nil {
				nodes = append(nodes, statements...)
			}
		}
		return true
	})
	return nodes
}

// dynamic returns the statements that EXECUTE runs, where its string is a constant.
func dynamic(expression string) []Node {
	selects, err := Parse("SELECT " + expression)
	if err != nil || len(selects) != 1 {
		return nil
	}
	targets := selects[0].Nodes("targetList")
	if len(targets) != 1 {
		return nil
	}
	text, ok := targets[0].Node("val").Constant()
	if !ok {
		return nil
	}
	statements, _ := Parse(text) // what cannot be read is not known
	return statements
}

// statement makes one of what PL/pgSQL has the grammar read: a statement, an expression,
// or an assignment.
func statement(query string, mode int) string {
	switch mode {
	case 0:
		return query
	case 2:
		return "SELECT " + query
	}
	_, value, ok := strings.Cut(query, "=")
	if !ok {
		return ""
	}
	return "SELECT " + value
}

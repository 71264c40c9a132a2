package drift

import (
	"strings"

	"github.com/cotenant/cotenant/internal/catalog"
	"github.com/cotenant/cotenant/internal/searchpath"
)

// statementsOf are the statements that create an object. What cannot be written is a
// comment.
func (r *repairer) statementsOf(o catalog.Object) []string {
	switch o.Kind {
	case catalog.Table:
		return r.table(o)
	case catalog.Column:
		return r.column(o)
	case catalog.Constraint:
		return constraint(o)
	case catalog.Index:
		return r.index(o)
	case catalog.Sequence:
		return r.sequence(o)
	case catalog.Type:
		return createType(o)
	case catalog.Domain:
		return []string{"CREATE DOMAIN " + o.Name + " " + o.Definition}
	case catalog.Function, catalog.Procedure:
		return function(o)
	case catalog.View, catalog.MaterializedView:
		return view(o)
	case catalog.Trigger, catalog.Rule:
		return r.onTable(o)
	case catalog.Policy:
		return []string{"CREATE POLICY " + own(o) + " ON " + tableOf(o) + " " + o.Definition}
	case catalog.Statistics:
		return statistics(o)
	case catalog.Comment:
		return []string{"COMMENT ON " + r.subject(o) + " IS " + searchpath.Literal(o.Definition)}
	case accessKind:
		if r.lacks(o.Of) && !strings.Contains(o.Definition, "=") {
			return nil // whoever creates it owns it
		}
	default:
	}
	return []string{unwritten(o)}
}

// unwritten says of an object that there is no statement for it.
func unwritten(o catalog.Object) string {
	return commented("to be written by hand: " + strings.TrimSpace(o.Key()+" "+o.Definition))
}

// tableOf is the name of what an object belongs to, without its kind.
func tableOf(o catalog.Object) string { return nameIn(o.Of) }

// nameIn is the name in a key.
func nameIn(key string) string {
	for _, kind := range []catalog.Kind{catalog.ForeignTable, catalog.MaterializedView} {
		if name, ok := strings.CutPrefix(key, string(kind)+" "); ok {
			return name
		}
	}
	_, name, _ := strings.Cut(key, " ")
	return name
}

// own is the name of an object within its table.
func own(o catalog.Object) string { return strings.TrimPrefix(o.Name, tableOf(o)+".") }

// constraint adds a constraint to its table, or domain.
func constraint(o catalog.Object) []string {
	parts := o.Parts()
	if domain, ok := strings.CutPrefix(o.Of, string(catalog.Domain)+" "); ok {
		return []string{"ALTER DOMAIN " + domain + " ADD CONSTRAINT " + own(o) + " " + parts[0]}
	}
	alter := "ALTER TABLE " + tableOf(o) + " "
	if _, definition := unchecked(o); definition == "" { // a partition has it from its parent
		return marks(o, alter, own(o), parts)
	}
	statements := []string{alter + "ADD CONSTRAINT " + own(o) + " " + parts[0]}
	return append(statements, marks(o, alter, own(o), parts[1:])...)
}

// marks are what an index, or the one of a constraint, has beside its definition.
func marks(o catalog.Object, alterTable, name string, parts []string) []string {
	var statements []string
	for _, part := range parts {
		switch {
		case strings.HasPrefix(part, "WITH ("):
			statements = append(statements, "ALTER INDEX "+name+" SET "+strings.TrimPrefix(part, "WITH "))
		case strings.HasPrefix(part, "TABLESPACE "):
			statements = append(statements, "ALTER INDEX "+name+" SET "+part)
		case strings.HasPrefix(part, "ALTER COLUMN "):
			statements = append(statements, "ALTER INDEX "+name+" "+part)
		case part == "CLUSTER":
			statements = append(statements, alterTable+"CLUSTER ON "+name)
		case part == "REPLICA IDENTITY":
			statements = append(statements, alterTable+"REPLICA IDENTITY USING INDEX "+name)
		default: // INVALID, DISABLE TRIGGER ON
			statements = append(statements, commented(o.Key()+" is "+part+" in the reference"))
		}
	}
	return statements
}

// index creates an index; that of a partition comes with the one of its parent.
func (r *repairer) index(o catalog.Object) []string {
	parts := o.Parts()
	create := "CREATE INDEX "
	if parts[0] == "UNIQUE" {
		create, parts = "CREATE UNIQUE INDEX ", parts[1:]
	}
	statements := []string{create + o.Name + " ON " + strings.TrimPrefix(strings.TrimPrefix(parts[0], "ON "), "ONLY ")}
	var others []string
	for _, part := range parts[1:] {
		parent, ok := strings.CutPrefix(part, "PARTITION OF ")
		switch {
		case !ok:
			others = append(others, part)
		case r.lacks(string(catalog.Index)+" "+parent) || r.lacks(o.Of):
			return nil
		default:
			statements = append(statements, "ALTER INDEX "+parent+" ATTACH PARTITION "+o.Name)
		}
	}
	return append(statements, marks(o, "ALTER TABLE "+tableOf(o)+" ", o.Name, others)...)
}

// sequence creates a sequence, which then belongs to its column.
func (r *repairer) sequence(o catalog.Object) []string {
	create := "CREATE SEQUENCE "
	var options []string
	for _, part := range o.Parts() {
		switch {
		case part == "UNLOGGED":
			create = "CREATE UNLOGGED SEQUENCE "
		case strings.HasPrefix(part, "OWNED BY "):
			r.last = append(r.last, "ALTER SEQUENCE "+o.Name+" "+part)
		default:
			options = append(options, part)
		}
	}
	return []string{create + o.Name + " " + strings.Join(options, " ")}
}

// createType creates an enum, a composite type, or a range; functions of a range are
// written with their arguments, which CREATE TYPE does not take.
func createType(o catalog.Object) []string {
	if !strings.HasPrefix(o.Definition, "AS ") || strings.Contains(o.Definition, "CANONICAL = ") || strings.Contains(o.Definition, "SUBTYPE_DIFF = ") {
		return []string{unwritten(o)}
	}
	return []string{"CREATE TYPE " + o.Name + " " + o.Definition}
}

// view creates a view, and the defaults of its columns.
func view(o catalog.Object) []string {
	kind := strings.ToUpper(string(o.Kind))
	var statements []string
	create := "CREATE " + kind + " " + o.Name
	for _, part := range o.Parts() {
		if strings.HasPrefix(part, "ALTER COLUMN ") {
			statements = append(statements, "ALTER "+kind+" "+o.Name+" "+strings.ReplaceAll(part, " ALTER COLUMN ", ", ALTER COLUMN "))
			continue
		}
		create += " " + strings.TrimRight(part, ";")
	}
	return append([]string{create}, statements...)
}

// onTable creates a trigger or a rule, whose definition is the whole statement. That of a
// partition comes with the one of its parent.
func (r *repairer) onTable(o catalog.Object) []string {
	how, create := firing(o)
	switch {
	case create == "":
		r.last = append(r.last, fire(o, how))
		return nil
	case how == "ENABLE":
		return []string{create}
	}
	return []string{create, fire(o, how)}
}

// statistics creates extended statistics. Their kinds are letters in the catalog.
func statistics(o catalog.Object) []string {
	parts := o.Parts()
	letters, _, _ := strings.Cut(strings.TrimPrefix(parts[0], "("), ")")
	var kinds []string
	for letter := range strings.SplitSeq(letters, ", ") {
		if kind := map[string]string{"d": "ndistinct", "f": "dependencies", "m": "mcv"}[letter]; kind != "" {
			kinds = append(kinds, kind)
		}
	}
	create := "CREATE STATISTICS " + o.Name + " "
	if len(kinds) > 0 {
		create += "(" + strings.Join(kinds, ", ") + ") "
	}
	var target []string
	if last := parts[len(parts)-1]; strings.HasPrefix(last, "STATISTICS ") {
		target, parts = []string{"ALTER STATISTICS " + o.Name + " SET " + last}, parts[:len(parts)-1]
	}
	return append([]string{create + "ON " + strings.Join(parts[1:], " ")}, target...)
}

// subject is what a comment is on, in SQL.
func (r *repairer) subject(o catalog.Object) string {
	of := r.wants[o.Name]
	switch of.Kind {
	case catalog.Constraint:
		if domain, ok := strings.CutPrefix(of.Of, string(catalog.Domain)+" "); ok {
			return "CONSTRAINT " + own(of) + " ON DOMAIN " + domain
		}
		return "CONSTRAINT " + own(of) + " ON " + tableOf(of)
	case catalog.Trigger, catalog.Rule, catalog.Policy:
		return strings.ToUpper(string(of.Kind)) + " " + own(of) + " ON " + tableOf(of)
	default:
		name := nameIn(o.Name)
		return strings.ToUpper(strings.TrimSuffix(o.Name, name)) + name
	}
}

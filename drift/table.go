package drift

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cotenant/cotenant/internal/catalog"
)

// table creates a table with its columns; the rest of it are objects of their own.
func (r *repairer) table(o catalog.Object) []string {
	create, before, behind := "CREATE TABLE ", "", ""
	partition := false
	var options, alter []string
	for _, part := range o.Parts() {
		switch {
		case part == "UNLOGGED":
			create = "CREATE UNLOGGED TABLE "
		case strings.HasPrefix(part, "OF "):
			return []string{unwritten(o)}
		case strings.HasPrefix(part, "PARTITION OF "):
			partition, before = true, " "+part+before
		case strings.HasPrefix(part, "FOR VALUES "), part == "DEFAULT":
			before += " " + part
		case strings.HasPrefix(part, "INHERITS "):
			behind = " INHERITS (" + strings.TrimPrefix(part, "INHERITS ") + ")" + behind
		case strings.HasPrefix(part, "PARTITION BY "), strings.HasPrefix(part, "USING "):
			behind += " " + part
		case strings.HasPrefix(part, "WITH ("):
			options = append(options, strings.TrimSuffix(strings.TrimPrefix(part, "WITH ("), ")"))
		case strings.HasPrefix(part, "TABLESPACE "):
			alter = append(alter, "SET "+part)
		default: // ROW LEVEL SECURITY, REPLICA IDENTITY
			alter = append(alter, part)
		}
	}
	if len(options) > 0 {
		behind += " WITH (" + strings.Join(options, ", ") + ")"
	}
	columns, more := r.columns(o)
	if partition {
		columns, more = before, r.ownParts(o)
	}
	statements := []string{create + o.Name + columns + behind}
	for _, part := range alter {
		statements = append(statements, "ALTER TABLE "+o.Name+" "+part)
	}
	return append(statements, more...)
}

// inherited reports whether a column comes with the table's parent as it should be.
func (r *repairer) inherited(o catalog.Object) bool {
	return slices.ContainsFunc(r.parents(o.Of), func(parent string) bool {
		return r.wants[string(catalog.Column)+" "+parent+"."+own(o)].Definition == o.Definition
	})
}

// columns are the columns of a table in their order, without those that it inherits, and the statements that make them
// whole.
func (r *repairer) columns(table catalog.Object) (list string, more []string) {
	var columns []catalog.Object
	for _, o := range r.wants {
		if o.Kind == catalog.Column && o.Of == table.Key() && !r.inherited(o) {
			columns = append(columns, o)
		}
	}
	slices.SortFunc(columns, func(a, b catalog.Object) int { return cmp.Compare(a.Position, b.Position) })
	lines := make([]string, len(columns))
	for i, o := range columns {
		text, alter := r.definition(o)
		lines[i] = "\n\t" + own(o) + " " + text
		more = append(more, alter...)
	}
	if len(lines) == 0 {
		return " ()", nil
	}
	return " (" + strings.Join(lines, ",") + "\n)", more
}

// ownParts are the statements that have the columns of a partition as they should be, which
// come with the table's parent.
func (r *repairer) ownParts(table catalog.Object) (statements []string) {
	for _, key := range r.partsOf(table.Key()) {
		if !r.inherited(r.wants[key]) {
			statements = append(statements, r.ownPart(r.wants[key])...)
		}
	}
	return statements
}

// ownPart are those for one column, which has come with that of a parent.
func (r *repairer) ownPart(o catalog.Object) (statements []string) {
	var inherited []string
	for _, parent := range r.parents(o.Of) {
		inherited = append(inherited, r.wants[string(catalog.Column)+" "+parent+"."+own(o)].Parts()...)
	}
	alter := "ALTER TABLE " + tableOf(o) + " ALTER COLUMN " + own(o) + " "
	isDefault := func(part string) bool { return strings.HasPrefix(part, "DEFAULT ") }
	parts := o.Parts()
	if slices.ContainsFunc(inherited, isDefault) && !slices.ContainsFunc(parts, isDefault) {
		statements = append(statements, alter+"DROP DEFAULT")
	}
	for _, part := range parts[1:] {
		switch {
		case slices.Contains(inherited, part):
		case isDefault(part), part == "NOT NULL", strings.HasPrefix(part, "STORAGE "), strings.HasPrefix(part, "STATISTICS "), strings.HasPrefix(part, "COMPRESSION "):
			statements = append(statements, alter+"SET "+part)
		case strings.HasPrefix(part, "WITH ("):
			statements = append(statements, alter+"SET "+strings.TrimPrefix(part, "WITH "))
		default:
			statements = append(statements, unwritten(o))
		}
	}
	return statements
}

// column adds a column to a table that is there.
func (r *repairer) column(o catalog.Object) []string {
	if strings.HasPrefix(o.Of, string(catalog.ForeignTable)) {
		return []string{unwritten(o)}
	}
	text, more := r.definition(o)
	var statements []string
	if slices.Contains(o.Parts(), "NOT NULL") && !strings.Contains(text, " DEFAULT ") && !strings.Contains(text, " GENERATED ") {
		statements = append(statements, commented(o.Key()+" is NOT NULL and has no default: where the table has rows, add it without, and fill it, first"))
	}
	return append(append(statements, "ALTER TABLE "+tableOf(o)+" ADD COLUMN "+own(o)+" "+text), more...)
}

// definition is a column as CREATE TABLE has it, and the statements for what that has no
// place for.
func (r *repairer) definition(o catalog.Object) (text string, more []string) {
	parts := o.Parts()
	alter := "ALTER TABLE " + tableOf(o) + " ALTER COLUMN " + own(o) + " "
	text = parts[0]
	for _, part := range parts[1:] {
		switch {
		case strings.HasPrefix(part, "STORAGE "), strings.HasPrefix(part, "STATISTICS "), strings.HasPrefix(part, "COMPRESSION "):
			more = append(more, alter+"SET "+part)
		case strings.HasPrefix(part, "WITH ("):
			more = append(more, alter+"SET "+strings.TrimPrefix(part, "WITH "))
		case part == "NOT VALID": // of NOT NULL
			text = strings.Replace(text, " NOT NULL", "", 1)
			more = append(more, "ALTER TABLE "+tableOf(o)+" ADD NOT NULL "+own(o)+" NOT VALID")
		case strings.HasSuffix(part, " AS IDENTITY"):
			text += " " + part + r.identity(o)
		case strings.HasPrefix(part, "OPTIONS ("):
			more = append(more, unwritten(o))
		default: // COLLATE, NOT NULL, DEFAULT, GENERATED
			text += " " + part
		}
	}
	return text, more
}

func isIdentity(column catalog.Object) bool {
	return column.Kind == catalog.Column && strings.Contains(column.Definition, " AS IDENTITY")
}

// identity are the options of the sequence of an identity column.
func (r *repairer) identity(column catalog.Object) string {
	for _, o := range r.wants {
		if o.Kind != catalog.Sequence || o.Of != column.Key() {
			continue
		}
		options := []string{"SEQUENCE NAME " + o.Name}
		for _, part := range o.Parts() {
			if !strings.HasPrefix(part, "AS ") && !strings.HasPrefix(part, "OWNED BY ") && part != "UNLOGGED" {
				options = append(options, part)
			}
		}
		return " (" + strings.Join(options, " ") + ")"
	}
	return ""
}

package catalog

import "strings"

// Object is something that a schema has. Objects are comparable.
type Object struct {
	// Kind is what the object is: table, column, index, constraint, …
	Kind Kind
	// Name tells the object from others of its kind in the schema, with quotes where
	// SQL needs them: things, things.price of a column, a constraint, a trigger, a
	// policy or a rule, total(integer, text) of a function, and the key of the object
	// that it is about of a comment.
	Name string
	// Of is the key of the object that this one belongs to, and without which it is
	// not there: the table of a column or an index, the column of a serial's sequence.
	// It is empty for objects that stand for themselves.
	Of string
	// Definition is the full state of the object in SQL, or nearly: the words that
	// would stand behind its name. It does not have the schema's name, owners,
	// privileges or comments, and is empty for an ordinary table.
	Definition string
	// Access is who owns the object, and who has which privileges on it where these are
	// not the ones that every new object has.
	Access string
	// Position is the place of a column among those of its table, with gaps where
	// columns were dropped; 0 for all else.
	Position int32

	parts string // Definition with separators
}

// separators stand, in what the query returns, between the parts of a definition, in
// place of a space and of a line break.
const (
	spaceSeparator = "\x1f"
	lineSeparator  = "\x1e"
)

// Parts are what Definition is made of: for a column its type, then COLLATE …, NOT NULL,
// DEFAULT … and so on as far as it has them, in the order in which they stand there; for
// a function its arguments, RETURNS …, LANGUAGE … and the like, SET … for each setting,
// and the body.
func (o Object) Parts() []string {
	if o.parts == "" {
		return nil
	}
	return strings.Split(strings.ReplaceAll(o.parts, lineSeparator, spaceSeparator), spaceSeparator)
}

// defined is an object with the definition that the query returned for it.
func (o Object) defined() Object {
	o.parts = o.Definition
	o.Definition = strings.ReplaceAll(strings.ReplaceAll(o.Definition, spaceSeparator, " "), lineSeparator, "\n")
	return o
}

// Key tells the object from all others of the schema: "column things.price".
func (o Object) Key() string { return string(o.Kind) + " " + o.Name }

// Kind is what an object is, in words for people.
type Kind string

// The kinds of objects.
const (
	Aggregate               Kind = "aggregate"
	Collation               Kind = "collation"
	Column                  Kind = "column"
	Comment                 Kind = "comment"
	Constraint              Kind = "constraint"
	Conversion              Kind = "conversion"
	DefaultPrivileges       Kind = "default privileges"
	Domain                  Kind = "domain"
	Extension               Kind = "extension"
	ForeignTable            Kind = "foreign table"
	Function                Kind = "function"
	Index                   Kind = "index"
	MaterializedView        Kind = "materialized view"
	Operator                Kind = "operator"
	OperatorClass           Kind = "operator class"
	OperatorFamily          Kind = "operator family"
	Policy                  Kind = "policy"
	Procedure               Kind = "procedure"
	Rule                    Kind = "rule"
	SchemaItself            Kind = "schema"
	Sequence                Kind = "sequence"
	Statistics              Kind = "statistics"
	Table                   Kind = "table"
	TextSearchConfiguration Kind = "text search configuration"
	TextSearchDictionary    Kind = "text search dictionary"
	Trigger                 Kind = "trigger"
	Type                    Kind = "type"
	View                    Kind = "view"
)

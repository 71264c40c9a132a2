package catalog

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
	// Access is who owns the object, and who else has which privileges on it.
	Access string
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
	Sequence                Kind = "sequence"
	Statistics              Kind = "statistics"
	Table                   Kind = "table"
	TextSearchConfiguration Kind = "text search configuration"
	TextSearchDictionary    Kind = "text search dictionary"
	Trigger                 Kind = "trigger"
	Type                    Kind = "type"
	View                    Kind = "view"
)

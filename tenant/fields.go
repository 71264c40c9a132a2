package tenant

import (
	"encoding"
	"encoding/json"
	"iter"
	"reflect"
	"slices"
)

// Fields are the columns that the user added to the tenants table, in the
// table's order. The zero value has none. Fields are immutable and safe for
// concurrent use; values that are slices or maps must not be modified.
//
// registry.Decode gives typed access.
type Fields struct{ columns []Column }

// Column is one column of one tenant's row.
type Column struct {
	// Name of the column.
	Name string
	// TypeOID is the object id of the column's PostgreSQL type.
	TypeOID uint32
	// Text is the value in PostgreSQL's text format, nil for NULL.
	Text []byte
	// Value is the value as pgx decodes it: nil for NULL, bool, int64,
	// float64, string, time.Time, []any …; text for types it does not know.
	Value any
}

// NewFields makes Fields of columns. It is for the package that reads the table
// and for tests.
func NewFields(columns ...Column) Fields { return Fields{columns} }

// Get returns the value of the named column: nil if it is NULL or missing. In a
// template: {{.Fields.Get "name"}}.
func (f Fields) Get(name string) any {
	c, _ := f.Lookup(name)
	return c.Value
}

// Lookup returns the named column, and whether there is one.
func (f Fields) Lookup(name string) (Column, bool) {
	for _, c := range f.columns {
		if c.Name == name {
			return c, true
		}
	}
	return Column{}, false
}

// All iterates over the names and values, in the table's order.
func (f Fields) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, c := range f.columns {
			if !yield(c.Name, c.Value) {
				return
			}
		}
	}
}

// MarshalJSON returns an object with a member for each column. A value that JSON
// has no form for, such as a uuid, an interval, or a date before Christ, is its text.
func (f Fields) MarshalJSON() ([]byte, error) {
	object := make(map[string]json.RawMessage, len(f.columns))
	for _, c := range f.columns {
		value, err := json.Marshal(c.Value)
		if err != nil || !isJSON(c.Value) {
			if value, err = json.Marshal(string(c.Text)); err != nil {
				return nil, err
			}
		}
		object[c.Name] = value
	}
	return json.Marshal(object)
}

// isJSON reports whether the JSON of a value is what a reader expects: not the insides of a
// type that Go has for it.
func isJSON(value any) bool {
	switch v := value.(type) {
	case nil, json.Marshaler, encoding.TextMarshaler:
		return true
	case []any:
		return !slices.ContainsFunc(v, func(element any) bool { return !isJSON(element) })
	}
	switch kind := reflect.TypeOf(value).Kind(); kind {
	case reflect.Array, reflect.Slice, reflect.Struct, reflect.Pointer:
		return false
	default:
		return true
	}
}

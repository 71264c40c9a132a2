// Package schema describes the entities that ent generates its client of. The tables
// are those of apps/library/schema.sql.
package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
)

// Author has many books.
type Author struct{ ent.Schema }

// Fields of an author.
func (Author) Fields() []ent.Field {
	return []ent.Field{field.Text("name").Unique()}
}

// Edges of an author.
func (Author) Edges() []ent.Edge {
	return []ent.Edge{edge.To("books", Book.Type).StorageKey(edge.Symbol("books_author_id_fkey"))}
}

package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
)

// Book belongs to an author.
type Book struct{ ent.Schema }

// Fields of a book.
func (Book) Fields() []ent.Field {
	return []ent.Field{field.Int("author_id"), field.Text("title")}
}

// Edges of a book.
func (Book) Edges() []ent.Edge {
	return []ent.Edge{edge.From("author", Author.Type).Ref("books").Field("author_id").Required().Unique()}
}

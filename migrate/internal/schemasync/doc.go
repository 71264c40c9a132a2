// Package schemasync says which statements of an app's schema.sql a schema lacks, and
// what the schema has otherwise.
//
// PostgreSQL itself decides what a statement is: [Learn] runs the files, a statement
// at a time, in a scratch schema that is rolled back, and reads the catalog in
// between. So the names of unnamed constraints, the sequences of serial columns, what
// a DO block makes and which of two overloaded functions is meant are as they will be
// in the schemas. [Definition.Compare] then needs no database but the list of what a
// schema has.
//
// Nothing that a schema has is altered or dropped. A statement of schema.sql
//
//   - that creates objects runs where the schema lacks all of them. Where it lacks a
//     part, a column of a table that is there, that is a difference;
//   - that changes objects (ALTER TABLE … SET DEFAULT) runs where the objects were
//     created in the same sync; elsewhere it is a difference, if the schema's objects
//     are not already so;
//   - that changes owners or privileges only (GRANT) runs where one of the objects was
//     created in the same sync; elsewhere it does not, which is told, unless the schema's
//     objects are already so;
//   - that changes rows only (INSERT, setval) runs where the tables and sequences were
//     created in the same sync; elsewhere it does not, which is told: rows are not compared;
//   - that undoes another (DROP, RENAME) goes with it: both run, or none;
//   - that sets something (SET) runs where a later one does.
//
// A schema that has nothing of an app gets all statements as they stand.
//
// Constraints, indexes, statistics and sequences of columns whose statement does not
// name them are known by what they are, as PostgreSQL's choice of name depends on what
// was there at the time.
package schemasync

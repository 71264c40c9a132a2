// Package sqlfile reads the SQL files of an app as far as it takes to run them a
// statement at a time.
//
// # Forms
//
// The files of a folder migrations/ are of one form, told by their content or, for
// pairs, by their names:
//
//   - goose: sections -- +goose Up and Down, with StatementBegin, StatementEnd and
//     NO TRANSACTION (goose's documentation, "SQL migrations", and its parser).
//     ENVSUB ON is refused: what runs must be the same in every schema.
//   - golang-migrate: 0001_name.up.sql and 0001_name.down.sql, paired by number; the
//     latter may be missing (its documentation, MIGRATIONS.md, and source/parse.go).
//   - dbmate: sections -- migrate:up and -- migrate:down, with transaction:false (the
//     README of dbmate, and its parser).
//   - sql-migrate: sections -- +migrate Up and Down, with notransaction, StatementBegin
//     and StatementEnd (its README and parser).
//   - tern: the way up above ---- create above / drop below ----, the way back below it,
//     with ---- tern: disable-tx ---- (its README). Templates are refused.
//   - plain: the file is the way up, and there is no way back.
//
// What their own tool passes over in silence, such as an annotation with a slip in it,
// is refused here: a file taken for another form would run its way back as well.
//
// In every form, comment lines between the statements can say
//
//	-- cotenant:requires customers/0002_plans
//	-- cotenant:no-transaction
//
// # Statements
//
// Statements are split by the lexical rules of PostgreSQL (manual, 4.1 "Lexical
// Structure", with standard_conforming_strings on) as psql does it, in all forms, also
// within StatementBegin and StatementEnd: one statement a message tells which one
// failed. That accepts what the tools accept, which look for semicolons at the ends of
// lines. A BEGIN and a COMMIT around everything are taken off; what else would end the
// transaction, set the search path, or speak to psql is refused with its line.
//
// # Dumps
//
// What pg_dump writes is known by the statement that empties the search path. Its
// preamble is taken out, and for a tenant's app the owners and the name of the schema
// public as well: in front of names, and in strings that are cast to regclass and its
// like, but not in other strings, comments and the bodies of functions. The lines stay
// as they are. Where the meaning would change, the file is refused.
//
// Everything else is left as it is written, and a tenant's file that creates, alters or
// drops something outside of the tenant's schema is refused.
package sqlfile

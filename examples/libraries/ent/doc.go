// Package ent shows cotenant with entgo.io/ent, tried with 0.14.5, over Tenancy.SQL. It
// is the client that ent generates of the folder schema. Edges, eager loading, bulk
// creation and transactions work unchanged, and every call takes ctx. What to watch out
// for:
//
//   - Schema.Create, the automatic migration, is refused with tenant.ErrNoTenant, with a
//     tenant in ctx too: a part of it has no context. The tables come from schema.sql and
//     migrations. TestSchemaAgrees shows how to keep both descriptions of them in step:
//     Schema.WriteTo says what ent would change in a scratch database with schema.sql's
//     tables. Names of constraints count; StorageKey in the schema tells ent yours.
//   - A Tx is its tenant's: another's ctx is refused. Hooks and interceptors get the ctx of
//     the call, and tenant.FromContext tells them whose it is.
//   - An entity that was loaded keeps its client and no tenant: author.QueryBooks() runs for
//     the ctx that it is given, and finds another tenant's books by the same id if that is
//     another tenant's.
//   - The feature sql/schemaconfig, ent's own way to many schemas, names a schema in each
//     statement and is not needed.
//   - Do not close the client: it would close Tenancy.SQL, which Tenancy.Close does.
package ent

//go:generate go tool ent generate ./schema

// Package sqlc shows cotenant with the code that github.com/sqlc-dev/sqlc generates for
// pgx, tried with 1.31.1. The queries in queries.sql name no schema, and sqlc.yaml names
// the app's schema.sql, so that one description of the tables serves both.
//
// Tenancy.DB is a DBTX, for :copyfrom and :batch… queries too, and a transaction that it
// begins is another. What to watch out for:
//
//   - sqlc.yaml lists the schema.sql of every app that the queries use, those of the shared
//     apps too. For an app that has migrations only, it lists those; for one that has
//     both, not both.
//   - pgx takes an enum as it is, but not an array of them, such as sqlc makes of
//     status = ANY(@statuses::order_status[]): name the type in pgxtenant.Config.Types. Do
//     not register it in pgxpool.Config.AfterConnect, before there is a tenant: each has a
//     type of its own.
//   - Nothing needs to be prepared: the statements that come back are, for each tenant.
//   - With sql_package database/sql, Tenancy.SQL is the DBTX.
package sqlc

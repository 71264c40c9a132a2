// Package sqlx shows cotenant with github.com/jmoiron/sqlx, tried with 1.4.0, over
// Tenancy.SQL. What to watch out for:
//
//   - sqlx.NewDb takes "pgx" as the name of the driver, by which it knows that PostgreSQL
//     counts its parameters: $1, not ?.
//   - Use the methods that end in Context, and BeginTxx, on statements and transactions as
//     well: DB.Get, Stmt.Select, Tx.NamedExec and so on have no tenant, and fail with
//     tenant.ErrNoTenant.
//   - A statement that was prepared, named or not, belongs to nobody and may be kept: it
//     runs in the schema of the tenant in the ctx of each call.
//   - A Tx is its tenant's: the ctx of another is refused with tenant.ErrOtherTenant.
//   - pgx takes slices, so that = any($1) does without sqlx.In, whose text differs with the
//     number of values: each would be described and prepared anew.
package sqlx

// Package bun shows cotenant with github.com/uptrace/bun, tried with 1.3.0, over
// Tenancy.SQL. Relations, transactions and savepoints work unchanged, and every method
// that sends something takes ctx. What to watch out for:
//
//   - bun writes values into the text of a statement, so that each is a new one, and pgx
//     asks the server first what its columns are: two round trips.
//     default_query_exec_mode=exec in Config.DatabaseURL makes it one, and a select by key
//     took 0.63 of the time. It holds for statements through Tenancy.DB too, whose
//     arguments are then encoded by their Go types alone; see pgx.QueryExecModeExec.
//   - RunInTx is its tenant's. Use the ctx that it hands on, and tx, not db: that would take
//     another connection.
//   - NewCreateTable and the migrations of bun/migrate work in the schema of the tenant in
//     ctx, or are refused without one. Prefer cotenant's migrations, which know all tenants.
//   - A model with a schema in its name (bun:"table:public.plans") is found there, whoever
//     asks: right for shared tables, wrong for a tenant's.
//   - Do not close the bun.DB: it would close Tenancy.SQL, which Tenancy.Close does.
package bun

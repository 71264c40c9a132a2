// Package squirrel shows that github.com/Masterminds/squirrel, tried with 1.5.4, works over
// Tenancy.SQL, with RunWith or through its cache of statements, and that what ToSql
// returns is for Tenancy.DB. What to watch out for:
//
//   - Methods that end in Context take the tenant; Query, Exec and Scan without one are
//     refused with tenant.ErrNoTenant.
//   - PostgreSQL's parameters are those of squirrel.Dollar.
//   - NewStmtCache is not needed, since statements that come back are prepared for each
//     tenant anyway, and it never forgets one.
package squirrel

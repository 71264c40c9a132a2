package conformance

import (
	"context"
	"fmt"
)

// Way is a way in to the database: how it is opened, and what it promises beyond
// the least.
type Way struct {
	// Name names it in tests and reports: "DB, on_change".
	Name string

	// Open opens it with at most this many connections. With one, each call finds
	// what the call before left behind.
	Open func(ctx context.Context, connections int) (Access, error)

	// Blinks: a schema that goes away and comes back while one statement runs, too
	// short for a proof in front of it and one behind to miss it by its name, is
	// noticed.
	Blinks bool

	// Clean: nothing else than the path carries over either. Temporary tables,
	// cursors, advisory locks, roles, settings and LISTEN registrations end with
	// the call, the transaction or the acquired connection that made them.
	Clean bool

	// HiddenPath: a search_path that the application set where nobody sees it, as
	// set_config in a function does, is put right too.
	HiddenPath bool

	// Identity: a schema is known by more than its name, so that a name that passes
	// from one tenant to another in the middle of a transaction is noticed.
	Identity bool

	// InnerCommits: where a block or procedure commits within itself, a schema that
	// goes away meanwhile is noticed for what comes behind too.
	InnerCommits bool

	// Modes are what a call may have in front of its arguments to choose how it is
	// sent: for pgx a pgx.QueryExecMode.
	Modes []any

	// Owned: a call on a transaction or a connection with the context of another
	// tenant, or of none, is refused before anything is sent.
	Owned bool

	// Proves: every call finds out whether the schema exists before anything of it is
	// executed, also where the one before was for the same tenant.
	Proves bool

	// Sessions: a session holds from one call to the next on an acquired
	// connection, so that SET, cursors WITH HOLD and the like work there. A pooler
	// of transactions does not promise that.
	Sessions bool

	// Watched: a schema that goes away while a statement waits, or between two of a
	// transaction or an acquired connection, is noticed: what the statements behind
	// write does not land in public. A way that is watched also proves.
	Watched bool
}

// rowsError says that a query which has one row had n.
func rowsError(n int) error { return fmt.Errorf("%d rows; want 1", n) }

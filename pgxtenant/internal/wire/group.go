package wire

// group is a run of messages up to a Sync, or a simple Query: what the server
// answers with one ReadyForQuery.
type group struct {
	query   bool // it is a simple Query
	silent  bool // it is all ours: pgx does not know of it
	awaited bool // and its error is not for pgx
	set     bool // it sets the path
	failed  bool // there was an error

	// answers are the final answers that are still to come, in order: the type of
	// one to a message of ours, theirs for one to the application's. Those of a
	// simple Query are only what comes in front of the application's.
	answers []byte

	// Of a simple Query: whether a proof stands behind it, and whether its answer
	// has begun; how many characters stand in front of the application's text, and
	// how many that has.
	tail, tailing bool
	shift, length int
}

// theirs stands for a final answer that is the application's.
const theirs = 0

// ours reports whether the next answer is to a message of ours.
func (g *group) ours() bool {
	return g.tailing || len(g.answers) > 0 && g.answers[0] != theirs
}

// isFinal reports whether a message of the server's is the final answer to one of an
// extended group: ParseComplete, BindComplete, CloseComplete, RowDescription or
// NoData, CommandComplete, EmptyQueryResponse or PortalSuspended.
func isFinal(kind byte) bool {
	switch kind {
	case parsed, bound, closed, rowShape, 'n', executed, 'I', 's':
		return true
	}
	return false
}

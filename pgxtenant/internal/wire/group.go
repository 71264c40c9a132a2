package wire

// group is a run of messages up to a Sync, or a simple Query: what the server
// answers with one ReadyForQuery.
type group struct {
	query   bool // it is a simple Query
	silent  bool // it is all ours: pgx does not know of it
	awaited bool // and Write waits for its answer
	quiet   bool // and its error is not for pgx
	set     bool // it sets the path
	adds    bool // it prepares a statement of ours
	touches bool // the application may set the path in it
	failed  bool // there was an error

	// answers are the final answers that are still to come, in order: the type of
	// one to a message of ours, theirs for one to the application's. Those of a
	// simple Query are only what comes in front of the application's.
	answers []byte

	// Of a simple Query: what is ours in its text, how many proofs stand behind the
	// application's statements, and whether the answer to one has begun.
	ours    []span
	proofs  int
	proving bool
}

// What stands for an answer that is the application's: any final one, and one to a
// Describe of ours, which is the application's if there are rows.
const (
	theirs = 0
	shape  = 'd'
)

// next reports whether the next answer is to something of ours.
func (g *group) next() bool {
	return g.proving || len(g.answers) > 0 && g.answers[0] != theirs
}

// isFinal reports whether a message of the server's is the final answer to one of an
// extended group: ParseComplete, BindComplete, CloseComplete, RowDescription or
// NoData, CommandComplete, EmptyQueryResponse or PortalSuspended.
func isFinal(kind byte) bool {
	switch kind {
	case parsed, bound, closed, rowShape, noData, executed, 'I', 's':
		return true
	}
	return false
}

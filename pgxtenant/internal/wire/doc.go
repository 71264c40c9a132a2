// Package wire stands between pgx and the server, and sets the search_path of a
// session on the wire, with no round trip of its own.
//
// A [Conn] is told the wanted path with [Conn.Want]. What the application sends
// comes in groups: the messages of the extended protocol up to a Sync, or a simple
// Query. The server runs a group as one transaction (unless the application has one
// open), and skips what is left of it after an error. So a statement that sets the
// path is put in front of the first group, within it: if it fails or is cancelled,
// the application's own is never executed on another path.
//
// A path whose schema does not exist leads to public, so there are proofs that it
// exists: a parameter of type regnamespace, which PostgreSQL looks up when it is bound,
// and in a simple Query a cast in its text. One stands in front of what reads or
// writes, so that nothing of public is read; one stands behind it, so that what was
// done while the schema was dropped or renamed is undone.
//
// The server's answers to what was put in are taken out again. What is not
// understood breaks the connection, which the pool then replaces.
//
// Nothing can stand behind what a procedure or a DO block does after a COMMIT of its
// own, nor behind triggers that are deferred to a COMMIT: they run on the right path,
// but where the schema is dropped or renamed at that very moment, what they wrote is
// not undone.
package wire

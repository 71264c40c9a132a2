// Package wire stands between pgx and the server, and sets the search_path of a
// connection on the wire, with no round trip of its own.
//
// A [Conn] is given the wanted path with [Conn.Want]. While the session is not
// known to have it, each group of messages that the application sends (an
// extended-protocol group up to its Sync, or a simple Query) gets a statement in
// front, within the group, that sets the path and proves that its schema exists.
// If that statement fails, or is cancelled, the server skips the rest of the
// group: the application's statement is never executed on another path. The
// answers to it are taken out of the server's stream; its error is passed on as
// the group's.
//
// What is not understood breaks the connection, which the pool then replaces.
package wire

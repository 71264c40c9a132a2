// Package syntax reads SQL with PostgreSQL's own grammar, that of version 17, and gives
// its parse tree as nodes that are asked by the names that PostgreSQL's source has for
// them (src/include/nodes/parsenodes.h).
//
// The grammar is libpg_query's, compiled to WebAssembly: no C compiler, and no other
// process. Loading it takes one to three seconds, once in a program and not before the first
// text is parsed; a statement then takes some tens of microseconds.
package syntax

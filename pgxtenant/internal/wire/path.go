package wire

import (
	"strings"

	"github.com/cotenant/cotenant/internal/searchpath"
)

// Path is a search_path.
type Path struct {
	// SearchPath is the value of the setting: schema names, quoted, with commas.
	SearchPath string
	// Schema is the one of them that must exist, quoted.
	Schema string
}

// A statement with a parameter of type regnamespace proves that a schema exists: the
// value is looked up when it is bound, before anything is executed, and that fails
// where no schema has the name. What executes is nothing, or sets the path (SET alone
// accepts a schema that does not exist); the parameter is not used.
//
// They are prepared on the server with the first group that needs them; the path's
// for each path. SET is a utility statement: one of set_config, which is a SELECT,
// would be planned anew whenever the path is another than when it was planned
// (plancache.c), which is at every switch. Behind a pooler the unnamed statement takes
// their place, and set_config that of SET LOCAL, which raises a warning outside of a
// transaction block.
const (
	proofName = "cotenant_proof"
	proofSQL  = ""

	pathName = "cotenant_path_" // and a number
	pathSQL  = "SET search_path TO "

	localPathPrefix = "SET LOCAL search_path TO " // behind a BEGIN

	localPathSQL = "SELECT pg_catalog.set_config('search_path', $1, true), pg_catalog.to_regclass($3)" // $2 is the proof
)

// A schema that the role may not use is passed over as one that does not exist is.
// Looking for whatever is in it fails then. That is done once for each path.
const (
	usageName = "cotenant_usage"
	usageSQL  = "SELECT pg_catalog.to_regclass($1)"
)

// maxPaths is how many paths have a statement on the server, which takes 3 KB there
// (measured on PostgreSQL 15).
const maxPaths = 1024

// Types of our parameters (pg_type.dat).
const (
	textOID         = 25
	regnamespaceOID = 4089
)

// proofColumn is the name of the column by which a proof within a simple Query is
// known in the server's answer.
const proofColumn = "cotenant_proof"

// The server's final answers to our messages: ParseComplete and so on.
const (
	parsed   = '1'
	bound    = '2'
	closed   = '3'
	executed = 'C'
	rowShape = 'T'
	noData   = 'n'
)

// setQuery proves the schema and sets the path as the beginning of a simple Query's
// text.
func (p Path) setQuery() string {
	return p.proofQuery() + ", " + p.usage() + "; " + pathSQL + p.SearchPath + "; "
}

// localSetQuery does so for the transaction of that text.
func (p Path) localSetQuery() string {
	return "SELECT pg_catalog.set_config('search_path', " + searchpath.Literal(p.SearchPath) + ", true), " + p.usage() + " WHERE " + searchpath.Literal(p.Schema) + "::pg_catalog.regnamespace IS NOT NULL; "
}

// within is the name of something in the schema.
func (p Path) within() string { return p.Schema + ".cotenant" }

// usage fails where the role may not use the schema.
func (p Path) usage() string { return "pg_catalog.to_regclass(" + searchpath.Literal(p.within()) + ")" }

// proofQuery proves the schema within a simple Query's text.
func (p Path) proofQuery() string {
	return "SELECT " + searchpath.Literal(p.Schema) + "::pg_catalog.regnamespace AS " + proofColumn
}

// usageQuery proves the schema, and that the role may use it, as proofQuery does.
func (p Path) usageQuery() string {
	proof := searchpath.Literal(p.Schema) + "::pg_catalog.regnamespace"
	return "SELECT CASE WHEN " + p.usage() + " IS NULL THEN " + proof + " ELSE " + proof + " END AS " + proofColumn
}

// equalPaths reports whether two values of search_path have the same names: the server
// reports them with quotes only where they are needed.
func equalPaths(a, b string) bool {
	if a == b {
		return true
	}
	for a != "" && b != "" {
		var x, y string
		x, a = nextName(a)
		y, b = nextName(b)
		if x != y {
			return false
		}
	}
	return a == b
}

// nextName returns the first name of a list and the rest of that, as
// SplitIdentifierString (varlena.c) takes it apart.
func nextName(list string) (name, rest string) {
	list = strings.TrimLeft(list, " \t\r\n\f\v,")
	if !strings.HasPrefix(list, `"`) {
		end := strings.IndexByte(list, ',')
		if end < 0 {
			end = len(list)
		}
		return strings.ToLower(strings.TrimRight(list[:end], " \t\r\n\f\v")), list[end:]
	}
	list = list[1:]
	for {
		end := strings.IndexByte(list, '"')
		if end < 0 {
			return name + list, ""
		}
		name += list[:end]
		list = list[end+1:]
		if !strings.HasPrefix(list, `"`) {
			return name, list
		}
		name += `"`
		list = list[1:]
	}
}

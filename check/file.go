package check

import (
	"regexp"

	"github.com/cotenant/cotenant/check/internal/syntax"
	"github.com/cotenant/cotenant/migrate"
)

// file is a file with what its statements mean.
type file struct {
	migrate.SourceFile
	statements []statement
}

// statement is one with its parse tree.
type statement struct {
	migrate.FileStatement
	// nodes are the statement, and those within it where it is a DO block.
	nodes []syntax.Node
	// fault says why the grammar does not take it.
	fault string
	// refused has New refuse it: what else there is to say of it does not matter.
	refused bool
}

// parse reads the statements of files. Those at faults are known to be refused.
func parse(files []migrate.SourceFile, faults []migrate.FileFault) []*file {
	type place struct {
		path string
		line int
	}
	refused := map[place]bool{}
	for _, f := range faults {
		refused[place{f.Path, f.Line}] = true
	}
	parsed := make([]*file, len(files))
	for i, f := range files {
		parsed[i] = &file{SourceFile: f}
		for _, s := range f.Statements {
			stmt := statement{FileStatement: s, refused: refused[place{f.Path, s.Line}]}
			nodes, err := syntax.Parse(withoutRows(s.SQL))
			if err != nil {
				stmt.fault = err.Error()
			}
			for _, n := range nodes {
				stmt.nodes = append(stmt.nodes, n)
				if n.Is("DoStmt") {
					stmt.nodes = append(stmt.nodes, n.Body(s.SQL).Statements...)
				}
			}
			parsed[i].statements = append(parsed[i].statements, stmt)
		}
	}
	return parsed
}

// longInsert is an INSERT up to its rows.
var longInsert = regexp.MustCompile(`(?is)^INSERT\s+INTO\s(?:[^;'"]|"[^"]*")*?\bVALUES\b`)

// withoutRows takes the rows out of an INSERT that has many: their tree would be a hundred
// times as large as their text, and says nothing.
func withoutRows(sql string) string {
	const long = 32 << 10 // bytes
	if len(sql) < long {
		return sql
	}
	if head := longInsert.FindString(sql); head != "" {
		return head[:len(head)-len("VALUES")] + "SELECT 1"
	}
	return sql
}

// applyFile brings the state to where the file leads.
func (s *state) applyFile(f *file) {
	for _, stmt := range f.statements {
		for _, n := range stmt.nodes {
			s.apply(f, stmt.SQL, n)
		}
	}
	s.end()
}

package migrate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cotenant/cotenant/migrate/internal/sqlfile"
)

// noteNotRun notes statements of a schema.sql that did not run, in any schema: there are
// no more of them than the file has.
func (r *run) noteNotRun(s *script, stmts []sqlfile.Statement) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, stmt := range stmts {
		if r.notRun == nil {
			r.notRun = make(map[string]map[int]string)
		}
		if r.notRun[s.file] == nil {
			r.notRun[s.file] = make(map[int]string)
		}
		r.notRun[s.file][stmt.Line] = strings.Join(stmt.Words[:min(1, len(stmt.Words))], "")
	}
}

// notRunTexts tells of them, a sentence for each file.
func (r *run) notRunTexts() (texts []string) {
	const most = 10 // statements that are named
	for _, file := range slices.Sorted(maps.Keys(r.notRun)) {
		var named []string
		lines := slices.Sorted(maps.Keys(r.notRun[file]))
		for _, line := range lines[:min(most, len(lines))] {
			named = append(named, fmt.Sprintf("%s in line %d", r.notRun[file][line], line))
		}
		list := strings.Join(named, ", ")
		if more := len(lines) - most; more > 0 {
			list += fmt.Sprintf(" and %d more", more)
		}
		texts = append(texts, fmt.Sprintf("%s: not run where what it is for was there before: %s (sync does not change rows or privileges; what schemas lack needs a migration)", file, list))
	}
	return texts
}

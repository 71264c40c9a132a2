package migrate

import (
	"slices"

	"github.com/cotenant/cotenant/migrate/internal/sqlfile"
)

// ParseRows takes a file apart that puts rows into the tables of a schema: a fixture. What
// is refused in a migration is refused there, and for a tenant's schema what reaches past
// it; and what cannot run in a transaction. File is its name in errors, which begin with it
// and the line.
func ParseRows(file, text string, tenant bool) ([]FileStatement, error) {
	s, err := (&sqlfile.Reader{Tenant: tenant}).Rows(file, text)
	if err != nil {
		return nil, err
	}
	statements := make([]FileStatement, len(s.Statements))
	for i, stmt := range s.Statements {
		statements[i] = FileStatement{Line: stmt.Line, SQL: stmt.Text, Allows: allows(stmt.Allows)}
	}
	return statements, nil
}

// Tables returns the names of the tables that the files of the app create, in their
// order, under the names that migrations gave them last. Those that a Go function or a DO
// block makes are not known, and those that were dropped are listed.
func (a App) Tables() ([]string, error) {
	l, err := a.load(false, nil)
	if err != nil {
		return nil, err
	}
	var tables []string
	add := func(name string) {
		if name != "" && !slices.Contains(tables, name) {
			tables = append(tables, name)
		}
	}
	scripts := l.migrations
	if l.schema != nil {
		scripts = append(slices.Clone(scripts), *l.schema)
	}
	for _, s := range scripts {
		for _, stmt := range s.up.Statements {
			add(stmt.CreatedTable().Name)
			if from, to := stmt.RenamedTable(); to != "" {
				tables = slices.DeleteFunc(tables, func(name string) bool { return name == from.Name })
				add(to)
			}
		}
	}
	return tables, nil
}

package check

import (
	"slices"

	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/registry"
)

// cotenantApp is the app with cotenant's own tables, which others can require.
const cotenantApp = "cotenant"

// read reads the files of the apps in m. Those of cotenantApp are there when the others
// are read, as when they run, and then left out.
func read(m *migrate.Config) (files []migrate.SourceFile, faults []migrate.FileFault, err error) {
	with := *m
	if !slices.ContainsFunc(m.SharedApps, func(a migrate.App) bool { return a.Name == cotenantApp }) {
		migrations, err := registry.Migrations(&registry.Config{TenantsTable: m.TenantsTable})
		if err != nil {
			return nil, nil, err
		}
		own := migrate.App{Name: cotenantApp}
		for _, m := range migrations {
			own.Migrations = append(own.Migrations, migrate.Migration{Name: m.Name, SQL: m.SQL})
		}
		with.SharedApps = append([]migrate.App{own}, m.SharedApps...)
	}
	files, faults = migrate.ReadFiles(&with)
	return slices.DeleteFunc(files, func(f migrate.SourceFile) bool { return f.App == cotenantApp }), faults, nil
}

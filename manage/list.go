package manage

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant/migrate"
)

// list shows what each schema has and lacks.
func (p *program) list(cmd *cobra.Command, f *migrateFlags, app string) error {
	tenancy, err := p.connect(cmd.Context(), cmd, &f.runFlags, app, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer tenancy.Close()
	w := cmd.OutOrStdout()
	for listed, err := range tenancy.Fleet().List(cmd.Context(), &f.selection, app) {
		if err != nil {
			return asUsage(err)
		}
		if f.json {
			err = writeJSON(w, newListLine(listed))
		} else {
			_, err = io.WriteString(w, listText(listed))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func newListLine(l *migrate.Listed) listLine {
	line := listLine{Type: "list", Schema: l.Schema.String(), Migrations: []migrationLine{}, Missing: l.Missing, Renamed: l.Renamed, Orphan: l.Orphan}
	for _, m := range l.Migrations {
		line.Migrations = append(line.Migrations, migrationLine{m.App, m.Name, m.Applied, m.Faked, m.Unknown})
	}
	return line
}

// listText is the list of a schema as people read it.
func listText(l *migrate.Listed) string {
	var b strings.Builder
	fmt.Fprintln(&b, l.Schema)
	app := ""
	for _, m := range l.Migrations {
		if m.App != app {
			app = m.App
			fmt.Fprintf(&b, "  %s\n", printable(app))
		}
		box := " "
		switch {
		case m.Unknown:
			box = "?"
		case m.Faked:
			box = "F"
		case m.Applied:
			box = "X"
		}
		fmt.Fprintf(&b, "    [%s] %s\n", box, printable(m.Name))
	}
	switch {
	case l.Renamed != "":
		fmt.Fprintf(&b, "  there is no such schema: it is named %q now\n", l.Renamed)
	case l.Missing:
		fmt.Fprintln(&b, "  there is no such schema")
	case l.Orphan:
		fmt.Fprintln(&b, "  no tenant has this schema")
	case len(l.Migrations) == 0:
		fmt.Fprintln(&b, "  no migrations")
	}
	return b.String()
}

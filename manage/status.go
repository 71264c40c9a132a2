package manage

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant/migrate"
)

func (p *program) statusCommand() *cobra.Command {
	name := p.config.name()
	var f runFlags
	var verify bool
	cmd := &cobra.Command{
		Use:     "status",
		GroupID: schemasGroup,
		Short:   "Which schemas have which migrations",
		Long: `Status shows how the schemas stand to the files of the apps, those that stand alike in
one entry, however many they are:

  up to date  they have all
  behind      they lack migrations: "` + name + ` migrate" runs them
  ahead       they have migrations that are newer than the files here
  diverged    they have what the files do not lead to, such as a migration that changed
              since it ran: no run touches them before that is settled
  missing     their tenant is there, and they are not
  unreadable  their history could not be read

It changes nothing, and asks for as many schemas as there are in the same few queries;
only those that no run has looked at yet, such as those of a restored database, are asked
one by one. --verify asks all of them, and finds what was done to a history by hand.

The exit status is 0 whatever it finds: a deployment asks "` + name + ` migrate --check".`,
		Example: fmt.Sprintf(`  %[1]s status
  %[1]s status -v                      all the names (the first hundred)
  %[1]s status --schema='eu_*' --json`, name),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(cmd); err != nil {
				return err
			}
			return p.status(cmd, &f, verify)
		},
	}
	how := newGroup("How")
	how.flags.BoolVar(&verify, "verify", false, "read the history of every schema, and do not rely on the index of them, cotenant.schema_versions")
	addGroups(cmd, statusLines, f.selectFlags.group(), how, f.outputFlags.group(), f.databaseFlags.group(p.config.Project))
	p.completeSchemas(cmd, &f.databaseFlags, 0)
	return cmd
}

// statusLines are the lines of --json, at the end of the help.
const statusLines = `
With --json there is a line for each entry; keys that would be empty are left out. The
schemas are the first hundred, latest is the newest file of each app that they have.
  {"type":"status","state":"…","count":N,"schemas":["…"],
   "latest":[{"app":"…","name":"…"}],"lacks":[…],"unknown":[…],"error":"…"}
  {"type":"orphans","schemas":["…"]}
`

func (p *program) status(cmd *cobra.Command, f *runFlags, verify bool) error {
	tenancy, err := p.connect(cmd.Context(), cmd, f, "", cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer tenancy.Close()
	look := tenancy.Fleet().Status
	if verify {
		look = tenancy.Fleet().VerifiedStatus
	}
	status, err := look(cmd.Context(), &f.selection)
	if err != nil {
		return err
	}
	if f.json {
		return writeStatus(cmd.OutOrStdout(), status)
	}
	most := few
	switch {
	case f.verbosity == 0:
		return nil
	case f.verbosity > 1:
		most = len(status.Orphans) + maxNamed
	}
	text := statusText(status, most, newPaint(cmd.OutOrStdout()))
	switch command := cmd.Root().CommandPath() + " migrate"; {
	case isNoTenancy(status):
		text += fmt.Sprintf("the database is no tenancy: name another one (DATABASE_URL), or make it one: %q\n", command)
	case status.Count(migrate.Behind) > 0:
		text += fmt.Sprintf("%q brings what is behind up to date\n", command)
	}
	_, err = io.WriteString(cmd.OutOrStdout(), text)
	return err
}

// isNoTenancy reports whether public has nothing of cotenant's own: nobody has migrated it.
func isNoTenancy(s *migrate.Status) bool {
	if len(s.Groups) != 1 || len(s.Groups[0].Schemas) != 1 {
		return false
	}
	g := s.Groups[0]
	return g.Schemas[0].IsPublic() && g.State == migrate.Behind && len(g.Latest) == 0
}

// few is how many schemas are named unless more are asked for.
const few = 5

// maxNamed is how many schemas package migrate names.
const maxNamed = 100

// The lines, as the help describes them.
type (
	statusLine struct {
		Type    string     `json:"type"`
		State   string     `json:"state"`
		Count   int        `json:"count"`
		Schemas []string   `json:"schemas"`
		Latest  []fileLine `json:"latest,omitempty"`
		Lacks   []fileLine `json:"lacks,omitempty"`
		Unknown []fileLine `json:"unknown,omitempty"`
		Error   string     `json:"error,omitempty"`
	}
	orphansLine struct {
		Type    string   `json:"type"`
		Schemas []string `json:"schemas"`
	}
)

func writeStatus(w io.Writer, s *migrate.Status) error {
	for _, g := range s.Groups {
		line := statusLine{
			Type: "status", State: stateText(g.State), Count: g.Count, Schemas: names(g.Schemas),
			Latest: fileLines(g.Latest), Lacks: fileLines(g.Lacks), Unknown: fileLines(g.Unknown),
		}
		if g.Err != nil {
			line.Error = g.Err.Error()
		}
		if err := writeJSON(w, line); err != nil {
			return err
		}
	}
	if len(s.Orphans) == 0 {
		return nil
	}
	return writeJSON(w, orphansLine{"orphans", s.Orphans})
}

func fileLines(files []migrate.File) (lines []fileLine) {
	for _, f := range files {
		lines = append(lines, fileLine{f.App, f.Name})
	}
	return lines
}

func stateText(s migrate.State) string {
	words := map[migrate.State]string{migrate.Current: "up to date", migrate.Unread: "unreadable"}
	return cmp.Or(words[s], string(s))
}

// state returns the words of a state, in its colour.
func (p paint) state(s migrate.State) string {
	colour := map[migrate.State]string{migrate.Current: "green", migrate.Behind: "yellow"}[s]
	return p.in(cmp.Or(colour, "red"), stateText(s))
}

// statusText is a status as people read it, with at most most names of a group:
//
//	public: up to date
//	  has     customers/0004_plans
//	9998 schemas up to date
//	  has     shop/0003_prices
//	2 schemas behind: acme, globex
//	  has     shop/0002_more
//	  lacks   shop/0003_prices
func statusText(s *migrate.Status, most int, colours paint) string {
	var b strings.Builder
	for _, g := range s.Groups {
		list := names(g.Schemas)
		switch {
		case len(list) > 0 && g.Schemas[0].IsPublic():
			fmt.Fprintf(&b, "%s: %s\n", list[0], colours.state(g.State))
		case g.State == migrate.Current && most <= few:
			fmt.Fprintf(&b, "%s %s\n", schemas(g.Count), colours.state(g.State))
		default:
			fmt.Fprintf(&b, "%s %s: %s\n", schemas(g.Count), colours.state(g.State), someNames(list, g.Count, most))
		}
		for _, part := range []struct {
			word  string
			files []migrate.File
		}{{"has", g.Latest}, {"lacks", g.Lacks}, {"unknown", g.Unknown}} {
			if len(part.files) > 0 {
				fmt.Fprintf(&b, "  %-7s %s\n", part.word, filesText(part.files))
			}
		}
		if g.Err != nil {
			fmt.Fprintf(&b, "  %s\n", printableText(g.Err.Error()))
		}
	}
	if n := len(s.Orphans); n > 0 {
		fmt.Fprintf(&b, "%s without a tenant: %s\n  delete them, or create their tenants\n", schemas(n), someNames(s.Orphans, n, most))
	}
	return b.String()
}

func filesText(files []migrate.File) string {
	var texts []string
	for _, f := range files {
		texts = append(texts, printable(f.String()))
	}
	return strings.Join(texts, ", ")
}

// someNames lists at most most of count names.
func someNames(list []string, count, most int) string {
	shown := printables(list[:min(most, len(list))])
	text := strings.Join(shown, ", ")
	if more := count - len(shown); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

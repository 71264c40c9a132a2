package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/cotenant/cotenant/migrate"
)

// histories finds schemas whose history the files of the program do not lead to, so that no
// run changes them: a migration is recorded of which there is no file, or one has changed
// since it ran. Fleet.Status reads one history for all schemas that have the same one by
// cotenant.schema_versions.
func histories(ctx context.Context, e *exam) ([]Finding, error) {
	if e.config.Fleet == nil {
		return nil, nil
	}
	status, err := e.config.Fleet.Status(ctx, nil)
	if err != nil {
		return nil, err
	}
	var findings []Finding
	for _, g := range status.Groups {
		f := Finding{
			Severity: Error,
			Subject:  count(g.Count, "schema", "schemas"),
			Reason:   "no run changes them, until that is settled",
			Cure:     "do what the message says; \"cotenant status\" names them",
			Count:    g.Count,
		}
		switch {
		case len(g.Unknown) > 0:
			f.Subject = files(g.Unknown)
			f.Message = "recorded, and the program has no such file"
			f.Reason = "migrate refuses the schema, and creates no tenants beside it: the program may be older than the database"
			f.Cure = "run the newer program, or restore the file; or delete the record from the schema's cotenant_migrations if what it did was undone"
		case g.State == migrate.Diverged && g.Err != nil:
			f.Message = g.Err.Error()
		case g.State == migrate.Unread && g.Err != nil:
			f.Message = "the history could not be read: " + g.Err.Error()
		default:
			continue
		}
		for _, schema := range g.Schemas[:min(5, len(g.Schemas))] {
			f.Schemas = append(f.Schemas, schema.String())
		}
		findings = append(findings, f)
		if len(findings) == most {
			break
		}
	}
	return findings, nil
}

// files names the first of some migrations.
func files(list []migrate.File) string {
	const most = 5
	var names []string
	for _, file := range list[:min(most, len(list))] {
		names = append(names, file.String())
	}
	text := strings.Join(names, ", ")
	if more := len(list) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

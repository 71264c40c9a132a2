package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/cotenant/cotenant/migrate"
)

// histories finds schemas whose history the files of the program do not lead to, so that no
// run changes them: a migration is recorded of which there is no file, or one has changed
// since it ran. Records of an app that is on no list keep no run from a schema, and are
// noted. Fleet.Status reads one history for all schemas that have the same one by
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
		case g.State == migrate.Ahead:
			f.Subject = files(g.Unknown)
			f.Message = "recorded, and the program has no such file"
			f.Reason = "migrate refuses the schemas, and no tenant is created where public or most tenants are so: the program may be older than the database"
			f.Cure = "run the newer program, or restore the file; or delete the record from the schema's cotenant_migrations if what it did was undone"
		case g.State == migrate.Diverged && g.Err != nil:
			f.Message = g.Err.Error()
		case g.State == migrate.Unread && g.Err != nil:
			f.Message = "the history could not be read: " + g.Err.Error()
		case len(g.Unknown) > 0: // of apps on no list: they do not keep a run from anything
			f.Severity = Note
			f.Subject = files(g.Unknown)
			f.Message = "recorded, and of an app that is on no list of apps for the schemas"
			f.Reason = "migrate leaves what the app made as it is: it was retired, or the program is older than the app"
			f.Cure = "drop the app's tables and its records in cotenant_migrations; or list it again"
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

// noHistory is what cotenant.schema_versions has of a schema without migrations: the
// digest of nothing, see package migrate.
const noHistory = "e3b0c44298fc1c149afbf4c8996fb924"

// historiesLost finds schemas with tables and without a history. cotenant.schema_versions
// goes on saying what they had, so that nothing shows before the next migration: that begins
// at the first.
func historiesLost(ctx context.Context, e *exam) ([]Finding, error) {
	return e.grouped(ctx, `SELECT CASE WHEN v.digest <> '`+noHistory+`' THEN 'lost' ELSE '' END, '', t.name
		FROM tenant AS t LEFT JOIN cotenant.schema_versions AS v ON v.tenant_id = t.id AND v.namespace = t.space
		WHERE t.space IS NOT NULL AND t.name <> 'public'
			AND NOT EXISTS (SELECT FROM pg_class AS c WHERE c.relnamespace = t.space AND c.relname = 'cotenant_migrations' AND c.relkind = 'r')
			AND EXISTS (SELECT FROM pg_class AS c WHERE c.relnamespace = t.space AND c.relkind IN ('r', 'p', 'f', 'v', 'm'))`,
		func(g group) Finding {
			f := Finding{
				Severity: Warning,
				Subject:  count(g.count, "schema", "schemas"),
				Message:  "there are tables, and no history of migrations, cotenant_migrations",
				Reason:   "the next migrate begins at the first migration, whose tables are there",
				Cure: fmt.Sprintf("cotenant migrate --schema=%s --fake-initial; or say what is there, for each app: cotenant migrate --schema=%[1]s APP MIGRATION --fake --verify",
					g.schemas[0]),
			}
			if g.what == "lost" {
				f.Severity, f.Message = Error, "the history of migrations, cotenant_migrations, is gone, and the tables are there"
				f.Cure = fmt.Sprintf("restore the table from a backup; or say what is there, for each app: cotenant migrate --schema=%s APP MIGRATION --fake --verify, with the newest migration whose work is there; for apps without migrations: cotenant sync --schema=%[1]s --verify", g.schemas[0])
			}
			return f
		})
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

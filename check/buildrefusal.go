package check

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/migrate"
)

// refusal is a finding about a file of an app that could not be built.
func (b *builder) refusal(app *appFiles, err error) Finding {
	f := b.refused(buildFails(), app.name, err)
	if strings.HasSuffix(f.File, "/schema.sql") {
		f.Reason = "no new schema can be made with it"
	}
	return f
}

// creationRefusal is a finding about a tenant that could not be created.
func (b *builder) creationRefusal(err error) Finding {
	f := b.refused(creationFails(), "", err)
	f.Message, f.Cure = "a new tenant cannot be created: "+f.Message, creationFails().Cure
	return f
}

// refused is a finding of the rule about a statement that PostgreSQL refused, or a Go migration that
// failed. The app is known by the file, if there is one.
func (b *builder) refused(r Rule, app string, err error) Finding {
	f := Finding{Rule: r.Name, Severity: r.Severity, App: app, Reason: r.Reason, Cure: r.Cure}
	var at *migrate.StatementError
	if errors.As(err, &at) {
		f.Line, f.Message = at.Line, describe(at.Err)
		i := slices.IndexFunc(b.files, func(file migrate.SourceFile) bool { return file.Path == at.File })
		if i >= 0 {
			f.App = b.files[i].App
		}
		if i < 0 || b.files[i].Program {
			f.Line, f.Message = 0, at.File+": "+f.Message
		} else {
			f.File = at.File
		}
		if cure := missing(at); cure != "" {
			f.Cure = cure
		}
	} else {
		f.Message, _, _ = strings.Cut(err.Error(), "\n")
		f.Message = strings.NewReplacer("schema \""+scratchTenant+"\": ", "", "; nothing of it was kept", "", "; nothing of the file was kept", "").Replace(f.Message)
		for _, file := range b.files {
			if rest, ok := strings.CutPrefix(f.Message, file.Path+": "); ok && !file.Program {
				f.App, f.File, f.Message = file.App, file.Path, rest
			}
		}
	}
	f.Message = b.roles.configuredName(f.Message)
	return f
}

// describe is PostgreSQL's message with its detail and hint.
func describe(err error) string {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return err.Error()
	}
	text := fmt.Sprintf("%s (SQLSTATE %s)", pgErr.Message, pgErr.Code)
	for _, more := range []string{pgErr.Detail, pgErr.Hint} {
		if more != "" {
			text += "; " + strings.Join(strings.Fields(more), " ")
		}
	}
	return text
}

// missing is the cure where a file may rightly take something for granted that an empty
// database does not have.
func missing(e *migrate.StatementError) string {
	switch dberr.Code(e.Err) {
	case "0A000", "58P01": // an extension that is not installed
		if strings.Contains(strings.ToUpper(e.Statement), "EXTENSION") {
			return "install the extension on the server, or check on another one"
		}
	case dberr.InsufficientPrivilege:
		if strings.Contains(strings.ToUpper(e.Statement), "EXTENSION") {
			return "let an administrator make a database with the extension, and name it as the template for checks"
		}
	case dberr.DuplicateObject:
		if aboutRoles.MatchString(e.Statement) {
			return "roles belong to all databases of a server: create the role only where it is not there (DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = …) THEN …)"
		}
	case dberr.UndefinedFunction, dberr.UndefinedTable, dberr.InvalidSchemaName, "42704":
		return "correct the file; or, if it is right to take this for granted, name a database that has it as the template for checks"
	}
	return ""
}

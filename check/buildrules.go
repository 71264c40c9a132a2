package check

import (
	"regexp"
	"slices"
	"strings"

	"github.com/cotenant/cotenant/internal/catalog"
	"github.com/cotenant/cotenant/migrate"
)

// builtRules are those of Builds.
func builtRules() []Rule {
	return []Rule{
		buildFails(), creationFails(), schemaDiffers(), columnOrder(), rowsDiffer(), rowsNumbered(), sequenceBehind(), downFails(), downDiffers(),
	}
}

func buildFails() Rule {
	return Rule{
		Name: "build-fails", Severity: Error,
		About:  "a file that PostgreSQL refuses to run, or a Go migration that fails",
		Reason: "no schema gets past it",
		Cure:   "correct the file",
	}
}

func creationFails() Rule {
	return Rule{
		Name: "creation-fails", Severity: Error,
		About:  "files that run one by one, and not in the one transaction in which a new tenant is made",
		Reason: "no tenant can be created",
		Cure:   "write a schema.sql for the app, with its state behind all migrations",
	}
}

func schemaDiffers() Rule {
	return Rule{
		Name: "schema-differs", Severity: Error,
		About:  "a schema.sql that does not make what the migrations make (a warning for a comment, and for NOT VALID alone)",
		Reason: "new schemas get schema.sql and old ones the migrations: they would not have the same, and a later migration can fail in some of them",
		Cure:   "bring the change into schema.sql too, or write the migration that is missing",
	}
}

func columnOrder() Rule {
	return Rule{
		Name: "column-order", Severity: Warning,
		About:  "a table whose columns schema.sql has in another order than the migrations",
		Reason: "INSERT and COPY without names of columns, and programs that read SELECT * by position, put values into other columns in new schemas than in old ones",
		Cure:   "bring the columns of schema.sql into the order of the migrations, or name columns everywhere",
	}
}

func rowsDiffer() Rule {
	return Rule{
		Name: "rows-differ", Severity: Error,
		About:  "a schema.sql that does not make the rows that the migrations make",
		Reason: "new schemas begin with other rows than old ones have",
		Cure:   "bring what the migrations do to rows into schema.sql too, or write the migration that is missing",
	}
}

func rowsNumbered() Rule {
	return Rule{
		Name: "rows-numbered", Severity: Warning,
		About:  "rows that get other numbers from sequences by schema.sql than by the migrations",
		Reason: "what names a row by its number, in a program or in another tenant's data, means another one in new schemas than in old ones",
		Cure:   "insert the rows in the same order, or give them their numbers and the sequence its value",
	}
}

func sequenceBehind() Rule {
	return Rule{
		Name: "sequence-behind", Severity: Error,
		About:  "rows with numbers of their own, of which the sequence does not know by schema.sql, or by the migrations",
		Reason: "the next rows get numbers that are there already",
		Cure:   "set the sequence behind the rows, with setval",
	}
}

func downFails() Rule {
	return Rule{
		Name: "down-fails", Severity: Error,
		About:  "a way back that fails right behind its migration, unless it does so by RAISE EXCEPTION",
		Reason: "a migration that must be taken back stays where it is, in some schemas or in all",
		Cure:   "correct the way back; or remove it, so that nobody relies on it",
	}
}

func downDiffers() Rule {
	return Rule{
		Name: "down-differs", Severity: Error,
		About:  "a way back that does not lead to where its migration came from (a warning for values of an enum, comments and NOT VALID alone), or behind which the migration cannot run again",
		Reason: "a schema that was taken back is not as others were before the migration, and it may not be possible to migrate it again",
		Cure:   "undo all that the migration does, and nothing else; or remove the way back, so that nobody relies on it",
	}
}

// finding is one of the rule about an app: about its schema.sql, else its newest migration
// that makes one of these names, else its first; and the statement there that makes the first
// of the names that is made there. What stands in a program is in no file.
func (a *appFiles) finding(r Rule, message string, names ...string) Finding {
	f := Finding{Rule: r.Name, Severity: r.Severity, App: a.name, Message: message, Reason: r.Reason, Cure: r.Cure}
	files := slices.Clone(a.migrations)
	if a.schema != nil {
		files = []*migrate.SourceFile{a.schema}
	}
	for _, file := range slices.Backward(files) {
		if file.Program {
			continue
		}
		f.File = file.Path
		for _, name := range names {
			if f.Line = making(file, name); f.Line > 0 {
				return f
			}
		}
	}
	return f
}

var creates = regexp.MustCompile(`(?i)^\s*CREATE\s`)

// making is the line of the statement that makes what has a name, as the catalog writes
// it; 0 if it is not known.
func making(file *migrate.SourceFile, name string) int {
	if name == "" {
		return 0
	}
	word := regexp.MustCompile(`(^|[^\w"])"?` + regexp.QuoteMeta(strings.Trim(name, `"`)) + `"?([^\w"]|$)`)
	for _, stmt := range file.Statements {
		if creates.MatchString(stmt.SQL) && word.MatchString(stmt.SQL) {
			return stmt.Line
		}
	}
	return 0
}

// names are those under which the object, or what it belongs to, is made in a file.
func names(o catalog.Object) []string {
	own := o.Name
	if o.Kind == catalog.Comment { // which is called after its object
		_, own, _ = strings.Cut(own, " ")
	}
	_, parent, _ := strings.Cut(o.Of, " ")
	list := []string{own, parent}
	for i, name := range list {
		list[i], _, _ = strings.Cut(name, "(") // of a function
		if !strings.Contains(name, `"`) {
			list[i], _, _ = strings.Cut(list[i], ".") // of a column
		}
	}
	return list
}

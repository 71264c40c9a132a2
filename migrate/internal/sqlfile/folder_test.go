package sqlfile_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cotenant/cotenant/migrate/internal/sqlfile"
)

// files makes an FS of names and contents, in pairs.
func files(pairs ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		fsys[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return fsys
}

// show writes migrations in a short form: name, requirements, and both ways with the
// lines of their statements. A star is on what runs outside of a transaction.
func show(migrations []sqlfile.Migration) string {
	var lines []string
	for _, m := range migrations {
		line := m.Name
		for _, r := range m.Replaces {
			line += " =" + r
		}
		for _, r := range m.Requires {
			line += " <" + r
		}
		line += " up" + showScript(&m.Up) + " down" + showScript(m.Down)
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func showScript(s *sqlfile.Script) string {
	if s == nil {
		return " none"
	}
	var text strings.Builder
	if s.NoTransaction {
		text.WriteString("*")
	}
	text.WriteString("[")
	for i, stmt := range s.Statements {
		if i > 0 {
			text.WriteString("; ")
		}
		fmt.Fprintf(&text, "%d:%s", stmt.Line, stmt.Text)
	}
	text.WriteString("]")
	return text.String()
}

func TestMigrations(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		name string
		fsys fstest.MapFS
		want string
	}{
		{"no folder", files(), ""},
		{"plain", files("migrations/0002_b.sql", "SELECT 2", "migrations/0001_a.sql", "SELECT 1;"), "0001_a up[1:SELECT 1] down none\n0002_b up[1:SELECT 2] down none"},
		{
			"numbers, not names, order", files("migrations/10_c.sql", "SELECT 3", "migrations/9_b.sql", "SELECT 2", "migrations/20240102150405_d.sql", "SELECT 4", "migrations/0001.sql", "SELECT 1"),
			"0001 up[1:SELECT 1] down none\n9_b up[1:SELECT 2] down none\n10_c up[1:SELECT 3] down none\n20240102150405_d up[1:SELECT 4] down none",
		},
		{
			"dates", files("migrations/2024-02-01.1-c.sql", "SELECT 3", "migrations/2024-02-01.b.sql", "SELECT 2", "migrations/2024-01-31-a.sql", "SELECT 1"),
			"2024-01-31-a up[1:SELECT 1] down none\n2024-02-01.b up[1:SELECT 2] down none\n2024-02-01.1-c up[1:SELECT 3] down none",
		},
		{"names as other tools take them", files("migrations/0001-a b.c.sql", "SELECT 1"), "0001-a b.c up[1:SELECT 1] down none"},
		{
			"what is passed over", files("migrations/0001_a.sql", "SELECT 1", "migrations/.0002_swap.sql", "(", "migrations/README.md", "", "migrations/0001_a.md", "", "migrations/atlas.sum", "",
				"migrations/embed.go", "", "migrations/0001_a_test.go", "", "migrations/testdata/0001_x.sql", "(", "migrations/_old/0001_x.sql", "(", "migrations/pictures/a.png", ""),
			"0001_a up[1:SELECT 1] down none",
		},
		{
			"directives in a plain file", files("migrations/0001_a.sql", "-- cotenant:requires customers/0002_plans\n\nSELECT 1;\n  --  cotenant:requires b/1\n-- cotenant:no-transaction\n/* cotenant:nothing */ SELECT '-- cotenant:x'"),
			"0001_a <customers/0002_plans <b/1 up*[3:SELECT 1; 6:SELECT '-- cotenant:x'] down none",
		},

		{
			"goose", files("migrations/00001_a.sql", "-- a comment\n\n-- +goose Up\nCREATE TABLE a (id int);\nSELECT 1;\n\n-- +goose Down\nDROP TABLE a;\n"),
			"00001_a up[4:CREATE TABLE a (id int); 5:SELECT 1] down[8:DROP TABLE a]",
		},
		{"goose, spelled otherwise", files("migrations/1_a.sql", "--+goose   up\r\nSELECT 1;\r\n-- +goose DOWN  \r\nSELECT 2;\r\n"), "1_a up[2:SELECT 1] down[4:SELECT 2]"},
		{"goose without a way back", files("migrations/1_a.sql", "-- +goose Up\nSELECT 1;"), "1_a up[2:SELECT 1] down none"},
		{"goose, both ways empty", files("migrations/1_a.sql", "-- +goose Up\n-- nothing\n-- +goose Down\n"), "1_a up[] down[]"},
		{
			"goose's blocks", files("migrations/1_a.sql", "-- +goose Up\n-- +goose StatementBegin\nCREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$SELECT 1;$$\n-- +goose StatementEnd\n"+
				"-- +goose StatementBegin\nSELECT 1; SELECT 2;\nSELECT 3\n-- +goose StatementEnd\nSELECT 4; -- four\n-- +goose Down\n-- +goose StatementBegin\nSELECT 5;\n-- +goose StatementEnd\n"),
			"1_a up[3:CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$SELECT 1;$$; 6:SELECT 1; 6:SELECT 2; 7:SELECT 3; 9:SELECT 4] down[12:SELECT 5]",
		},
		{"goose, two statements in a line", files("migrations/1_a.sql", "-- +goose Up\nSELECT 1; SELECT ';'\n;"), "1_a up[2:SELECT 1; 2:SELECT ';'] down none"},
		{"goose without a transaction", files("migrations/1_a.sql", "-- +goose NO TRANSACTION\n-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;"), "1_a up*[3:SELECT 1] down*[5:SELECT 2]"},
		{"goose without substitution", files("migrations/1_a.sql", "-- +goose Up\n-- +goose ENVSUB OFF\nSELECT '${A}';"), "1_a up[3:SELECT '${A}'] down none"},
		{"directives of a section", files("migrations/1_a.sql", "-- +goose Up\n-- cotenant:requires b/1_b\nSELECT 1;\n-- +goose Down\n-- cotenant:no-transaction\nSELECT 2;"), "1_a <b/1_b up[3:SELECT 1] down*[6:SELECT 2]"},
		{"what is replaced", files("migrations/3_c.sql", "-- cotenant:replaces  1_a 2_b\n-- +goose Up\n-- cotenant:replaces 2-b.c\nSELECT 1;"), "3_c =1_a =2_b =2-b.c up[4:SELECT 1] down none"},
		{"directives before the sections", files("migrations/1_a.sql", "-- cotenant:no-transaction\n-- cotenant:requires b/1_b\n-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;"), "1_a <b/1_b up*[4:SELECT 1] down*[6:SELECT 2]"},

		{
			"golang-migrate", files("migrations/2_b.up.sql", "SELECT 2", "migrations/1_a.down.sql", "SELECT -1", "migrations/1_a.up.sql", "SELECT 1"),
			"1_a up[1:SELECT 1] down[1:SELECT -1]\n2_b up[1:SELECT 2] down none",
		},
		{"golang-migrate pairs numbers", files("migrations/01_undo.down.sql", "SELECT -1", "migrations/1_do.up.sql", "SELECT 1"), "1_do up[1:SELECT 1] down[1:SELECT -1]"},
		{"golang-migrate, both ways empty", files("migrations/1_a.down.sql", "", "migrations/1_a.up.sql", "-- nothing"), "1_a up[] down[]"},
		{"a transaction around everything", files("migrations/1_a.up.sql", "-- x\nBEGIN;\nSELECT 1;\nCOMMIT;\n", "migrations/1_a.down.sql", "START TRANSACTION; SELECT 2; END"), "1_a up[3:SELECT 1] down[1:SELECT 2]"},
		{"an empty transaction", files("migrations/1_a.up.sql", "BEGIN TRANSACTION;\nCOMMIT WORK;"), "1_a up[] down none"},

		{
			"dbmate", files("migrations/20240102150405_a.sql", "-- migrate:up\nCREATE TABLE a (id int);\n\n-- migrate:down\nDROP TABLE a;"),
			"20240102150405_a up[2:CREATE TABLE a (id int)] down[5:DROP TABLE a]",
		},
		{"dbmate's options", files("migrations/1_a.sql", "--migrate:up transaction:false\r\nSELECT 1;\r\n-- migrate:down  transaction:true\r\n"), "1_a up*[2:SELECT 1] down[]"},
		{"dbmate, twice", files("migrations/1_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\nSELECT 2;\n-- migrate:up\nSELECT 3;\n-- migrate:down\nSELECT 4;"), "1_a up[2:SELECT 1; 6:SELECT 3] down[4:SELECT 2; 8:SELECT 4]"},

		{
			"sql-migrate", files("migrations/1-a.sql", "-- x\n-- +migrate Up notransaction\nSELECT 1;\n-- +migrate StatementBegin\nSELECT 2; SELECT 3\n-- +migrate StatementEnd\nSELECT 4;\n-- +migrate Down\nSELECT 5;"),
			"1-a up*[3:SELECT 1; 5:SELECT 2; 5:SELECT 3; 7:SELECT 4] down[9:SELECT 5]",
		},
		{
			"tern", files("migrations/001_a.sql", "SELECT 1;\n---- create above / drop below ----\nSELECT 2;", "migrations/002_b.sql", "SELECT 3;", "migrations/003_c.sql", "---- tern: disable-tx ----\nSELECT 4;\n---- create above / drop below ----\n"),
			"001_a up[1:SELECT 1] down[3:SELECT 2]\n002_b up[1:SELECT 3] down none\n003_c up*[2:SELECT 4] down none",
		},
		{
			"what runs alone", files("migrations/1_a.sql", "-- +goose Up\nCREATE INDEX CONCURRENTLY i ON t (a);\n-- +goose Down\nDROP INDEX i;"),
			"1_a up*[2:CREATE INDEX CONCURRENTLY i ON t (a)] down[4:DROP INDEX i]",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			r := &sqlfile.Reader{App: "shop", FS: tt.fsys, Tenant: true}
			migrations, err := r.Migrations()
			if err != nil {
				t.Fatal(err)
			}
			if got := show(migrations); got != tt.want {
				t.Errorf("Migrations:\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestMigrationsRefuses(t *testing.T) {
	t.Parallel()

	one := func(text string) fstest.MapFS { return files("migrations/1_a.sql", text) }
	for _, tt := range []struct {
		name string
		fsys fstest.MapFS
		want string // the beginning of the error, …, its cure
	}{
		{"an empty plain file", one("-- nothing\n"), "shop/migrations/1_a.sql: it has no statements … (write some, or remove it)"},
		{"not UTF-8", one("SELECT '\xfc'"), "shop/migrations/1_a.sql: it is not UTF-8 … (convert it)"},
		{"a NUL byte", one("SELECT 1\x00"), "shop/migrations/1_a.sql: it contains a NUL byte … (remove it)"},
		{"a string that is not closed", one("SELECT 1;\nSELECT 'a"), "shop/migrations/1_a.sql:2: the string is not closed … "},
		{"a template", one("SELECT 1;\nCREATE TABLE {{ .Schema }}.a (id int)"), "shop/migrations/1_a.sql:2: '{' is no SQL … write what comes of them into the file)"},
		{"no number", files("migrations/initial.sql", "SELECT 1"), "shop/migrations/initial.sql: not a name for a migration … 0001_initial)"},
		{"a number twice", files("migrations/1_a.sql", "SELECT 1", "migrations/0001_b.sql", "SELECT 1"), "shop/migrations/0001_b.sql and shop/migrations/1_a.sql have the same number … (renumber one of them)"},
		{"a pair's number twice", files("migrations/1_a.up.sql", "SELECT 1", "migrations/1_b.up.sql", "SELECT 1"), "shop/migrations/1_a.up.sql and shop/migrations/1_b.up.sql have the same number … (renumber one of them)"},
		{"a day's number twice", files("migrations/2024-01-31-a.sql", "SELECT 1", "migrations/2024-01-31-b.sql", "SELECT 1"), "shop/migrations/2024-01-31-a.sql and shop/migrations/2024-01-31-b.sql have the same number … (renumber one of them)"},
		{"Flyway", files("migrations/V2__prices.sql", "SELECT 1"), "shop/migrations/V2__prices.sql: a name as Flyway has them … 0002_prices)"},
		{"Flyway's repeatables", files("migrations/R__views.sql", "SELECT 1"), "shop/migrations/R__views.sql: a name as Flyway has them … 0001_views)"},
		{"capitals", files("migrations/1_a.SQL", "SELECT 1"), "shop/migrations/1_a.SQL: not a name for a migration … (end it in .sql, in lower case)"},
		{"capitals of a pair", files("migrations/1_a.Up.sql", "SELECT 1"), "shop/migrations/1_a.Up.sql: it has not quite a name of golang-migrate … (end it in .up.sql, in lower case)"},
		{"a folder", files("migrations/old/1_a.sql", "SELECT 1"), "shop/migrations/old/1_a.sql: files in folders within shop/migrations are not read … (move it there, or out of shop/migrations)"},
		{"a Go migration", files("migrations/00002_b.go", ""), "shop/migrations/00002_b.go: a migration in Go does not run by itself … (register its function in App.Migrations, with the number in its name)"},
		{"a script", files("migrations/0002_b.py", ""), "shop/migrations/0002_b.py: .py files are not read … App.Migrations)"},
		{"two forms", files("migrations/1_a.sql", "-- +goose Up\nSELECT 1;", "migrations/2_b.up.sql", "SELECT 2"), "shop/migrations: 1_a.sql is of the form of goose, and 2_b.up.sql of golang-migrate … (bring them into one form)"},
		{"plain and annotated files", files("migrations/1_a.sql", "SELECT 1", "migrations/2_b.sql", "-- migrate:up\nSELECT 2"), "shop/migrations: 1_a.sql is of the form of a plain file, and 2_b.sql of dbmate … (bring them into one form)"},
		{"two forms in a file", one("-- +goose Up\n-- migrate:up\nSELECT 1"), "shop/migrations/1_a.sql:2: it has annotations of goose and of dbmate … (keep those of one)"},
		{"a pair with annotations", files("migrations/1_a.up.sql", "-- +goose Up\nSELECT 1;"), "shop/migrations/1_a.up.sql: it has a name of golang-migrate and annotations of goose … (rename it to 1_a.sql, or remove them)"},
		{"a way back alone", files("migrations/1_a.down.sql", "SELECT 1"), "shop/migrations/1_a.down.sql is the way back of a migration that is not there … (add 1_a.up.sql, or remove it)"},
		{"a way back beside a plain file", files("migrations/1_a.sql", "SELECT 1", "migrations/1_a.down.sql", "SELECT 1"), "shop/migrations/1_a.sql is a plain file beside the way back 1_a.down.sql … (rename it to 1_a.up.sql)"},

		{"a transaction", one("\nBEGIN;\nSELECT 1"), "shop/migrations/1_a.sql:2: BEGIN: … (remove the statement)"},
		{"two transactions", one("BEGIN;SELECT 1;COMMIT;\nBEGIN;SELECT 2;COMMIT;"), "shop/migrations/1_a.sql:1: COMMIT: … (remove the statement)"},
		{"a transaction with options", one("BEGIN ISOLATION LEVEL SERIALIZABLE;SELECT 1;COMMIT;"), "shop/migrations/1_a.sql:1: BEGIN: … (remove the statement)"},
		{"what runs alone, in a transaction", one("BEGIN;\nVACUUM;COMMIT;"), "shop/migrations/1_a.sql:1: BEGIN: … (remove the statement)"},
		{"an index without a name", one("SELECT 1;\nCREATE INDEX CONCURRENTLY ON t (a)"), "shop/migrations/1_a.sql:2: CREATE INDEX CONCURRENTLY without a name: … (name the index)"},
		{"another database", one("CREATE DATABASE x"), "shop/migrations/1_a.sql:1: CREATE DATABASE: … by hand)"},

		{"a directive that replaces nothing", one("-- cotenant:replaces\nSELECT 1"), "shop/migrations/1_a.sql:1: -- cotenant:replaces names no migration … (write names of this app's migrations, such as 0001_initial 0002_prices, all of them)"},
		{"a directive that replaces a range", one("SELECT 1;\n-- cotenant:replaces 0001_a..0004_d"), `shop/migrations/1_a.sql:2: -- cotenant:replaces: "0001_a..0004_d" is not a name for a migration … all of them)`},
		{"a directive that replaces another app's", one("-- cotenant:replaces 0001_a crm/0002_b\nSELECT 1"), `shop/migrations/1_a.sql:1: -- cotenant:replaces: "crm/0002_b" is not a name for a migration … all of them)`},
		{"replacing in the way back", one("-- +goose Up\n-- +goose Down\n-- cotenant:replaces 0001_a"), "shop/migrations/1_a.sql:3: -- cotenant:replaces stands in the way back … (move it to the way up)"},
		{"an unknown directive that is nearly one", one("-- cotenant:replace 0001_a\nSELECT 1"), "shop/migrations/1_a.sql:1: -- cotenant:replace is not known … (did you mean -- cotenant:replaces?)"},
		{"an unknown directive", one("SELECT 1;\n-- cotenant:require a/b"), "shop/migrations/1_a.sql:2: -- cotenant:require is not known … (did you mean -- cotenant:requires?)"},
		{"another one", one("-- cotenant:notransaction\nSELECT 1"), "shop/migrations/1_a.sql:1: -- cotenant:notransaction is not known … (did you mean -- cotenant:no-transaction?)"},
		{"a directive without a name", one("-- cotenant:requires customers\nSELECT 1"), "shop/migrations/1_a.sql:1: -- cotenant:requires customers: it names no migration … (write app/name, such as customers/0002_plans, a line for each)"},
		{"a directive with a value", one("-- cotenant:no-transaction please\nSELECT 1"), "shop/migrations/1_a.sql:1: -- cotenant:no-transaction takes no value, … (remove it)"},
		{"a directive in a statement", one("SELECT\n-- cotenant:no-transaction\n1"), "shop/migrations/1_a.sql:2: -- cotenant:no-transaction stands in the midst of a statement … (give it a line of its own, before the statement or after)"},
		{"a directive behind a statement", one("SELECT 1; -- cotenant:no-transaction"), "shop/migrations/1_a.sql:1: -- cotenant:no-transaction stands in the midst of a statement … (give it a line of its own, before the statement or after)"},
		{"a requirement of the way back", one("-- +goose Up\n-- +goose Down\n\n-- cotenant:requires a/b"), "shop/migrations/1_a.sql:4: -- cotenant:requires stands in the way back … (move it to the way up)"},
		{"a requirement of the file back", files("migrations/1_a.up.sql", "", "migrations/1_a.down.sql", "\n-- cotenant:requires a/b"), "shop/migrations/1_a.down.sql:2: -- cotenant:requires stands in the way back … (move it to the way up)"},

		{"goose: only a way back", one("\n-- +goose Down\nSELECT 1;"), "shop/migrations/1_a.sql:2: -- +goose Down without a way up before it … (begin that with -- +goose Up)"},
		{"goose: no way up", one("-- +goose NO TRANSACTION\nSELECT 1;"), "shop/migrations/1_a.sql:1: no way up … (begin it with -- +goose Up)"},
		{"goose: up twice", one("-- +goose Up\n-- +goose Up\n"), "shop/migrations/1_a.sql:2: -- +goose Up is there twice … (remove one)"},
		{"goose: down twice", one("-- +goose Up\n-- +goose Down\n-- +goose Down\n"), "shop/migrations/1_a.sql:3: -- +goose Down is there twice … (remove one)"},
		{"goose: a statement before the way up", one("\nSELECT 1;\n-- +goose Up\n"), "shop/migrations/1_a.sql:2: a statement stands before the first section of goose … (move it behind -- +goose Up)"},
		{"goose: a block that is not closed", one("-- +goose Up\n-- +goose StatementBegin\nSELECT 1;"), "shop/migrations/1_a.sql:2: -- +goose StatementBegin is not closed … (add -- +goose StatementEnd)"},
		{"goose: a section within a block", one("-- +goose Up\n-- +goose StatementBegin\nSELECT 1;\n-- +goose Down"), "shop/migrations/1_a.sql:4: -- +goose Down within a StatementBegin … (add -- +goose StatementEnd before it)"},
		{"goose: a block in a block", one("-- +goose Up\n-- +goose StatementBegin\n-- +goose StatementBegin\n"), "shop/migrations/1_a.sql:3: -- +goose StatementBegin must stand between … (move it, or add what is missing)"},
		{"goose: an end alone", one("-- +goose Up\n-- +goose StatementEnd\n"), "shop/migrations/1_a.sql:2: -- +goose StatementEnd without a StatementBegin … (add it, or remove this one)"},
		{"goose: a block within a statement", one("-- +goose Up\n\nSELECT\n-- +goose StatementBegin\n1;\n-- +goose StatementEnd\n"), "shop/migrations/1_a.sql:3: the statement goes on behind an annotation … (end it with a semicolon before that)"},
		{"goose: substitution", one("-- +goose Up\n-- +goose ENVSUB ON\nSELECT 1;"), "shop/migrations/1_a.sql:2: -- +goose ENVSUB ON: … (write the values into the file)"},
		{"goose: a slip", one("-- +goose Up\n-- +goose Dwon\nSELECT 1;"), "shop/migrations/1_a.sql:2: -- +goose Dwon is not an annotation of goose … (Up, Down, StatementBegin, StatementEnd, NO TRANSACTION)"},
		{"goose: indented", one("-- +goose Up\n  -- +goose Down\nSELECT 1;"), "shop/migrations/1_a.sql:2: -- +goose Down: goose does not accept … (begin the line with it)"},

		{"dbmate: only a way back", one("-- migrate:down\nSELECT 1;"), "shop/migrations/1_a.sql:1: -- migrate:down without a way up before it … (begin that with -- migrate:up)"},
		{"dbmate: down twice", one("-- migrate:up\n-- migrate:down\n-- migrate:down\n"), "shop/migrations/1_a.sql:3: -- migrate:down without a way up before it … (begin that with -- migrate:up)"},
		{"dbmate: indented", one("-- migrate:up\n -- migrate:down\n"), "shop/migrations/1_a.sql:2: -- migrate:down: dbmate does not see it so … at the beginning of the line)"},
		{"dbmate: an unknown option", one("-- migrate:up transactions:false\nSELECT 1"), `shop/migrations/1_a.sql:1: the option "transactions:false" is not known … (transaction:false is)`},
		{"dbmate: a statement before the way up", one("SELECT 1;\n-- migrate:up\n"), "shop/migrations/1_a.sql:1: a statement stands before the first section of dbmate … (move it behind -- migrate:up)"},

		{"sql-migrate: no way up", one("-- +migrate Down\nSELECT 1;"), "shop/migrations/1_a.sql:1: no way up … (begin it with -- +migrate Up)"},
		{"sql-migrate: a slip", one("-- +migrate up\nSELECT 1;"), "shop/migrations/1_a.sql:1: -- +migrate up is not an annotation of sql-migrate … in this spelling)"},
		{"sql-migrate: not seen", one("--+migrate Up\nSELECT 1;"), "shop/migrations/1_a.sql:1: --+migrate Up: sql-migrate does not see it so … at the beginning of the line)"},
		{"sql-migrate: an option", one("-- +migrate Up notx\nSELECT 1;"), `shop/migrations/1_a.sql:1: -- +migrate Up notx: the option "notx" is not known … (notransaction is, behind Up and Down)`},
		{"sql-migrate: a block that is not closed", one("-- +migrate Up\n-- +migrate StatementBegin\nSELECT 1;"), "shop/migrations/1_a.sql:2: -- +migrate StatementBegin is not closed … (add -- +migrate StatementEnd)"},
		{"sql-migrate: a section within a block", one("-- +migrate Up\n-- +migrate StatementBegin\n-- +migrate Down"), "shop/migrations/1_a.sql:2: -- +migrate StatementBegin is not closed … (add -- +migrate StatementEnd)"},
		{"sql-migrate: a block without a section", one("-- +migrate StatementBegin\n-- +migrate Up"), "shop/migrations/1_a.sql:1: -- +migrate StatementBegin has no section … (move it, or remove it)"},

		{"tern: a template", one("SELECT 1;\nSELECT {{ .x }};\n---- create above / drop below ----\n"), "shop/migrations/1_a.sql:2: templates of tern are not read … (write what comes of it into the file)"},
		{"tern: a slip", one("SELECT 1;\n--- create above / drop below ---\nSELECT 2;"), "shop/migrations/1_a.sql:2: tern does not see the line so … (write ---- create above / drop below ----)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			r := &sqlfile.Reader{App: "shop", FS: tt.fsys, Tenant: true}
			_, err := r.Migrations()
			wantError(t, err, tt.want)
		})
	}
}

// wantError compares an error with its beginning and its end, between which is " … ".
func wantError(t *testing.T, err error, want string) {
	t.Helper()
	begin, end, _ := strings.Cut(want, "… ")
	if err == nil || !strings.HasPrefix(err.Error(), strings.TrimSpace(begin)) || !strings.HasSuffix(err.Error(), end) {
		t.Errorf("error: %v\nwant:  %s", err, want)
	}
	if err != nil && strings.Contains(err.Error(), "\n") {
		t.Errorf("the error is longer than a line: %v", err)
	}
}

// A Go file whose number is registered in the program is no migration left out.
func TestMigrationsBesideGo(t *testing.T) {
	t.Parallel()

	r := &sqlfile.Reader{App: "shop", FS: files("migrations/00001_a.sql", "SELECT 1", "migrations/00002_b.go", ""), InProgram: []string{"2_backfill"}}
	migrations, err := r.Migrations()
	if err != nil || show(migrations) != "00001_a up[1:SELECT 1] down none" {
		t.Errorf("Migrations: %s, %v", show(migrations), err)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()

	r := &sqlfile.Reader{App: "shop"}
	m, err := r.Parse("0001_a", "-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := show([]sqlfile.Migration{m}), "0001_a up[2:SELECT 1] down[4:SELECT 2]"; got != want {
		t.Errorf("Parse: %s; want %s", got, want)
	}
	_, err = r.Parse("0001_a", "SELECT 1;\nCOMMIT")
	wantError(t, err, "migration 0001_a of app shop:2: COMMIT: … (remove the statement)")
}

// A checksum is that of the way up: whoever mends the way back changes no history.
func TestChecksums(t *testing.T) {
	t.Parallel()

	sum := func(pairs ...string) string {
		t.Helper()
		r := &sqlfile.Reader{App: "shop", FS: files(pairs...)}
		migrations, err := r.Migrations()
		if err != nil || len(migrations) != 1 {
			t.Fatalf("Migrations: %v, %v", migrations, err)
		}
		return migrations[0].Checksum
	}
	const a, up = "migrations/1_a.sql", "migrations/1_a.up.sql"
	goose := sum(a, "-- +goose Up\nSELECT 1;\n\n-- +goose Down\nSELECT 2;")
	for text, same := range map[string]bool{
		"-- +goose Up\nSELECT 1;\n\n-- +goose Down\nSELECT 3;":         true,
		"-- +goose Up\nSELECT 1;":                                      true,
		"-- +goose Up\r\nSELECT 1;\r\n-- +goose Down\r\nSELECT 2;":     true,
		"-- a comment\n-- +goose Up\nSELECT 1;\n-- +goose Down\n":      true,
		"-- +goose Up\nSELECT  1;\n-- +goose Down\nSELECT 2;":          false,
		"-- +goose Up\nSELECT 1;\nSELECT 2;\n-- +goose Down\n":         false,
		"-- +goose Up\n-- a comment\nSELECT 1;\n\n-- +goose Down\n":    false,
		"-- +goose NO TRANSACTION\n-- +goose Up\nSELECT 1;\n":          true,
		"-- +goose Up\n\nSELECT 1;\n\n\n-- +goose Down\n\n\nSELECT 2;": false,
	} {
		if got := sum(a, text); (got == goose) != same {
			t.Errorf("checksum of %q: the same %v; want %v", text, got == goose, same)
		}
	}
	// That of "SELECT 1;\n" as sha256sum has it, which histories have had from the first day.
	const whole = "b4e0497804e46e0a0b0b8c31975b062152d551bac49c3c2e80932567b4085dcd"
	if got := sum(a, "SELECT 1;\r\n"); got != whole {
		t.Errorf("checksum of a plain file: %s", got)
	}
	if got := sum(up, "SELECT 1;\n", "migrations/1_a.down.sql", "SELECT 2"); got != whole {
		t.Errorf("checksum of a pair: %s", got)
	}
}

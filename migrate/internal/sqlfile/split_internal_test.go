package sqlfile

import (
	"strings"
	"testing"
)

// The splitter is not exported: its rules are PostgreSQL's, not ours.

func TestSplit(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"nothing", " \n-- a comment\n/* another /* nested */ */ ;;", nil},
		{"two", "SELECT 1;\nSELECT 2", []string{"1:SELECT 1", "2:SELECT 2"}},
		{"a comment before belongs to nobody", "-- first; second\n\n/* a\nb */ SELECT 1 ;", []string{"4:SELECT 1"}},
		{"a comment inside stays", "SELECT 1 -- one; still\n, 2;", []string{"1:SELECT 1 -- one; still\n, 2"}},
		{"strings", "SELECT 'a;b', 'it''s;', E'\\';', e'''\\\\';SELECT 2", []string{"1:SELECT 'a;b', 'it''s;', E'\\';', e'''\\\\'", "1:SELECT 2"}},
		{"a backslash is ordinary in a plain string", `SELECT '\'; SELECT 2`, []string{`1:SELECT '\'`, "1:SELECT 2"}},
		{"a name that ends in e begins no escape string", `SELECT namee'\'; SELECT 2`, []string{`1:SELECT namee'\'`, "1:SELECT 2"}},
		{"quoted names", `SELECT "a;""b;"; SELECT 2`, []string{`1:SELECT "a;""b;"`, "1:SELECT 2"}},
		{"dollar quotes", "SELECT $$a;b$$, $x$ $$; $y$ $x$; SELECT $1", []string{"1:SELECT $$a;b$$, $x$ $$; $y$ $x$", "1:SELECT $1"}},
		{"a dollar in a name", "SELECT a$b$; SELECT c$b$", []string{"1:SELECT a$b$", "1:SELECT c$b$"}},
		{"a number before a dollar quote", "SELECT 1$a$; SELECT 2$a$", []string{"1:SELECT 1$a$; SELECT 2$a$"}},
		{"a string that goes on in the next line", "SELECT E'a'\n  '\\';b'; SELECT 2", []string{"1:SELECT E'a'\n  '\\';b'", "2:SELECT 2"}},
		{"a comment ends with a carriage return", "-- first\rSELECT 1; SELECT 2", []string{"1:SELECT 1", "1:SELECT 2"}},
		{"parentheses", "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); SELECT 3", []string{"1:CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)", "1:SELECT 3"}},
		{
			"a body in standard SQL",
			"CREATE OR REPLACE FUNCTION f(a int) RETURNS int BEGIN ATOMIC SELECT CASE WHEN a > 0 THEN 1 END; SELECT 2; END; SELECT 3",
			[]string{"1:CREATE OR REPLACE FUNCTION f(a int) RETURNS int BEGIN ATOMIC SELECT CASE WHEN a > 0 THEN 1 END; SELECT 2; END", "1:SELECT 3"},
		},
		{"a body as a string", "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$BEGIN RETURN 1; END$$; SELECT 2", []string{"1:CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$BEGIN RETURN 1; END$$", "1:SELECT 2"}},
		{"case outside of a function", "SELECT CASE WHEN true THEN 1 END; SELECT 2", []string{"1:SELECT CASE WHEN true THEN 1 END", "1:SELECT 2"}},
		{"operators", "SELECT 1 - -1, 2 / 3, '{}'::jsonb->'a'; SELECT 2", []string{"1:SELECT 1 - -1, 2 / 3, '{}'::jsonb->'a'", "1:SELECT 2"}},
		{"other alphabets", "SELECT 'ä;', größe, $ñ$;$ñ$; SELECT 2", []string{"1:SELECT 'ä;', größe, $ñ$;$ñ$", "1:SELECT 2"}},
		{"names and strings by code points", `SELECT U&"a;b\0063" UESCAPE '!', u&'a\'; SELECT U&'it''s;'`, []string{`1:SELECT U&"a;b\0063" UESCAPE '!', u&'a\'`, `1:SELECT U&'it''s;'`}},
		{"bits and national strings", `SELECT b'0;1', N'\'; SELECT x'f;'`, []string{`1:SELECT b'0;1', N'\'`, `1:SELECT x'f;'`}},
		{"a comment in a comment", "/* /* ; */ ' */ SELECT 1 /*/* ; */*/; SELECT 2", []string{"1:SELECT 1 /*/* ; */*/", "1:SELECT 2"}},
		{"a comment behind an operator", "SELECT 1 +-- ;\n2; SELECT 3", []string{"1:SELECT 1 +-- ;\n2", "2:SELECT 3"}},
		{"carriage returns", "SELECT 1;\r\nSELECT 2;\r\n", []string{"1:SELECT 1", "2:SELECT 2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			stmts, err := Split(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range stmts {
				got = append(got, string(rune('0'+s.Line))+":"+s.Text)
			}
			if strings.Join(got, "|") != strings.Join(tt.want, "|") {
				t.Errorf("Split(%q) =\n%q, want\n%q", tt.text, got, tt.want)
			}
		})
	}
}

func TestSplitRefuses(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]string{
		"SELECT 1;\nSELECT 'a":               "2: the string is not closed",
		"SELECT E'\\'":                       "1: the string is not closed",
		"\n\nSELECT \"a":                     "3: the quoted name is not closed",
		"SELECT $x$ $$":                      "1: the string that $x$ begins is not closed",
		"/* /* */":                           "1: the comment is not closed",
		"SELECT (1;\nSELECT 2":               "1: the parenthesis is not closed",
		"\\connect other":                    `1: \connect is a command of psql`,
		"SELECT 1;\n\\.":                     `2: \. is a command of psql`,
		"SELECT 1 \\gexec":                   `1: \gexec is a command of psql`,
		"SELECT 1\n\\restrict x":             `2: \restrict is a command of psql`,
		"COPY t (a) FROM stdin;\n1\tit's\n.": "1: COPY FROM STDIN",
		"SELECT 1;\nCOPY t (a) FROM stdin":   "2: COPY FROM STDIN",
	} {
		if _, err := Split(text); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Split(%q): %v; want %q", text, err, want)
		}
	}
}

func TestStatementFault(t *testing.T) {
	t.Parallel()

	for text, faulty := range map[string]bool{
		"BEGIN":                                  true,
		"begin work":                             true,
		"START TRANSACTION":                      true,
		"COMMIT":                                 true,
		"END":                                    true,
		"ABORT":                                  true,
		"ROLLBACK":                               true,
		"PREPARE TRANSACTION 'x'":                true,
		"SET search_path = public":               true,
		"SET LOCAL search_path TO public":        true,
		"set session SEARCH_PATH TO public":      true,
		"SET SCHEMA 'public'":                    true,
		"RESET search_path":                      true,
		"RESET ALL":                              true,
		"DISCARD ALL":                            true,
		"SAVEPOINT a":                            false,
		"ROLLBACK TO SAVEPOINT a":                false,
		"ROLLBACK WORK TO a":                     false,
		"SET LOCAL lock_timeout = '1s'":          false,
		"RESET lock_timeout":                     false,
		"ALTER FUNCTION f() SET search_path = a": false,
		"PREPARE p AS SELECT 1":                  false,
		"CREATE TABLE begin_end (search_path int)": false,
	} {
		stmts, err := Split(text)
		if err != nil || len(stmts) != 1 {
			t.Fatalf("Split(%q) = %v, %v", text, stmts, err)
		}
		if fault := stmts[0].Fault(); (fault != "") != faulty {
			t.Errorf("fault of %q = %q", text, fault)
		}
	}
}

func FuzzSplit(f *testing.F) {
	for _, seed := range []string{
		"SELECT 1; SELECT 2", "SELECT 'a;b'", "$$;$$", "$a$ $b$ ; $a$;", "/* ; */ -- ;\n x;", "E'\\';'", `"a;b";c`,
		"CREATE FUNCTION f() BEGIN ATOMIC SELECT 1; END; x", "((;)); x", "COPY t FROM stdin;", "\\d", "1$2;3",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		stmts, err := Split(text)
		if err != nil {
			return
		}
		// The statements are pieces of the text, in order, none empty, each on
		// its line.
		rest, line := text, 1
		for _, s := range stmts {
			i := strings.Index(rest, s.Text)
			if s.Text == "" || i < 0 {
				t.Fatalf("Split(%q): %q is not in what is left, %q", text, s.Text, rest)
			}
			if s.Line < line || s.Line > 1+strings.Count(text, "\n") {
				t.Fatalf("Split(%q): %q is said to be in line %d", text, s.Text, s.Line)
			}
			line = s.Line
			rest = rest[i+len(s.Text):]
			// A statement alone is one statement.
			if again, err := Split(s.Text); err != nil || len(again) != 1 || again[0].Text != s.Text {
				t.Fatalf("Split(%q) gave %q, which splits into %v, %v", text, s.Text, again, err)
			}
		}
	})
}

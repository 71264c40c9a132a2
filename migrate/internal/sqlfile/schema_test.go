package sqlfile_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/migrate/internal/sqlfile"
)

// schema reads a text as schema.sql.
func schema(text string, tenant bool) (*sqlfile.Schema, error) {
	r := &sqlfile.Reader{App: "shop", FS: files("schema.sql", text), Tenant: tenant}
	return r.Schema()
}

func TestSchema(t *testing.T) {
	t.Parallel()

	s, err := schema("\ufeff-- the shop\nBEGIN;\nCREATE TABLE a (id int);\nCREATE TABLE b (id int REFERENCES public.c);\nCOMMIT;\n", true)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := showScript(&s.Script), "[3:CREATE TABLE a (id int); 4:CREATE TABLE b (id int REFERENCES public.c)]"; got != want || s.File != "shop/schema.sql" {
		t.Errorf("Schema: %s in %s; want %s", got, s.File, want)
	}
	r := &sqlfile.Reader{App: "shop", FS: files()}
	if s, err := r.Schema(); s != nil || err != nil {
		t.Errorf("without a file: %v, %v", s, err)
	}
}

func TestSchemaRefuses(t *testing.T) {
	t.Parallel()

	const path = "SELECT pg_catalog.set_config('search_path', '', false);\n"
	for text, want := range map[string]string{
		"-- nothing": "shop/schema.sql: it has no statements … (write some, or remove it)",
		"-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2;": "shop/schema.sql: it has annotations of goose, … (keep the current state alone, without them)",
		"SELECT 1;\nCREATE INDEX CONCURRENTLY i ON t (a)":    "shop/schema.sql:2: the current state of an app is made in one transaction … without CONCURRENTLY)",
		"SELECT 1;\n-- cotenant:no-transaction":              "shop/schema.sql:1: the current state of an app is made in one transaction … without CONCURRENTLY)",
		"SELECT 1;\n-- cotenant:requires a/b":                "shop/schema.sql:2: -- cotenant:requires: … (remove the line, and order the apps)",
		"SELECT 1;\n-- cotenant:replaces 1_a":                "shop/schema.sql:2: -- cotenant:replaces: … (remove the line; a migration can have it)",
		"CREATE TABLE public.a (id int)":                     "shop/schema.sql:1: CREATE TABLE public.a: what belongs to a tenant would be created in public … or put it into a shared app)",
		"SET search_path = public":                           "shop/schema.sql:1: it sets the search path, … (remove the statement)",
		path + "CREATE EXTENSION IF NOT EXISTS pgcrypto":     "shop/schema.sql:2: CREATE EXTENSION: … (put it into a migration of a shared app)",
		path + "CREATE TABLE audit.a (id int)":               `shop/schema.sql:2: CREATE TABLE audit.a: what belongs to a tenant would be created in schema "audit" … or put it into a shared app)`,
		path + "DROP TABLE public.a":                         "shop/schema.sql:2: DROP in a dump: … (dump without --clean)",
		path + "COPY public.a (id) FROM stdin;\n1\n\\.":      "shop/schema.sql:2: COPY FROM STDIN … (use INSERT, or a fixture)",
		path + "GRANT USAGE ON SCHEMA public TO r":           "shop/schema.sql:2: GRANT ON SCHEMA is about public, … (remove it, or dump with --no-privileges)",
		path + "SET client_encoding = 'LATIN1'":              "shop/schema.sql:2: the dump is in LATIN1 … (dump with --encoding=UTF8)",
		path + "SET standard_conforming_strings = off":       "shop/schema.sql:2: strings in which a backslash escapes are not read … (dump with standard_conforming_strings on)",
		path + "CREATE TABLE public.public (id int)":         "shop/schema.sql:2: public.public: … (rename the table)",
		path + "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql\n SET search_path TO 'pg_temp', 'public'\n AS 'SELECT 1'":          "shop/schema.sql:3: the function works on public for every tenant, … (remove the clause)",
		path + "CREATE TABLE public.a (id int);\nCREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS $$\nSELECT id FROM public.a$$": "shop/schema.sql:4: the body names public.a, which the file makes in each tenant's schema … (leave public out in the body)",
	} {
		_, err := schema(text, true)
		wantError(t, err, want)
	}
	// In a shared app they are where they belong.
	for _, text := range []string{
		path + "CREATE EXTENSION IF NOT EXISTS pgcrypto", path + "CREATE TABLE public.public (id int)", path + "DROP TABLE public.a",
		path + "GRANT USAGE ON SCHEMA public TO r", path + "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql SET search_path TO 'public' AS 'SELECT 1'",
	} {
		if _, err := schema(text, false); err != nil {
			t.Errorf("%s: in a shared app: %v", text, err)
		}
	}
	_, err := schema(path+"DROP SCHEMA public", false)
	wantError(t, err, "shop/schema.sql:2: DROP in a dump: … (dump without --clean)")
}

// What pg_dump writes of a public schema makes the same in any schema.
func TestSchemaUndumps(t *testing.T) {
	t.Parallel()

	const path = "SELECT pg_catalog.set_config('search_path', '', false);\n"
	for _, tt := range []struct{ text, tenant, shared string }{
		{"SET statement_timeout = 0;\nSET client_encoding = 'UTF8';\nSET xmloption = content;\n\\restrict x\n" + path + "SET default_tablespace = '';\nSET default_table_access_method = heap;\nSET check_function_bodies = false;\n" +
			"CREATE SCHEMA public;\nALTER SCHEMA public OWNER TO pg_database_owner;\nCOMMENT ON SCHEMA public IS 'x';\nCREATE EXTENSION IF NOT EXISTS plpgsql WITH SCHEMA pg_catalog;\nSELECT 1;\n\\unrestrict x", "[13:SELECT 1]", "[13:SELECT 1]"},
		{"SET statement_timeout = 5;\nSET default_tablespace = fast;\n" + path, "[1:SET statement_timeout = 5; 2:SET default_tablespace = fast]", "[1:SET statement_timeout = 5; 2:SET default_tablespace = fast]"},
		{
			"SET check_function_bodies = false;\n" + path + "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'", "[1:SET LOCAL check_function_bodies = false; 3:CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1']",
			"[1:SET LOCAL check_function_bodies = false; 3:CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1']",
		},
		{path + "CREATE TABLE public.a (\n    b public.state DEFAULT 'public.x'::text,\n    c \"public\".d\n);\nALTER TABLE public.a OWNER TO joe;", "[2:CREATE TABLE a (\n    b state DEFAULT 'public.x'::text,\n    c d\n)]", "[2:CREATE TABLE public.a (\n    b public.state DEFAULT 'public.x'::text,\n    c \"public\".d\n); 6:ALTER TABLE public.a OWNER TO joe]"},
		{path + "ALTER TABLE ONLY public.a ALTER COLUMN id SET DEFAULT nextval('public.a_id_seq'::regclass)", "[2:ALTER TABLE ONLY a ALTER COLUMN id SET DEFAULT nextval('a_id_seq'::regclass)]", ""},
		{path + "ALTER TABLE a ALTER id SET DEFAULT nextval(('public.\"S\"'::text)::regclass)", "[2:ALTER TABLE a ALTER id SET DEFAULT nextval(('\"S\"'::text)::regclass)]", ""},
		{path + "SELECT pg_catalog.setval('public.a_id_seq', 1, false)", "[2:SELECT pg_catalog.setval('a_id_seq', 1, false)]", ""},
		{path + "CREATE INDEX i ON public.a USING gin (to_tsvector('public.plain'::pg_catalog.regconfig, b) public.ops)", "[2:CREATE INDEX i ON a USING gin (to_tsvector('plain'::pg_catalog.regconfig, b) ops)]", ""},
		{path + "CREATE TABLE public.a (b text CHECK (b OPERATOR(public.~~~) 'x' AND b <> E'public.x'))", "[2:CREATE TABLE a (b text CHECK (b OPERATOR(~~~) 'x' AND b <> E'public.x'))]", ""},
		{path + "COMMENT ON TABLE public.a IS 'of public.a' -- not public.a\n", "[2:COMMENT ON TABLE a IS 'of public.a' -- not public.a]", ""},
		{path + "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS $$SELECT id FROM public.shared$$", "[2:CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$SELECT id FROM public.shared$$]", ""},
		{path + "CREATE VIEW public.v AS SELECT a.public, x.public.y FROM public.a", "[2:CREATE VIEW v AS SELECT a.public, x.public.y FROM a]", ""},
		{path + "SELECT publicist.x, my_public.y, \"Public\".z", "[2:SELECT publicist.x, my_public.y, \"Public\".z]", ""},
		{path + "SET SESSION AUTHORIZATION 'joe';\nCREATE TABLE public.a (id int);\nRESET SESSION AUTHORIZATION", "[3:CREATE TABLE a (id int)]", "[2:SET SESSION AUTHORIZATION 'joe'; 3:CREATE TABLE public.a (id int); 4:RESET SESSION AUTHORIZATION]"},
		{"-- PostgreSQL database dump\nSET search_path = public, pg_catalog;\nCREATE TABLE a (id int);\nALTER TABLE public.a OWNER TO joe;", "[3:CREATE TABLE a (id int)]", "[3:CREATE TABLE a (id int); 4:ALTER TABLE public.a OWNER TO joe]"},
	} {
		for tenant, want := range map[bool]string{true: tt.tenant, false: tt.shared} {
			if want == "" {
				continue
			}
			s, err := schema(tt.text, tenant)
			if err != nil {
				t.Errorf("%s: %v", tt.text, err)
			} else if got := showScript(&s.Script); got != want {
				t.Errorf("%s\ntenant %v: %s\nwant %s", tt.text, tenant, got, want)
			}
		}
	}
}

// A whole dump, as pg_dump 15 wrote it.
func TestSchemaUndumpsAll(t *testing.T) {
	t.Parallel()

	text, err := os.ReadFile("../../testdata/dump.sql")
	if err != nil {
		t.Fatal(err)
	}
	s, err := schema(string(text), true)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for _, stmt := range s.Statements {
		words := strings.Fields(stmt.Text)
		if !strings.HasPrefix(lines[stmt.Line-1], words[0]) {
			t.Errorf("%q is said to be in line %d: %q", stmt.Text, stmt.Line, lines[stmt.Line-1])
		}
	}
	left := regexp.MustCompile(`\S*\s*\S*public\.\w+`).FindAllString(showScript(&s.Script), -1)
	want := []string{"FROM public.countries", "DEFAULT 'public.note", "<> 'public.customers", "'in public.orders"}
	slices.Sort(left)
	slices.Sort(want)
	if !slices.Equal(left, want) {
		t.Errorf("what is left of public: %q; want %q", left, want)
	}
}

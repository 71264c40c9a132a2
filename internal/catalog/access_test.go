package catalog_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/catalog"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/tenant"
)

// Privileges are the same whatever the order in which they were granted, and what was
// granted and revoked again is not there.
func TestReadAccess(t *testing.T) {
	t.Parallel()
	address := testdb.New(t)
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	var roles []string
	for range 2 {
		config, err := pgx.ParseConfig(testdb.Role(t, address))
		if err != nil {
			t.Fatal(err)
		}
		roles = append(roles, config.User)
	}
	const objects = `CREATE TABLE things (id integer, name text); CREATE TABLE others (id integer); CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1';`
	a, b := roles[0], roles[1]
	build(t, conn, "acme", objects+"GRANT SELECT ON things TO "+a+"; GRANT INSERT ON things TO "+b+"; GRANT SELECT (name) ON things TO "+a+
		"; GRANT SELECT ON others TO "+a+"; REVOKE SELECT ON others FROM "+a+"; REVOKE ALL ON FUNCTION f FROM PUBLIC")
	build(t, conn, "globex", objects+"GRANT INSERT ON things TO "+b+"; GRANT SELECT ON things TO "+a+"; GRANT SELECT (name) ON things TO "+a+
		"; REVOKE ALL ON FUNCTION f FROM PUBLIC")
	build(t, conn, "bare", objects)
	one, other, bare := read(t, conn, "acme"), read(t, conn, "globex"), read(t, conn, "bare")
	for key, o := range one {
		if o != other[key] {
			t.Errorf("%#v\nand %#v", o, other[key])
		}
		granted := o.Access != bare[key].Access
		if want := slices.Contains([]string{"table things", "column things.name", "function f()"}, key); granted != want {
			t.Errorf("%s: access %q, without a grant %q", key, o.Access, bare[key].Access)
		}
	}
	build(t, conn, "acme", "GRANT USAGE ON SCHEMA acme TO "+a+"; ALTER DEFAULT PRIVILEGES IN SCHEMA acme GRANT SELECT ON TABLES TO "+a)
	for schema, want := range map[string][2]string{"acme": {a + "=U/", a + "=r/"}, "globex": {}} {
		err = pgx.BeginFunc(t.Context(), conn, func(tx pgx.Tx) error {
			got, err := catalog.ReadAccess(t.Context(), tx, schema)
			if err != nil {
				return err
			}
			if len(got) == 0 || got[0].Kind != catalog.SchemaItself || strings.Contains(got[0].Access, "=") != (want[0] != "") || !strings.Contains(got[0].Access, want[0]) {
				t.Errorf("access to %s: %v", schema, got)
			}
			if want[1] != "" && (len(got) != 2 || got[1].Kind != catalog.DefaultPrivileges || !strings.Contains(got[1].Definition, want[1])) {
				t.Errorf("default privileges of %s: %v", schema, got)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// To a role that may not use a schema its objects look as if they were elsewhere.
func TestReadWithoutUsage(t *testing.T) {
	t.Parallel()
	address := testdb.New(t)
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	build(t, conn, "acme", "CREATE TABLE things (id serial)")
	login, err := pgx.Connect(t.Context(), testdb.Role(t, address))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = login.Close(t.Context()) })
	readAcme := func() (objects []catalog.Object, err error) {
		err = pgx.BeginFunc(t.Context(), login, func(tx pgx.Tx) error {
			objects, err = catalog.Read(t.Context(), tx, tenant.MustParseSchema("acme"))
			return err
		})
		return objects, err
	}
	role := pgx.Identifier{login.Config().User}.Sanitize()
	_, err = readAcme()
	if _, ok := errors.AsType[*catalog.UsageError](err); !ok || !strings.Contains(err.Error(), `GRANT USAGE ON SCHEMA "acme" TO `+role) {
		t.Errorf("Read without USAGE: %v", err)
	}
	execute(t, conn, `GRANT USAGE ON SCHEMA acme TO `+role)
	objects, err := readAcme()
	if err != nil {
		t.Fatal(err)
	}
	want := read(t, conn, "acme")
	for _, o := range objects {
		if o != want[o.Key()] {
			t.Errorf("with USAGE alone: %#v\nthe owner: %#v", o, want[o.Key()])
		}
	}
}

func TestParts(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	execute(t, conn, shared)
	build(t, conn, "acme", everything)
	got := read(t, conn, "acme")
	for key, want := range map[string][]string{
		"column things.name":   {"text", "COLLATE german", "NOT NULL", "DEFAULT 'a'::text", "STORAGE EXTERNAL", "STATISTICS 200"},
		"table things":         {"WITH (fillfactor=70)", "ENABLE ROW LEVEL SECURITY", "FORCE ROW LEVEL SECURITY"},
		"function price(text)": {"(n text)", "RETURNS numeric", "LANGUAGE sql", "STABLE", "SECURITY DEFINER", "COST 100", "SET search_path=<schema>, public, pg_temp", "SELECT n::numeric"},
		"index cheap":          {"ON things USING btree (price(id)) WHERE feeling = 'ok'::mood"},
	} {
		if parts := got[key].Parts(); !slices.Equal(parts, want) {
			t.Errorf("%s has the parts %q, want %q", key, parts, want)
		}
	}
	if position := got["column things.name"].Position; position != 3 {
		t.Errorf("things.name has position %d, want 3", position)
	}
	if position := got["table things"].Position; position != 0 {
		t.Errorf("table things has position %d", position)
	}
}

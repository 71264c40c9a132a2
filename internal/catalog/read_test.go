package catalog_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/catalog"
	"github.com/cotenant/cotenant/tenant"
)

const shared = `CREATE TABLE public.taxes (id integer PRIMARY KEY); CREATE TABLE public.things (id integer, decoy text)`

// Two schemas that were built alike have equal objects, whatever they are called, and
// none of them mentions the schema.
func TestReadAlike(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	execute(t, conn, shared)
	names := []string{"acme", "Big-Corp", "a"}
	for _, name := range names {
		build(t, conn, name, everything)
	}
	want := read(t, conn, names[0])
	for _, name := range names[1:] {
		got := read(t, conn, name)
		for _, key := range slices.Sorted(maps.Keys(want)) {
			if got[key] != want[key] {
				t.Errorf("in %q\n\t%#v\nin %q\n\t%#v", names[0], want[key], name, got[key])
			}
		}
		if len(got) != len(want) {
			t.Errorf("%q has %d objects, %q %d", names[0], len(want), name, len(got))
		}
	}
	for _, o := range want {
		if strings.Contains(o.Definition+o.Name+o.Of, "acme") {
			t.Errorf("the schema's name is in %#v", o)
		}
	}
}

func TestReadKinds(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	execute(t, conn, shared)
	build(t, conn, "acme", everything)
	got := read(t, conn, "acme")
	for key, want := range map[string]struct{ of, definition string }{
		"type mood":        {"", `AS ENUM ('sad', 'ok', 'it''s fine')`},
		`type "Point 2"`:   {"", `AS (x double precision, "y y" text COLLATE "C", m mood[])`},
		"domain email":     {"", `AS text COLLATE "C" DEFAULT 'x@y'::text NOT NULL`},
		"sequence counter": {"", "AS integer START 10 INCREMENT 5 MINVALUE 1 MAXVALUE 2147483647 CACHE 3 CYCLE"},
		"sequence things_id_seq": {
			"column things.id",
			"AS integer START 1 INCREMENT 1 MINVALUE 1 MAXVALUE 2147483647 CACHE 1 OWNED BY things.id",
		},
		"constraint email.has_at": {"domain email", "CHECK (VALUE ~~ '%@%'::text)"},
		"table things":            {"", "WITH (fillfactor=70) ENABLE ROW LEVEL SECURITY FORCE ROW LEVEL SECURITY"},
		`table "Order Lines"`:     {"", ""},
		"table measures":          {"", "PARTITION BY RANGE (at)"},
		"table measures_other":    {"", "PARTITION OF measures DEFAULT"},
		"table child":             {"", "INHERITS things"},
		"table cache":             {"", "UNLOGGED"},
		"column things.id":        {"table things", "integer NOT NULL DEFAULT nextval('things_id_seq'::regclass)"},
		"column things.number":    {"table things", "bigint NOT NULL GENERATED ALWAYS AS IDENTITY"},
		"column things.name":      {"table things", "text COLLATE german NOT NULL DEFAULT 'a'::text STORAGE EXTERNAL STATISTICS 200"},
		"column things.price":     {"table things", "numeric(10,2) DEFAULT price(3) WITH (n_distinct=5)"},
		"column things.double":    {"table things", "numeric GENERATED ALWAYS AS ((price * (2)::numeric)) STORED"},
		"column things.at":        {"table things", `"Point 2"`},

		`column "Order Lines"."a""b.c"`: {`table "Order Lines"`, "text"},
		"constraint things.things_pkey": {"table things", "PRIMARY KEY (id) CLUSTER"},
		`constraint "Order Lines"."Order Lines_tax_id_fkey"`: {
			`table "Order Lines"`,
			"FOREIGN KEY (tax_id) REFERENCES public.taxes(id)",
		},
		`constraint "Order Lines"."Order Lines_thing_id_fkey"`: {
			`table "Order Lines"`,
			"FOREIGN KEY (thing_id) REFERENCES things(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED",
		},
		`index "Lower of"`: {
			`table "Order Lines"`,
			`UNIQUE ON "Order Lines" USING btree (lower("a""b.c") text_pattern_ops DESC NULLS LAST)`,
		},
		`index "Order Lines_thing_id_tax_id_idx"`: {
			`table "Order Lines"`,
			`ON "Order Lines" USING btree (thing_id) INCLUDE (tax_id) WHERE tags IS NOT NULL`,
		},
		"index cheap": {"table things", "ON things USING btree (price(id)) WHERE feeling = 'ok'::mood"},
		"index measures_2024_value_idx": {
			"table measures_2024",
			"ON measures_2024 USING btree (value) PARTITION OF measures_value_idx",
		},
		"index summary_feeling_idx": {"materialized view summary", "UNIQUE ON summary USING btree (feeling)"},
		"trigger things.touch": {
			"table things",
			"CREATE TRIGGER touch BEFORE UPDATE OF name ON things FOR EACH ROW WHEN (new.feeling = 'ok'::mood) EXECUTE FUNCTION touch() DISABLE",
		},
		"rule cache.quiet": {"table cache", "CREATE RULE quiet AS\n    ON DELETE TO cache DO INSTEAD NOTHING;"},
		"comment constraint things.things_price_check": {"constraint things.things_price_check", "more than nothing"},
		"comment function price(text)":                 {"function price(text)", "the other"},
		"comment column cheap_things.p":                {"view cheap_things", "of a view"},
		"function price(text)": {
			"",
			"(n text) RETURNS numeric LANGUAGE sql STABLE SECURITY DEFINER COST 100\nSET search_path=<schema>, public, pg_temp\nSELECT n::numeric",
		},
	} {
		o, ok := got[key]
		if !ok {
			t.Errorf("no %s", key)
		} else if o.Of != want.of || o.Definition != want.definition {
			t.Errorf("%s: of %q, %q\nwant  of %q, %q", key, o.Of, o.Definition, want.of, want.definition)
		}
	}
	for _, key := range []string{
		"index things_pkey", "constraint measures_2024.measures_value_check", "constraint measures_2024.measures_thing_id_fkey",
		"trigger measures_2024.touch", "rule counted._RETURN", "type things", "type _mood", "type span_multirange", "column things.decoy",
	} {
		if o, ok := got[key]; ok {
			t.Errorf("%#v is not for itself", o)
		}
	}
	kinds := map[catalog.Kind]int{}
	for _, o := range got {
		kinds[o.Kind]++
	}
	for _, kind := range []catalog.Kind{
		catalog.Aggregate, catalog.Collation, catalog.Column, catalog.Comment, catalog.Constraint, catalog.Conversion, catalog.Domain,
		catalog.Function, catalog.Index, catalog.MaterializedView, catalog.Operator, catalog.OperatorClass, catalog.OperatorFamily,
		catalog.Policy, catalog.Procedure, catalog.Rule, catalog.Sequence, catalog.Statistics, catalog.Table,
		catalog.TextSearchConfiguration, catalog.TextSearchDictionary, catalog.Trigger, catalog.Type, catalog.View,
	} {
		if kinds[kind] == 0 {
			t.Errorf("no %s", kind)
		}
	}
}

func TestReadNoSchema(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	execute(t, conn, "BEGIN")
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := catalog.Read(t.Context(), tx, tenant.MustParseSchema("acme")); !errors.Is(err, tenant.ErrSchemaNotFound) {
		t.Errorf("Read: %v, want ErrSchemaNotFound", err)
	}
	if objects, err := catalog.ReadNamed(t.Context(), tx, "public"); len(objects) > 0 || err != nil {
		t.Errorf("ReadNamed of an empty schema: %v, %v", objects, err)
	}
}

// What belongs to extensions, and our own tables, are not the application's.
func TestReadLeavesOut(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	build(t, conn, "acme", `
		CREATE TABLE cotenant_migrations (app text PRIMARY KEY, n integer CHECK (n > 0)); CREATE INDEX ON cotenant_migrations (n);
		COMMENT ON TABLE cotenant_migrations IS 'ours'`)
	if got := read(t, conn, "acme"); len(got) > 0 {
		t.Errorf("left: %v", got)
	}
}

// The path of the transaction is as it was, so that the plan of the query is kept.
func TestReadKeepsPath(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	build(t, conn, "acme", "CREATE TABLE things (id serial)")
	build(t, conn, "Big-Corp", "CREATE TABLE things (id serial)")
	err := pgx.BeginFunc(t.Context(), conn, func(tx pgx.Tx) error {
		for _, want := range []string{`"$user", public`, "acme", ""} {
			if _, err := tx.Exec(t.Context(), "SELECT set_config('search_path', $1, true)", want); err != nil {
				return err
			}
			for _, schema := range []string{"acme", "Big-Corp"} {
				objects, err := catalog.Read(t.Context(), tx, tenant.MustParseSchema(schema))
				if err != nil {
					return err
				}
				if len(objects) != 3 || objects[1].Definition != "integer NOT NULL DEFAULT nextval('things_id_seq'::regclass)" {
					t.Errorf("path %q: %q has %v", want, schema, objects)
				}
			}
			got := ""
			if err := tx.QueryRow(t.Context(), "SHOW search_path").Scan(&got); err != nil {
				return err
			}
			if got != want {
				t.Errorf("the path is %q and was %q", got, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

package adopt_test

import (
	"reflect"
	"testing"
	"testing/fstest"

	"github.com/cotenant/cotenant/adopt"
	"github.com/cotenant/cotenant/migrate"
)

// A value that its column of cotenant.tenants does not take is named with the column, by a dry
// run, too; and what is there already is not looked at.
func TestValuesRefused(t *testing.T) {
	t.Parallel()

	d := begin(t, `CREATE TABLE public.accounts (id int PRIMARY KEY, schema_name text, domain_url text, plan text, code text, seats text, name text, rest jsonb);
		CREATE DOMAIN public.positive AS int CHECK (VALUE > 0);
		CREATE SCHEMA a; CREATE SCHEMA b; CREATE SCHEMA c; CREATE SCHEMA d; CREATE SCHEMA e;
		INSERT INTO public.accounts VALUES (1, 'a', NULL, '7', 'short', '2', 'A', '{"x": [1]}'), (2, 'b', NULL, 'seven', 'short', '2', 'B', '[]'), (3, 'c', NULL, NULL, 'much too long', NULL, 'C', NULL),
			(4, 'd', NULL, '7', 'short', '0', 'D', NULL), (5, 'e', NULL, '7', 'short', '2', NULL, NULL)`,
		migrate.Dirs(fstest.MapFS{
			"base/migrations/0001_initial.sql": file("CREATE DOMAIN positive AS int CHECK (VALUE > 0)"),
			"base/migrations/0002_tenants.sql": file("ALTER TABLE cotenant.tenants ADD plan int, ADD code varchar(8), ADD seats positive, ADD name text NOT NULL DEFAULT '', ADD rest jsonb"),
		}, "base"), nil)
	want := []string{
		`schema "b": column "plan" of cotenant.tenants does not take what public.accounts has there: ERROR: invalid input syntax for type integer: "seven" (SQLSTATE 22P02) (correct it there first, or give the column another type than integer)`,
		`schema "c": column "code" of cotenant.tenants does not take what public.accounts has there: ERROR: value too long for type character varying(8) (SQLSTATE 22001) (correct it there first, or give the column another type than character varying(8))`,
		`schema "d": column "seats" of cotenant.tenants does not take what public.accounts has there: ERROR: value for domain positive violates check constraint "positive_check" (SQLSTATE 23514) (correct it there first, or give the column another type than positive)`,
		`schema "e": column "name" of cotenant.tenants is NOT NULL, and is NULL in public.accounts (fill it there first, or let the column be NULL: ALTER TABLE cotenant.tenants ALTER COLUMN "name" DROP NOT NULL)`,
	}
	dry := d.adopt(&adopt.Options{DryRun: true})
	d.same(refusals(dry), want)
	report := d.adopt(nil)
	d.same(refusals(report), want)
	if dry.DryRun = false; !reflect.DeepEqual(report, dry) {
		t.Errorf("the dry run said\n%+v\nand it was\n%+v", dry, report)
	}
	d.same(d.rows("SELECT schema_name, plan, code, seats, name, rest::text FROM cotenant.tenants"), []string{`a 7 short 2 A {"x": [1]}`})

	d.exec("UPDATE public.accounts SET plan = 'none' WHERE id = 1")
	if report := d.adopt(nil); report.There != 1 || report.Refused != 4 {
		t.Errorf("%+v", report)
	}
}

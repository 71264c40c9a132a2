package check_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/migrate"
)

// A way back is taken from where it would be in production, and what it leaves is told.
func TestBuildsDown(t *testing.T) {
	t.Parallel()

	cases := map[string]appCase{}
	for name, tt := range map[string]struct {
		second string
		want   []string
	}{
		"good":         {goose("ALTER TABLE a@ ADD COLUMN c int; CREATE INDEX ON a@ (b)", "DROP INDEX a@_b_idx; ALTER TABLE a@ DROP COLUMN c"), nil},
		"none":         {"-- +goose Up\nCREATE INDEX ON a@ (b)", nil},
		"columns move": {goose("ALTER TABLE a@ DROP COLUMN id", "ALTER TABLE a@ ADD COLUMN id int"), nil},
		"raises":       {goose("CREATE INDEX ON a@ (b)", "-- +goose StatementBegin\nDO $$ BEGIN RAISE EXCEPTION 'no way back'; END $$;\n-- +goose StatementEnd\nSELECT 1"), nil},
		"grants":       {goose("GRANT SELECT ON a@ TO pg_monitor", "REVOKE SELECT ON a@ FROM pg_monitor"), nil},
		"concurrently": {"-- +goose NO TRANSACTION\n" + goose("CREATE INDEX CONCURRENTLY a@_b ON a@ (b)", "DROP INDEX CONCURRENTLY a@_b"), nil},
		"forgets a grant": {goose("GRANT SELECT (id) ON a@ TO pg_monitor", "SELECT 1"), []string{
			`error down-differs shop shop/migrations/2_b.sql the way back does not undo the migration: column a@.id: its owner and privileges are "" before, and "pg_monitor=r" after`,
		}},
		"forgets an index": {goose("ALTER TABLE a@ ADD COLUMN c int; CREATE INDEX a@_b ON a@ (b)", "ALTER TABLE a@ DROP COLUMN c"), []string{
			`error down-differs shop shop/migrations/2_b.sql the way back does not undo the migration: it leaves index a@_b; the migration cannot run again: relation "a@_b" already exists (SQLSTATE 42P07)`,
		}},
		"forgets what need not be made again": {goose("CREATE INDEX IF NOT EXISTS a@_b ON a@ (b)", "SELECT 1"), []string{
			`error down-differs shop shop/migrations/2_b.sql the way back does not undo the migration: it leaves index a@_b`,
		}},
		"drops too much": {goose("ALTER TABLE a@ ADD COLUMN c int", "ALTER TABLE a@ DROP COLUMN c, DROP COLUMN b"), []string{
			`error down-differs shop shop/migrations/2_b.sql the way back does not undo the migration: it takes away column a@.b, which was there before`,
		}},
		"fails": {goose("CREATE TABLE b@ (id int)", "SELECT 1;\nDROP TABLE\n\tbb@"), []string{
			`error down-fails shop shop/migrations/2_b.sql:5 the way back fails: table "bb@" does not exist (SQLSTATE 42P01)`,
		}},
		"fails half way": {"-- +goose NO TRANSACTION\n" + goose("CREATE TABLE b@ (id int); CREATE TABLE c@ (id int)", "DROP TABLE b@; DROP TABLE cc@"), []string{
			`error down-fails shop shop/migrations/2_b.sql:5 the way back fails: table "cc@" does not exist (SQLSTATE 42P01)`,
		}},
		"forgets rows": {goose("CREATE TABLE IF NOT EXISTS b@ (id int PRIMARY KEY); INSERT INTO b@ VALUES (1)", "SELECT 1"), []string{
			`error down-differs shop shop/migrations/2_b.sql the way back does not undo the migration: it leaves table b@; the migration cannot run again: ` +
				`duplicate key value violates unique constraint "b@_pkey" (SQLSTATE 23505); Key (id)=(1) already exists.`,
		}},
	} {
		// What comes behind is not misled by what the way back has left.
		cases[name] = appCase{len(name)%2 == 0, []string{
			"migrations/1_a.sql", goose("CREATE TABLE a@ (id int, b text)", "DROP TABLE a@"), "migrations/2_b.sql", tt.second,
			"migrations/3_c.sql", goose("CREATE TABLE z@ (id int)", "DROP TABLE z@"),
		}, tt.want}
	}
	finds(t, cases)
}

// A value of an enum cannot be taken away.
func TestBuildsDownOfEnum(t *testing.T) {
	t.Parallel()

	p := newProject(t, "", "shop",
		"shop/migrations/1_a.sql", goose("CREATE TYPE mood AS ENUM ('sad', 'glad')", "DROP TYPE mood"),
		"shop/migrations/2_b.sql", goose("ALTER TYPE mood ADD VALUE IF NOT EXISTS 'so so' BEFORE 'glad'", "SELECT 1"),
		"shop/migrations/3_c.sql", goose("ALTER TYPE mood ADD VALUE 'mad'", "SELECT 1"))
	p.finds(t,
		`warning down-differs shop shop/migrations/2_b.sql the way back does not undo the migration: type mood: it is "AS ENUM ('sad', 'glad')" before, and "AS ENUM ('sad', 'so so', 'glad')" after`,
		`error down-differs shop shop/migrations/3_c.sql the way back does not undo the migration: type mood: it is "AS ENUM ('sad', 'so so', 'glad')" before, and `+
			`"AS ENUM ('sad', 'so so', 'glad', 'mad')" after; the migration cannot run again: enum label "mad" already exists (SQLSTATE 42710)`)
}

// A migration that is recorded in place of others has not run, and is not taken back.
func TestBuildsDownOfReplacement(t *testing.T) {
	t.Parallel()

	p := newProject(t, "", "shop",
		"shop/migrations/1_a.sql", goose("CREATE TABLE a (id int)", "DROP TABLE a"),
		"shop/migrations/2_b.sql", goose("CREATE TABLE b (id int)", "DROP TABLE b"),
		"shop/migrations/3_ab.sql", "-- cotenant:replaces 1_a 2_b\n"+goose("CREATE TABLE a (id int); CREATE TABLE b (id int)", "DROP TABLE a; DROP TABLE b"),
		"shop/migrations/4_c.sql", goose("CREATE TABLE c (id int)", "SELECT 1"))
	p.finds(t, `error down-differs shop shop/migrations/4_c.sql the way back does not undo the migration: it leaves table c; the migration cannot run again: relation "c" already exists (SQLSTATE 42P07)`)
}

// Shared apps reach beyond public, and pairs name the file of the way back.
func TestBuildsDownOfSharedApp(t *testing.T) {
	t.Parallel()

	p := newProject(t, "base", "",
		"base/migrations/1_a.up.sql", "CREATE SCHEMA audit; CREATE TABLE audit.log (id int)", "base/migrations/1_a.down.sql", "DROP TABLE audit.log",
		"base/migrations/2_b.up.sql", "ALTER TABLE cotenant.tenants ADD COLUMN paid date NOT NULL", "base/migrations/2_b.down.sql", "SELECT 1",
		"base/migrations/3_c.up.sql", "CREATE EXTENSION IF NOT EXISTS citext", "base/migrations/3_c.down.sql", "SELECT 1")
	p.finds(t,
		`error down-differs base base/migrations/1_a.down.sql the way back does not undo the migration: it leaves schema audit; the migration cannot run again: schema "audit" already exists (SQLSTATE 42P06)`,
		`error down-differs base base/migrations/2_b.down.sql the way back does not undo the migration: it leaves column cotenant.tenants.paid; `+
			`the migration cannot run again: column "paid" of relation "tenants" already exists (SQLSTATE 42701)`)
}

// Go migrations run, both ways, between those of other apps that they require.
func TestBuildsDownInGo(t *testing.T) {
	t.Parallel()

	p := newProject(t, "", "shop crm",
		"shop/migrations/1_a.sql", goose("CREATE TABLE a (id int)", "DROP TABLE a"),
		"crm/migrations/1_x.sql", "-- cotenant:requires shop/2_go\n"+goose("ALTER TABLE b ADD COLUMN x int", "ALTER TABLE b DROP COLUMN x"))
	execute := func(sql string) func(context.Context, pgx.Tx) error {
		return func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, sql)
			return err
		}
	}
	apps := p.options.Migrate.TenantApps
	apps[0].Migrations = []migrate.Migration{
		{Name: "2_go", Up: execute("CREATE TABLE b (id int)"), Down: execute("DROP TABLE b")},
		{Name: "3_go", Up: execute("CREATE TABLE c (id int)"), Down: execute("DROP TABLE cc")},
		{Name: "4_go", Up: execute("CREATE INDEX d ON b (id)"), Down: execute("ALTER TABLE b DROP COLUMN x")},
	}
	p.finds(t,
		`error down-fails shop migration 3_go of app shop: the way back fails: ERROR: table "cc" does not exist (SQLSTATE 42P01)`,
		`error down-fails shop migration 4_go of app shop: the way back fails: ERROR: column "x" of relation "b" does not exist (SQLSTATE 42703)`)
}

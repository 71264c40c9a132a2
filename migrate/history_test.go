package migrate_test

import (
	"context"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/migrate"
)

const changesHistory = "it changes cotenant_migrations, where cotenant records what the schema has (take out what does so; a record is made or forgotten with --fake)"

// A file that changes the history of its schema fails, whichever way it does so, and
// nothing of it is kept.
func TestFileThatChangesTheHistory(t *testing.T) {
	t.Parallel()

	for _, sql := range []string{
		unread("DELETE FROM cotenant_migrations"),
		unread("DELETE FROM cotenant_migrations WHERE name = '1_a'"),
		unread("DELETE FROM Cotenant_Migrations WHERE name = '2_b'"),
		unread("TRUNCATE cotenant_migrations"),
		unread("DROP TABLE cotenant_migrations"),
		unread("DROP TABLE cotenant_migrations; CREATE TABLE cotenant_migrations (app text, name text, checksum text)"),
		unread("ALTER TABLE cotenant_migrations RENAME TO mine"),
		unread("UPDATE cotenant_migrations SET checksum = 'x' WHERE name = '2_b'"),
		unread("INSERT INTO cotenant_migrations VALUES ('shop', '3_c', 'x')"),
		unread("INSERT INTO cotenant_migrations VALUES ('crm', '1_x', 'x')"),
		"DO $$ BEGIN EXECUTE 'DELETE FROM cotenant_' || 'migrations'; END $$",
		"CREATE FUNCTION wipe() RETURNS int LANGUAGE plpgsql AS $$ BEGIN EXECUTE 'DELETE FROM cotenant_' || 'migrations'; RETURN 1; END $$; SELECT wipe()",
		"-- cotenant:no-transaction\n" + unread("DELETE FROM cotenant_migrations"),
		"SET standard_conforming_strings = off; " + unread("DELETE FROM cotenant_migrations"),
	} {
		t.Run(sql, func(t *testing.T) {
			t.Parallel()

			s := newSite(t, "", "shop", "shop/migrations/1_a.sql", "CREATE TABLE a (id int)")
			s.add(t, "acme", "beta")
			s.migrate(t, migrate.MigrateOptions{})
			s.write("shop/migrations/2_b.sql", sql)
			report, err := s.fleet(t).Migrate(t.Context(), nil)
			if report == nil {
				t.Fatal(err)
			}
			adds(t, report, 0, 2, 0, 1)
			has(t, err, "shop/migrations/2_b.sql: "+changesHistory, "2 schemas: ")
			s.is(t, "acme", "a", "shop/1_a")
		})
	}
}

// So it is with shared apps, functions in Go, and where a schema is created.
func TestHistoryIsKeptEverywhere(t *testing.T) {
	t.Parallel()

	s := built(t, "base", "shop", "base/migrations/1_x.sql", "CREATE TABLE x (id int)", "shop/migrations/1_a.sql", "CREATE TABLE a (id int)")
	s.create(t, "acme")
	s.write("base/migrations/2_y.sql", unread("DELETE FROM cotenant_migrations"))
	_, err := s.fleet(t).Migrate(t.Context(), nil)
	has(t, err, `base/migrations/2_y.sql: schema "public": `+changesHistory+"; nothing of the file was kept")
	delete(s.fsys, "base/migrations/2_y.sql")

	s.write("shop/migrations/2_b.sql", unread("DELETE FROM cotenant_migrations"))
	s.refuses(t, "shop/migrations/2_b.sql", changesHistory)
	delete(s.fsys, "shop/migrations/2_b.sql")

	s.config.TenantApps = []migrate.App{{Name: "crm", Migrations: []migrate.Migration{{Name: "1_c", Up: func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM cotenant_migrations WHERE app = 'shop'")
		return err
	}}}}}
	_, err = s.fleet(t).Migrate(t.Context(), nil)
	has(t, err, `migration 1_c of app crm: schema "acme": `+changesHistory)
	s.refuses(t, "migration 1_c of app crm", changesHistory)
	s.is(t, "acme", "a", "shop/1_a")
}

// Reading the history is allowed; what was changed by hand before is not the file's.
func TestFileThatReadsTheHistory(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop", shopWithWaysBack("shop")...)
	s.add(t, "acme", "beta", "late")
	s.migrate(t, migrate.MigrateOptions{RunOptions: schemas("acme", "beta")})
	s.write("shop/migrations/0004_d.sql", goose("CREATE TABLE d AS SELECT name FROM cotenant_migrations; DO $$ BEGIN NULL; END $$", "DROP TABLE d; SELECT count(*) FROM cotenant_migrations"))
	execute(t, s.conn, "DELETE FROM acme.cotenant_migrations WHERE name = '0003_c'; DROP TABLE acme.c") // which the index does not know
	s.migrate(t, migrate.MigrateOptions{})
	for _, name := range []string{"acme", "beta", "late"} {
		s.is(t, name, "a b c d", "shop/0001_a shop/0002_b shop/0003_c shop/0004_d")
	}
	s.migrate(t, migrate.MigrateOptions{App: "shop", Target: "zero"})
	s.is(t, "beta", "", "")
}

// The digest is the program's also where a schema.sql stands for migrations, and alone.
func TestHistoryOfSchemaFilesIsKept(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop crm", "shop/schema.sql", "CREATE TABLE a (id int)", "shop/migrations/1_a.sql", "CREATE TABLE a (id int)", "crm/schema.sql", "CREATE TABLE x (id int)")
	s.add(t, "acme")
	s.sync(t, migrate.SyncOptions{Migrate: true})
	s.write("shop/migrations/2_ä b.sql", "DO $$ BEGIN NULL; END $$")
	adds(t, s.migrate(t, migrate.MigrateOptions{}), 1, 0, 0, 1)
	s.is(t, "acme", "a x", "crm/schema.sql shop/1_a* shop/2_ä b shop/schema.sql")
}

// One whose statements run one by one can be the first that a schema gets, whatever it
// calls; what has changed the history by then fails, as behind others.
func TestFirstFileRunsOneByOne(t *testing.T) {
	t.Parallel()

	for _, login := range logins() {
		t.Run(login, func(t *testing.T) {
			t.Parallel()

			g := newGuarded(t, login)
			if _, err := g.run(t); err != nil {
				t.Fatal(err)
			}
			if login != "super" {
				execute(t, g.conn, "GRANT CREATE ON DATABASE "+pgx.Identifier{g.conn.Config().Database}.Sanitize()+" TO "+g.name)
			}
			conn := connect(t, g.login)
			for i, name := range []string{"acme", "beta"} { // the migrator role's, with nothing in them
				execute(t, conn, "CREATE SCHEMA "+name)
				execute(t, conn, "ALTER SCHEMA "+name+" OWNER TO "+g.role)
				newRow(t, g.conn, int64(i+1), name)
			}
			g.write("shop/migrations/1_a.sql", "-- cotenant:no-transaction\nDO $$ BEGIN NULL; END $$;\nSELECT 1;\nCREATE TABLE a (id int);\nCREATE INDEX CONCURRENTLY a_id ON a (id);")
			report, err := g.run(t)
			if err != nil {
				t.Fatal(err)
			}
			adds(t, report, 2, 0, 0, 1)
			g.is(t, "acme", "a", "shop/1_a")
			if got := column(t, g.conn, "SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE relnamespace IN ('acme'::regnamespace, 'beta'::regnamespace)"); !slices.Equal(got, []string{g.role}) {
				t.Errorf("owners: %q, want %q", got, g.role)
			}
		})
	}

	s := newSite(t, "", "shop", "shop/migrations/1_a.sql", "-- cotenant:no-transaction\nCREATE TABLE a (id int);\n"+unread("INSERT INTO cotenant_migrations VALUES ('shop', '2_b', 'x')"))
	s.add(t, "acme")
	_, err := s.fleet(t).Migrate(t.Context(), nil)
	has(t, err, `shop/migrations/1_a.sql: schema "acme": `+changesHistory)
	s.is(t, "acme", "a", "")
}

// What is not recorded is not kept: it would run again and again. So it is also with the
// records of a whole schema, at creation.
func TestRecordThatIsNotWritten(t *testing.T) {
	t.Parallel()

	for name, keepsOut := range map[string]string{
		"a trigger": "CREATE FUNCTION acme.no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; CREATE TRIGGER no BEFORE INSERT ON acme.cotenant_migrations FOR EACH ROW EXECUTE FUNCTION acme.no()",
		"a rule":    "CREATE RULE no AS ON INSERT TO acme.cotenant_migrations DO INSTEAD NOTHING",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			s := newSite(t, "", "shop", "shop/migrations/1_a.sql", "CREATE TABLE a (n int); INSERT INTO a VALUES (0)")
			s.add(t, "acme", "beta")
			s.migrate(t, migrate.MigrateOptions{})
			execute(t, s.conn, keepsOut)
			s.write("shop/migrations/2_b.sql", "UPDATE a SET n = n + 1", "shop/migrations/3_c.sql", "UPDATE a SET n = n + 1")
			report, err := s.fleet(t).Migrate(t.Context(), nil)
			adds(t, report, 1, 1, 0, 1)
			has(t, err, "shop/migrations/2_b.sql: ", "acme")
			if name == "a trigger" {
				has(t, err, "it cannot be recorded in cotenant_migrations, which has a trigger, or a policy, that keeps records out (drop it); it did not run")
			}
			if got := column(t, s.conn, "SELECT n::text FROM acme.a UNION ALL SELECT n::text FROM beta.a"); !slices.Equal(got, []string{"0", "2"}) {
				t.Errorf("ran %q times, want 0 and 2", got)
			}
		})
	}
}

package sqlfile_test

import (
	"strings"
	"testing"

	"github.com/cotenant/cotenant/migrate/internal/sqlfile"
)

// What would change the table of the history is refused where it is read, in every app;
// what reads it, or lets others read it, is not.
func TestHistoryIsNotTheFiles(t *testing.T) {
	t.Parallel()

	for _, tenant := range []bool{false, true} {
		for sql, want := range map[string]string{
			"ALTER TABLE cotenant_migrations ADD COLUMN n int NOT NULL":                    "ALTER TABLE cotenant_migrations: ",
			"ALTER TABLE IF EXISTS ONLY Cotenant_Migrations ADD CHECK (name <> '')":        "ALTER TABLE cotenant_migrations: ",
			"ALTER TABLE \"cotenant_migrations\" DROP CONSTRAINT cotenant_migrations_pkey": "ALTER TABLE cotenant_migrations: ",
			"ALTER TABLE cotenant_migrations FORCE ROW LEVEL SECURITY":                     "ALTER TABLE cotenant_migrations: ",
			"CREATE TRIGGER t BEFORE INSERT ON cotenant_migrations EXECUTE FUNCTION f()":   "CREATE TRIGGER on cotenant_migrations: ",
			"CREATE RULE r AS ON INSERT TO cotenant_migrations DO INSTEAD NOTHING":         "CREATE RULE on cotenant_migrations: ",
			"CREATE POLICY p ON cotenant_migrations":                                       "CREATE POLICY on cotenant_migrations: ",
			"CREATE UNIQUE INDEX ON cotenant_migrations (app)":                             "CREATE INDEX on cotenant_migrations: ",
			"DROP TABLE a, cotenant_migrations":                                            "DROP TABLE cotenant_migrations: ",
			"DELETE FROM cotenant_migrations":                                              "DELETE FROM cotenant_migrations: ",
			"WITH d AS (DELETE FROM cotenant_migrations RETURNING *) SELECT * FROM d":      "DELETE FROM cotenant_migrations: ",
			"TRUNCATE a, cotenant_migrations":                                              "TRUNCATE cotenant_migrations: ",
			"COPY cotenant_migrations (app, name) FROM '/tmp/x'":                           "COPY cotenant_migrations: ",
			"INSERT INTO cotenant_migrations VALUES ('a')":                                 "INSERT INTO cotenant_migrations: ",
			"CREATE TABLE a AS SELECT * FROM cotenant_migrations":                          "",
			"INSERT INTO a SELECT name FROM cotenant_migrations":                           "",
			"SELECT * FROM cotenant_migrations":                                            "",
			"GRANT SELECT ON cotenant_migrations TO reader":                                "",
			"CREATE VIEW v AS SELECT count(*) FROM cotenant_migrations":                    "",
		} {
			r := &sqlfile.Reader{App: "shop", Tenant: tenant}
			_, err := r.Parse("1_a", sql)
			switch {
			case want == "" && err != nil:
				t.Errorf("%s: %v", sql, err)
			case want != "" && (err == nil || !strings.Contains(err.Error(), want+"cotenant records there what the schema has (remove the statement; a record is made or forgotten with --fake)")):
				t.Errorf("%s: %v, want %s…", sql, err, want)
			}
		}
	}
}

func TestElsewhere(t *testing.T) {
	t.Parallel()

	for sql, want := range map[string]bool{
		"ALTER TABLE cotenant.tenants ADD COLUMN paid_until date":                     true,
		"CREATE INDEX ON cotenant.tenants (paid_until)":                               true,
		"UPDATE cotenant.tenants SET paid_until = now()":                              true,
		"COMMENT ON COLUMN cotenant.tenants.paid_until IS 'x'":                        true,
		"GRANT SELECT ON cotenant.tenants TO reader":                                  true,
		"CREATE FUNCTION audit.f() RETURNS int LANGUAGE sql AS 'SELECT 1'":            true,
		"ALTER TABLE a ADD FOREIGN KEY (t) REFERENCES cotenant.tenants":               false,
		"CREATE TABLE a PARTITION OF archive.a FOR VALUES IN (1)":                     false,
		"DROP TABLE a, archive.b":                                                     false,
		"WITH d AS (DELETE FROM archive.b RETURNING *) INSERT INTO a SELECT * FROM d": false,
		"INSERT INTO a SELECT id FROM cotenant.tenants":                               false,
		"CREATE TEMP TABLE a (id int)":                                                false,
		"CREATE EXTENSION citext":                                                     false,
		"SELECT cotenant.f()":                                                         false,
		"DO $$ BEGIN UPDATE cotenant.tenants SET note = ''; END $$":                   false,
	} {
		stmts, err := sqlfile.Split(sql)
		if err != nil || len(stmts) != 1 {
			t.Fatalf("%s: %v", sql, err)
		}
		if got := stmts[0].Elsewhere(); got != want {
			t.Errorf("%s: %v, want %v", sql, got, want)
		}
	}
}

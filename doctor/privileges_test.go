package doctor_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/doctor"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

// What a login lacks that is no superuser, one after the other; each cure is the next step.
func TestPrivileges(t *testing.T) {
	t.Parallel()
	address := testdb.New(t)
	role := testdb.RoleName(t, address)
	url := testdb.Role(t, address)
	admin := connect(t, address)
	login := connect(t, url).Config().User
	grant := func(statements ...string) {
		t.Helper()
		for _, sql := range statements {
			if _, err := admin.Exec(t.Context(), strings.NewReplacer("LOGIN", login, "MIGRATOR", role).Replace(sql)); err != nil {
				t.Fatal(err)
			}
		}
	}
	database := admin.Config().Database
	grant("REVOKE CREATE ON SCHEMA public FROM PUBLIC", "GRANT CREATE ON SCHEMA public TO LOGIN")
	c := clinicWith(t, cotenant.Config{DatabaseURL: url, Migrate: &migrate.Config{MigratorRole: role}}, "acme", "globex")
	c.config.MigratorRole = role

	report := c.examine(t)
	noticed(t, report, "migrator-role", doctor.Warning, "may not create it", "CREATE ROLE "+pgx.Identifier{role}.Sanitize()+"; GRANT")
	noticed(t, report, "transaction-old", doctor.Note, "does not see", "GRANT pg_read_all_stats")
	nothingElse(t, report, "migrator-role")

	grant("CREATE ROLE MIGRATOR")
	noticed(t, c.examine(t), "migrator-role", doctor.Warning, "is no member of it", "GRANT "+pgx.Identifier{role}.Sanitize())
	grant("GRANT MIGRATOR TO LOGIN", "GRANT pg_read_all_stats TO LOGIN")
	report = c.examine(t)
	f := noticed(t, report, "schema-owner", doctor.Warning, "2 schemas", "cotenant.give_all")
	if !slices.Equal(f.Schemas, []string{"acme", "globex"}) {
		t.Errorf("%q", f.Schemas)
	}
	nothingElse(t, report, "schema-owner")

	grant("ALTER SCHEMA acme OWNER TO MIGRATOR", "SELECT cotenant.give_all('globex', 'MIGRATOR')")
	report = c.examine(t)
	noticed(t, report, "object-owner", doctor.Warning, "table orders", login, `ALTER TABLE "acme"."orders" OWNER TO "`+role+`"`)
	nothingElse(t, report, "object-owner")

	grant("SELECT cotenant.give_all('acme', 'MIGRATOR')", "CREATE TABLE public.theirs (id int PRIMARY KEY)")
	report = c.examine(t)
	noticed(t, report, "shared-table-grant", doctor.Note, "theirs", "GRANT SELECT, REFERENCES ON public.theirs")
	nothingElse(t, report)

	grant("REVOKE CREATE ON DATABASE "+database+" FROM LOGIN", "ALTER SCHEMA public OWNER TO CURRENT_USER", "REVOKE CREATE ON SCHEMA public FROM LOGIN",
		"ALTER TABLE cotenant.domains OWNER TO CURRENT_USER", "GRANT SELECT ON cotenant.domains TO LOGIN",
		"ALTER TABLE cotenant.migration_progress OWNER TO CURRENT_USER")
	report = c.examine(t)
	var missing []string
	for _, f := range of(report, "privilege-missing") {
		missing = append(missing, f.Subject)
	}
	if !slices.Equal(missing, []string{"the database", `schema "public"`, `table "cotenant"."domains"`, "table cotenant.migration_progress"}) {
		t.Errorf("%q", missing)
	}
	// What cannot be read is said, and the rest goes on.
	noticed(t, report, "migration-half-done", doctor.Warning, "could not be checked", "permission denied", "superuser")
	noticed(t, report, "progress-stale", doctor.Warning, "could not be checked")
	noticed(t, report, "shared-table-grant", doctor.Note, "theirs")
}

// A login that may nothing is told what to do.
func TestStranger(t *testing.T) {
	t.Parallel()
	address := testdb.New(t)
	newClinic(t, address, "acme")
	stranger := testdb.Role(t, address)
	connect := func(ctx context.Context) (*pgx.Conn, error) { return pgx.Connect(ctx, stranger) }
	_, err := doctor.Examine(t.Context(), &doctor.Config{Connect: connect})
	if err == nil || !strings.Contains(err.Error(), "permission denied") || !strings.Contains(err.Error(), "GRANT USAGE ON SCHEMA cotenant TO ") {
		t.Errorf("%v", err)
	}
}

// Everybody may create where tenants look.
func TestCreateForEverybody(t *testing.T) {
	t.Parallel()
	c := newClinic(t, testdb.New(t), "acme")
	c.execute(t, "GRANT CREATE ON SCHEMA public TO PUBLIC", "GRANT CREATE ON DATABASE "+c.admin.Config().Database+" TO PUBLIC")
	report := c.examine(t)
	found := of(report, "create-for-everybody")
	if len(found) != 2 || !strings.HasPrefix(found[0].Cure, "REVOKE CREATE ON SCHEMA public FROM PUBLIC") || !strings.HasPrefix(found[1].Cure, "REVOKE CREATE ON DATABASE") {
		t.Errorf("%+v", found)
	}
	nothingElse(t, report, "create-for-everybody")
}

// Extra schemas that are not there, or that the migrator role may not use.
func TestExtraSchemas(t *testing.T) {
	t.Parallel()
	c := newClinic(t, testdb.New(t), "acme")
	c.config.ExtraSchemas = []tenant.Schema{tenant.MustParseSchema("nowhere"), tenant.MustParseSchema("closed"), tenant.MustParseSchema("open")}
	c.execute(t, "CREATE SCHEMA closed", "CREATE SCHEMA open", "GRANT USAGE ON SCHEMA open TO cotenant_migrator")
	found := of(c.examine(t), "extra-schema")
	if len(found) != 2 || found[0].Subject != `extra schema "nowhere"` || found[0].Severity != doctor.Error ||
		found[1].Subject != `extra schema "closed"` || !strings.Contains(found[1].Cure, `GRANT USAGE ON SCHEMA "closed"`) {
		t.Errorf("%+v", found)
	}
}

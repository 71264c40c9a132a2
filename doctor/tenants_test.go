package doctor_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/doctor"
	"github.com/cotenant/cotenant/internal/testdb"
)

// Tenants and schemas that do not belong together.
func TestTenantsAndSchemas(t *testing.T) {
	t.Parallel()
	c := newClinic(t, testdb.New(t), "acme", "globex", "gone1", "gone2", "Old-Name", "suspended")
	role := c.one(t, "SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'acme'")
	c.execute(
		t, "DROP SCHEMA gone1 CASCADE", "DROP SCHEMA gone2 CASCADE",
		`ALTER SCHEMA "Old-Name" RENAME TO new_name`,
		"CREATE SCHEMA orphan", "CREATE TABLE orphan.cotenant_migrations (LIKE acme.cotenant_migrations INCLUDING ALL)",
		"CREATE SCHEMA empty AUTHORIZATION "+role,
		"CREATE SCHEMA theirs", "CREATE TABLE theirs.orders (id int)", // the application's own
		"UPDATE cotenant.tenants SET status = 'suspended', created_at = now() - '31 days'::interval WHERE schema_name = 'suspended'",
		"INSERT INTO cotenant.schema_versions VALUES (4711, 1, 'd'), (4712, 1, 'd')",
	)
	report := c.examine(t)
	f := noticed(t, report, "tenant-without-schema", doctor.Error, "2 tenants", "restore")
	if !slices.Equal(f.Schemas, []string{"gone1", "gone2"}) || f.Count != 2 {
		t.Errorf("%d: %q", f.Count, f.Schemas)
	}
	noticed(t, report, "schema-renamed", doctor.Error, `tenant "Old-Name"`, `"new_name" now`, `ALTER SCHEMA "new_name" RENAME TO "Old-Name"`)
	orphans := of(report, "schema-without-tenant")
	if len(orphans) != 2 || !slices.Equal(orphans[0].Schemas, []string{"empty"}) || !slices.Equal(orphans[1].Schemas, []string{"orphan"}) {
		t.Errorf("%+v", orphans)
	}
	noticed(t, report, "tenant-inactive", doctor.Note, `"suspended"`)
	noticed(t, report, "version-without-tenant", doctor.Note, "2 rows", "DELETE FROM cotenant.schema_versions AS v WHERE v.tenant_id = 4711")
	nothingElse(t, report, "tenant-without-schema", "schema-renamed", "schema-without-tenant")

	// Where the index does not know it, a schema that was renamed may be any without a tenant.
	c.execute(t, "DROP SCHEMA orphan CASCADE", "DROP SCHEMA empty", "TRUNCATE cotenant.schema_versions")
	noticed(t, c.examine(t), "tenant-without-schema", doctor.Error, `see first whether schema "new_name"`, `ALTER SCHEMA "new_name" RENAME TO "Old-Name"`)
}

// Names that a table which was there before cotenant may have, and cotenant's own refuses.
func TestTenantNames(t *testing.T) {
	t.Parallel()
	c := newClinic(t, testdb.New(t), "acme")
	c.execute(
		t, "ALTER TABLE cotenant.tenants DROP CONSTRAINT cotenant_schema_name_check", "DROP INDEX cotenant.cotenant_tenants_schema_name_key",
		"INSERT INTO cotenant.tenants (schema_name) VALUES ('it''s bad'), ('ACME')", `CREATE SCHEMA "it's bad"`, `CREATE SCHEMA "ACME"`,
	)
	report := c.examine(t)
	names := of(report, "tenant-name")
	if len(names) != 2 || names[0].Subject != `tenant "acme"` || !slices.Equal(names[0].Schemas, []string{"ACME", "acme"}) || names[1].Subject != `tenant "it's bad"` {
		t.Errorf("%+v", names)
	}
}

// Domains that lead nowhere, or to two tenants.
func TestDomains(t *testing.T) {
	t.Parallel()
	c := newClinic(t, testdb.New(t), "acme", "globex", "initech")
	silent(t, c.examine(t), "domain-unusable", "domain-ambiguous", "domain-without-tenant", "tenant-without-domain", "tenant-primary-domain")
	c.execute(
		t, "ALTER TABLE cotenant.domains DROP CONSTRAINT cotenant_domain_check, DROP CONSTRAINT domains_pkey, DROP CONSTRAINT domains_tenant_id_fkey",
		"DROP INDEX cotenant.cotenant_domains_primary_key",
		"DELETE FROM cotenant.domains WHERE domain = 'initech.example.com'",
		`INSERT INTO cotenant.domains SELECT d, id, false FROM cotenant.tenants, unnest(ARRAY['WWW.Acme.com', 'globex.example.com', 'ok.example.com']) AS d WHERE schema_name = 'acme'`,
		"INSERT INTO cotenant.domains VALUES ('lost.example.com', 4711, false)",
		"UPDATE cotenant.domains SET is_primary = false WHERE domain = 'acme.example.com'",
		"UPDATE cotenant.domains SET is_primary = true WHERE domain IN ('globex.example.com', 'g.example.com') AND tenant_id <> 4711",
	)
	report := c.examine(t)
	noticed(t, report, "domain-unusable", doctor.Error, `domain "WWW.Acme.com"`, `"acme"`, "SET domain = 'acme.com' WHERE domain = 'WWW.Acme.com'")
	f := noticed(t, report, "domain-ambiguous", doctor.Error, `domain "globex.example.com"`, "2 rows")
	if !slices.Equal(f.Schemas, []string{"acme", "globex"}) {
		t.Errorf("%q", f.Schemas)
	}
	noticed(t, report, "domain-without-tenant", doctor.Error, `domain "lost.example.com"`, "WHERE domain = 'lost.example.com'; ")
	f = noticed(t, report, "tenant-without-domain", doctor.Note)
	if !slices.Equal(f.Schemas, []string{"initech"}) {
		t.Errorf("%q", f.Schemas)
	}
	c.execute(t, "UPDATE cotenant.domains SET is_primary = false WHERE domain = 'ok.example.com' OR domain = 'globex.example.com'")
	noticed(t, c.examine(t), "tenant-primary-domain", doctor.Note, "none of its domains is primary", "2 tenants")
	c.execute(t, "UPDATE cotenant.domains SET is_primary = true")
	f = noticed(t, c.examine(t), "tenant-primary-domain", doctor.Note, "several of its domains are primary", `"acme"`)
	_, cure, _ := strings.Cut(f.Cure, ": ")
	c.execute(t, cure)
	silent(t, c.examine(t), "tenant-primary-domain")
	nothingElse(t, report, "domain-unusable", "domain-ambiguous", "domain-without-tenant")
}

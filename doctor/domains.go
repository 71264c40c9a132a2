package doctor

import (
	"context"
	"fmt"
	"net"
	"strings"

	"github.com/cotenant/cotenant/tenant"
)

// domainsUnusable finds domains that no request leads to: a host is looked up in lower
// case, in ASCII, without its port and without www. cotenant's own table refuses them; one
// that was there before may have them.
func domainsUnusable(ctx context.Context, e *exam) ([]Finding, error) {
	return e.grouped(ctx, `SELECT d.domain::text, '', t.schema_name::text FROM `+e.domains+` AS d LEFT JOIN `+e.tenants+` AS t ON t.id = d.tenant_id
		WHERE d.domain::text !~ '^[a-z0-9_.-]{1,253}$' OR d.domain::text ~ '^www[.]' OR d.domain::text ~ '^[.]|[.]$|[.][.]'`,
		func(g group) Finding {
			return Finding{
				Severity: Error,
				Subject:  fmt.Sprintf("domain %q", g.what),
				Message:  "no request leads to it",
				Reason:   "hosts are looked up in lower case, in ASCII (xn--…), without the port, a last dot and www.",
				Cure:     e.usableDomain(g.what),
			}
		})
}

// domainsAmbiguous finds domains that several rows have, which a table that was there
// before may allow.
func domainsAmbiguous(ctx context.Context, e *exam) ([]Finding, error) {
	return e.grouped(ctx, `SELECT d.domain::text, '', t.schema_name::text FROM `+e.domains+` AS d JOIN `+e.tenants+` AS t ON t.id = d.tenant_id
		JOIN (SELECT domain FROM `+e.domains+` GROUP BY 1 HAVING count(*) > 1) AS several ON several.domain = d.domain`,
		func(g group) Finding {
			return Finding{
				Severity: Error,
				Subject:  fmt.Sprintf("domain %q", g.what),
				Message:  fmt.Sprintf("there are %d rows", g.count),
				Reason:   "which of the tenants a request reaches is not defined",
				Cure:     "delete all but one: DELETE FROM " + e.domains + " WHERE domain = " + literal(g.what) + " AND tenant_id <> " + e.idOf(g.schemas) + "; and CREATE UNIQUE INDEX ON " + e.domains + " (domain)",
			}
		})
}

// domainsWithoutTenant finds domains whose tenant is gone, which a table without the
// foreign key allows.
func domainsWithoutTenant(ctx context.Context, e *exam) ([]Finding, error) {
	return e.grouped(ctx, `SELECT d.domain::text, '', NULL::text FROM `+e.domains+` AS d WHERE NOT EXISTS (SELECT FROM `+e.tenants+` AS t WHERE t.id = d.tenant_id)`,
		func(g group) Finding {
			return Finding{
				Severity: Error,
				Subject:  fmt.Sprintf("domain %q", g.what),
				Message:  "there is no such tenant",
				Reason:   "the host leads nowhere, and cannot be given to another tenant",
				Cure:     "DELETE FROM " + e.domains + " WHERE domain = " + literal(g.what) + "; and ALTER TABLE " + e.domains + " ADD FOREIGN KEY (tenant_id) REFERENCES " + e.tenants + " (id) ON DELETE CASCADE",
			}
		})
}

// tenantsWithoutDomain finds tenants that no host leads to, where others have one. That is
// as it should be where tenants are found in another way.
func tenantsWithoutDomain(ctx context.Context, e *exam) ([]Finding, error) {
	return e.grouped(ctx, `SELECT '', '', t.name FROM tenant AS t WHERE EXISTS (SELECT FROM `+e.domains+`)
		AND NOT EXISTS (SELECT FROM `+e.domains+` AS d WHERE d.tenant_id = t.id)`,
		func(g group) Finding {
			return Finding{
				Severity: Note,
				Subject:  count(g.count, "tenant", "tenants"),
				Message:  "there is no domain",
				Reason:   "no request reaches the tenant by its host name, as it reaches others",
				Cure:     "cotenant domain add " + g.schemas[0] + " HOST, with its host name, unless it is found in another way",
			}
		})
}

// tenantsPrimaryDomain finds tenants whose domains have no primary one among them, or
// several.
func tenantsPrimaryDomain(ctx context.Context, e *exam) ([]Finding, error) {
	return e.grouped(ctx, `SELECT CASE count(*) FILTER (WHERE d.is_primary) WHEN 0 THEN 'none of its domains is primary' ELSE 'several of its domains are primary' END, '', t.name
		FROM tenant AS t JOIN `+e.domains+` AS d ON d.tenant_id = t.id GROUP BY t.id, t.name HAVING count(*) FILTER (WHERE d.is_primary) <> 1`,
		func(g group) Finding {
			return Finding{
				Severity: Note,
				Subject:  count(g.count, "tenant", "tenants"),
				Message:  g.what,
				Reason:   "which host its links and mails are to have is not said",
				Cure:     fmt.Sprintf("have one be it, such as the first: UPDATE %s SET is_primary = domain = (SELECT min(domain) FROM %[1]s WHERE tenant_id = %[2]s) WHERE tenant_id = %[2]s", e.domains, e.idOf(g.schemas)),
			}
		})
}

// idOf selects the id of the first of some tenants.
func (e *exam) idOf(schemas []string) string {
	name := "public"
	if len(schemas) > 0 {
		name = schemas[0]
	}
	return "(SELECT id FROM " + e.tenants + " WHERE schema_name = " + literal(name) + ")"
}

// usableDomain is the statement that brings a domain into the form in which hosts are
// looked up, where there is one.
func (e *exam) usableDomain(domain string) string {
	host := strings.TrimSpace(domain)
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimPrefix(strings.ToLower(strings.TrimSuffix(host, ".")), "www.")
	usable, err := tenant.ParseDomain(host)
	if err != nil {
		return "no host has that name: DELETE FROM " + e.domains + " WHERE domain = " + literal(domain)
	}
	return "UPDATE " + e.domains + " SET domain = " + literal(usable.String()) + " WHERE domain = " + literal(domain)
}

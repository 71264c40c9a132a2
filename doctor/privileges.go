package doctor

import (
	"context"
	"fmt"
	"strings"
)

// createForEverybody finds that everybody may create in public, which before PostgreSQL 15
// is the default, or schemas in the database. Then a tenant's migration can put a table,
// and anybody a function or an operator, where all tenants look (manual, "Usage Patterns").
func createForEverybody(ctx context.Context, e *exam) ([]Finding, error) {
	var inPublic, inDatabase bool
	err := e.row(ctx, `SELECT EXISTS (SELECT FROM pg_namespace AS n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) AS a
				WHERE n.nspname = 'public' AND a.grantee = 0 AND a.privilege_type = 'CREATE'),
			EXISTS (SELECT FROM pg_database AS d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a
				WHERE d.datname = current_database() AND a.grantee = 0 AND a.privilege_type = 'CREATE')`).Scan(&inPublic, &inDatabase)
	if err != nil {
		return nil, err
	}
	var findings []Finding
	if inPublic {
		findings = append(findings, Finding{
			Severity: Warning,
			Subject:  `schema "public"`,
			Message:  "everybody may create in it",
			Reason:   "what anybody puts there, all tenants find; the role that tenants' migrations run as may, too, so that they are not kept from what is shared",
			Cure:     "REVOKE CREATE ON SCHEMA public FROM PUBLIC, and grant it to the login that migrates",
		})
	}
	if inDatabase {
		findings = append(findings, Finding{
			Severity: Warning,
			Subject:  fmt.Sprintf("database %q", e.facts.database),
			Message:  "everybody may create schemas in it",
			Reason:   "a schema that anybody makes takes the name that a tenant is to have",
			Cure:     "REVOKE CREATE ON DATABASE " + quote(e.facts.database) + " FROM PUBLIC, and grant it to the login that migrates",
		})
	}
	return findings, nil
}

// privilegesMissing finds what the login lacks to migrate and to create tenants; the table
// "What the login needs" of the README has them.
func privilegesMissing(ctx context.Context, e *exam) ([]Finding, error) {
	login := quote(e.facts.login)
	needs := []struct{ subject, has, grant string }{
		{"the database", "has_database_privilege(current_database(), 'CREATE')", "GRANT CREATE ON DATABASE " + quote(e.facts.database) + " TO " + login},
		{`schema "public"`, "coalesce((SELECT has_schema_privilege(oid, 'CREATE') FROM pg_namespace WHERE nspname = 'public'), true)", "GRANT CREATE ON SCHEMA public TO " + login},
		{`schema "cotenant"`, "has_schema_privilege('cotenant', 'USAGE')", "GRANT USAGE ON SCHEMA cotenant TO " + login},
	}
	for _, table := range []string{e.tenants, e.domains, "cotenant.resting_names", "cotenant.schema_versions", "cotenant.migration_progress"} {
		has := "true"
		for _, privilege := range []string{"SELECT", "INSERT", "UPDATE", "DELETE"} {
			has += " AND coalesce(has_table_privilege(to_regclass(" + literal(table) + "), '" + privilege + "'), true)"
		}
		needs = append(needs, struct{ subject, has, grant string }{"table " + table, has, "GRANT SELECT, INSERT, UPDATE, DELETE ON " + table + " TO " + login})
	}
	var columns []string
	for _, n := range needs {
		columns = append(columns, n.has)
	}
	var has []bool
	if err := e.row(ctx, "SELECT ARRAY["+strings.Join(columns, ", ")+"]").Scan(&has); err != nil {
		return nil, err
	}
	var findings []Finding
	for i, n := range needs {
		if has[i] {
			continue
		}
		findings = append(findings, Finding{
			Severity: Error,
			Subject:  n.subject,
			Message:  fmt.Sprintf("login %q lacks a privilege on it", e.facts.login),
			Reason:   "migrations, or the creation of tenants, fail",
			Cure:     "let an administrator: " + n.grant + "; or examine as the login that migrates",
		})
	}
	return findings, nil
}

// migratorRole finds that there is no role for the tenants' migrations which the login may
// become: they then run as the login, and nothing keeps them from what is shared. Where
// the login may create roles, the next run makes it.
func migratorRole(ctx context.Context, e *exam) ([]Finding, error) {
	if e.facts.may || e.facts.super {
		return nil, nil
	}
	var creates, inherits bool
	if err := e.row(ctx, "SELECT rolcreaterole, rolinherit FROM pg_roles WHERE rolname = current_user").Scan(&creates, &inherits); err != nil {
		return nil, err
	}
	role, login := quote(e.config.MigratorRole), quote(e.facts.login)
	f := Finding{
		Severity: Warning,
		Subject:  fmt.Sprintf("role %q", e.config.MigratorRole),
		Message:  fmt.Sprintf("login %q is no member of it", e.facts.login),
		Reason:   "tenants' migrations run as the login, and nothing keeps them from changing what is shared",
		Cure:     "let an administrator: GRANT " + role + " TO " + login,
	}
	if e.facts.version >= 160000 {
		f.Cure += " WITH INHERIT TRUE, SET TRUE"
	} else if !inherits {
		f.Cure += "; ALTER ROLE " + login + " INHERIT"
	}
	if !e.facts.hasRole {
		if creates && (inherits || e.facts.version >= 160000) {
			return nil, nil
		}
		f.Message = fmt.Sprintf("it is not there, and login %q may not create it", e.facts.login)
		f.Cure = strings.Replace(f.Cure, "GRANT", "CREATE ROLE "+role+"; GRANT", 1)
	}
	return []Finding{f}, nil
}

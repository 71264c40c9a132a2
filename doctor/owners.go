package doctor

import (
	"context"
	"fmt"
	"strings"
)

// schemaOwners finds tenants' schemas that do not belong to the migrator role, as those of
// before it: their migrations run as the login, and nothing keeps them from what is shared.
func schemaOwners(ctx context.Context, e *exam) ([]Finding, error) {
	if !e.facts.may {
		return nil, nil // migratorRole tells that
	}
	return e.grouped(ctx, `SELECT r.rolname, '', t.name FROM tenant AS t JOIN pg_namespace AS n ON n.oid = t.space JOIN pg_roles AS r ON r.oid = n.nspowner
		WHERE t.name <> 'public' AND r.rolname <> $1`,
		func(g group) Finding {
			return Finding{
				Severity: Warning,
				Subject:  count(g.count, "schema", "schemas"),
				Message:  fmt.Sprintf("owned by %q and not by the migrator role", g.what),
				Reason:   "their migrations run as the login, and nothing keeps them from changing what is shared",
				Cure:     "let an administrator: " + e.giveAll(g),
			}
		}, e.config.MigratorRole)
}

// giveAll is the statement that gives the role what is in one schema, or in all: one at a
// time, since each object is a lock.
func (e *exam) giveAll(g group) string {
	role := literal(e.config.MigratorRole)
	if g.count == 1 {
		return "SELECT cotenant.give_all(" + literal(g.schemas[0]) + ", " + role + ")"
	}
	return "DO $give$ DECLARE name text; BEGIN FOR name IN SELECT nspname FROM pg_namespace JOIN " + e.tenants +
		" ON schema_name = nspname WHERE nspname <> 'public' LOOP PERFORM cotenant.give_all(name, " + role + "); COMMIT; END LOOP; END $give$"
}

// objectOwners finds tables in the migrator role's schemas that are not that role's, such as
// OnMigrating makes: later migrations, which run as the role, cannot alter them. Views, and
// tables with rules, can work with their owner's rights alone, and are left to that.
func objectOwners(ctx context.Context, e *exam) ([]Finding, error) {
	if !e.facts.may {
		return nil, nil
	}
	return e.grouped(ctx, `SELECT CASE count(*) WHEN 1 THEN 'table ' ELSE 'tables ' END || array_to_string((array_agg(quote_ident(c.relname) ORDER BY c.relname))[1:3], ', ') || CASE WHEN count(*) > 3 THEN ' and ' || count(*) - 3 || ' more' ELSE '' END, min(c.relname) || chr(1) || r.rolname, t.name
		FROM pg_class AS c JOIN tenant AS t ON t.space = c.relnamespace AND t.name <> 'public'
		JOIN pg_namespace AS n ON n.oid = t.space AND n.nspowner = (SELECT oid FROM pg_roles WHERE rolname = $1) JOIN pg_roles AS r ON r.oid = c.relowner
		WHERE c.relkind IN ('r', 'p', 'f') AND NOT c.relhasrules AND c.relowner <> n.nspowner AND c.relname <> 'cotenant_migrations'
			AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
		GROUP BY r.rolname, t.name`,
		func(g group) Finding {
			table, owner, _ := strings.Cut(g.detail, "\x01")
			return Finding{
				Severity: Warning,
				Subject:  g.what,
				Message:  fmt.Sprintf("owned by %q, and the schema by the migrator role", owner),
				Reason:   "a migration that alters them fails: migrations run as the migrator role",
				Cure: "let an administrator, for each: ALTER TABLE " + quote(g.schemas[0], table) + " OWNER TO " + quote(e.config.MigratorRole) +
					"; in OnMigrating, SET LOCAL ROLE " + quote(e.config.MigratorRole) + " before they are made",
			}
		}, e.config.MigratorRole)
}

// extraSchemas finds extra schemas that are not there, and those that the migrator role may
// not use. A path may name what does not exist, and it is passed over without a word
// (manual, "search_path").
func extraSchemas(ctx context.Context, e *exam) ([]Finding, error) {
	if len(e.config.ExtraSchemas) == 0 {
		return nil, nil
	}
	may := "true"
	if e.facts.may {
		may = "has_schema_privilege(" + literal(e.config.MigratorRole) + ", n.oid, 'USAGE')"
	}
	return e.grouped(ctx, `SELECT x.name, CASE WHEN n.oid IS NULL THEN 'it is not there' ELSE 'the migrator role may not use it' END, NULL::text
		FROM unnest($1::text[]) AS x (name) LEFT JOIN pg_namespace AS n ON n.nspname = x.name WHERE n.oid IS NULL OR NOT `+may,
		func(g group) Finding {
			f := Finding{
				Severity: Warning,
				Subject:  fmt.Sprintf("extra schema %q", g.what),
				Message:  g.detail,
				Reason:   "what tenants and their migrations look for there is not found",
				Cure:     "let an administrator: GRANT USAGE ON SCHEMA " + quote(g.what) + " TO " + quote(e.config.MigratorRole),
			}
			if g.detail == "it is not there" {
				f.Severity, f.Cure = Error, "CREATE SCHEMA "+quote(g.what)+", or leave it out of the settings"
			}
			return f
		}, e.extra())
}

// sharedTableGrants finds shared tables to which the tenants' tables could not refer: a run
// grants the migrator role SELECT and REFERENCES on those that are the login's, and others
// are their owner's to grant.
func sharedTableGrants(ctx context.Context, e *exam) ([]Finding, error) {
	if !e.facts.may {
		return nil, nil
	}
	return e.grouped(ctx, `SELECT quote_ident(c.relname), quote_ident(r.rolname), NULL::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = 'public'
		JOIN pg_roles AS r ON r.oid = c.relowner
		WHERE c.relkind IN ('r', 'p') AND c.relname <> 'cotenant_migrations' AND NOT pg_has_role(c.relowner, 'USAGE')
			AND NOT (has_table_privilege($1, c.oid, 'SELECT') AND has_table_privilege($1, c.oid, 'REFERENCES'))
			AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`,
		func(g group) Finding {
			return Finding{
				Severity: Note,
				Subject:  "shared table " + g.what,
				Message:  "it is another's, and the migrator role may not refer to it",
				Reason:   "a tenant's migration with a foreign key to it fails",
				Cure:     "let " + g.detail + ": GRANT SELECT, REFERENCES ON public." + g.what + " TO " + quote(e.config.MigratorRole),
			}
		}, e.config.MigratorRole)
}

package doctor

import (
	"context"
	"fmt"
)

// pathSQL are the elements of the search paths that functions set for themselves.
const pathSQL = `SELECT p.oid, p.proname, p.pronamespace, btrim(btrim(element), '"') AS element FROM pg_proc AS p, unnest(p.proconfig) AS setting,
	unnest(string_to_array(substr(setting, length('search_path=') + 1), ',')) AS element WHERE p.proconfig IS NOT NULL AND setting LIKE 'search\_path=%'`

// functionsNamingSchemas finds functions whose own search path names a tenant's schema, as
// SET search_path FROM CURRENT in a migration does. It is a text: when the schema is
// renamed it keeps the old name, and then finds whatever gets that name next (seen on
// PostgreSQL 15.20).
func functionsNamingSchemas(ctx context.Context, e *exam) ([]Finding, error) {
	return e.grouped(ctx, `SELECT p.proname, CASE WHEN p.pronamespace = t.space THEN '' ELSE 'another ' END, s.name
		FROM (`+pathSQL+`) AS p JOIN tenant AS t ON t.name = p.element AND t.space IS NOT NULL AND t.name <> 'public' JOIN home AS s ON s.space = p.pronamespace`,
		func(g group) Finding {
			return Finding{
				Severity: Warning,
				Subject:  fmt.Sprintf("function %q", g.what),
				Message:  "its search_path names the schema of " + map[bool]string{true: "its tenant", false: "another tenant"}[g.detail == ""],
				Reason:   "when that schema is renamed the function goes on looking under the old name, and into whatever schema gets it next",
				Cure:     "a migration that creates it without SET search_path, or ALTER FUNCTION … RESET search_path; a function of the tenant runs on the tenant's path",
			}
		})
}

// functionsSecurityDefiner finds functions that run as their owner and on the path of
// whoever calls them: who can make a table or an operator that is found first, pg_temp
// included, runs as the owner what he likes (manual, CREATE FUNCTION, "Writing SECURITY
// DEFINER Functions Safely"). The names in bodies written as RETURN or BEGIN ATOMIC were
// looked up when the function was made.
func functionsSecurityDefiner(ctx context.Context, e *exam) ([]Finding, error) {
	return e.grouped(ctx, `SELECT p.proname, CASE s.name WHEN 'public' THEN 'public' ELSE '' END, s.name FROM pg_proc AS p JOIN home AS s ON s.space = p.pronamespace
		WHERE p.prosecdef AND p.prosqlbody IS NULL AND  NOT EXISTS (SELECT FROM unnest(p.proconfig) AS setting WHERE setting LIKE 'search\_path=%')
			AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')`,
		func(g group) Finding {
			f := Finding{
				Severity: Warning,
				Subject:  fmt.Sprintf("function %q", g.what),
				Message:  "it is SECURITY DEFINER and has no search_path of its own",
				Reason:   "whoever calls it chooses by the path which tables and operators it finds, and it runs as its owner",
				Cure: "a migration that makes it SECURITY INVOKER; or that writes its body as RETURN or BEGIN ATOMIC, whose names are looked up once and follow a rename " +
					"(a search path of its own would keep the schema's name, FROM CURRENT as well)",
			}
			if g.detail == "public" {
				f.Cure = "a migration with ALTER ROUTINE public." + quote(g.what) + " SET search_path = public, pg_temp"
			}
			return f
		})
}

package conformance

import (
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/tenant"
)

// pathTraps are applications that change the path themselves.
func pathTraps() []trap {
	return []trap{
		{"the application sets the path", func(tr *trial) { tr.changes(openChanges()) }},
		{"the application sets the path where nobody sees it", func(tr *trial) {
			tr.promises(tr.way.HiddenPath)
			tr.changes(hiddenChanges())
		}},
	}
}

// openChanges change the path, to another's schema where they name one, and say so
// in their command tag.
func openChanges() []string {
	return []string{
		"SET search_path TO $other",
		"SET SESSION search_path = $other, public",
		"SET LOCAL search_path TO $other",
		"RESET search_path",
		"RESET ALL",
		"DISCARD ALL",
		"SET search_path TO DEFAULT",
		"SET SCHEMA '$other'",
		"SET search_path TO nowhere",
		"SELECT 1; SET search_path TO $other; SELECT 1",
		"ALTER ROLE CURRENT_USER RESET search_path; RESET ALL",
	}
}

// hiddenChanges do not show in a command tag.
func hiddenChanges() []string {
	return []string{
		"SELECT set_config('search_path', '$other', false)",
		"SELECT pg_catalog.set_config('sea' || 'rch_path', '$other', false)",
		"DO $$ BEGIN PERFORM set_config('search_path', '$other', false); END $$",
		"DO $$ BEGIN EXECUTE 'SET search_path TO $other'; END $$",
		"SELECT set_config('search_path', '$other', true)",
		"UPDATE pg_settings SET setting = '$other' WHERE name = 'search_path'",
	}
}

func literal(id int64) string { return strconv.FormatInt(id, 10) }

// withOther returns sql with the name of another tenant's schema.
func withOther(sql string, other *tenant.Tenant) string {
	return strings.ReplaceAll(sql, "$other", pgx.Identifier{other.Schema.String()}.Sanitize())
}

// changes executes each of texts wherever it can be, and looks for the path of the
// call that comes next.
func (tr *trial) changes(texts []string) {
	for _, sql := range texts {
		for _, pair := range [][2]*tenant.Tenant{{tr.a, tr.b}, {tr.b, tr.a}} {
			t, sql := pair[0], withOther(sql, pair[1])
			_, err := tr.Exec(tr.as(t), sql)
			tr.harmless(sql, err)
			tr.owns(tr, t)
			for _, commit := range []bool{true, false} {
				tx := tr.begin(t)
				_, err := tx.Exec(tr.as(t), sql)
				tr.harmless("in a transaction: "+sql, err)
				if commit {
					tr.harmless("commit", tx.Commit(tr.as(t)))
				} else {
					tr.harmless("rollback", tx.Rollback(tr.as(t)))
				}
				tr.owns(tr, t)
			}
			if acquirer, ok := tr.Access.(Acquirer); ok {
				conn, err := acquirer.Acquire(tr.as(t))
				tr.must("acquire", err)
				_, err = conn.Exec(tr.as(t), sql)
				tr.harmless("on a connection: "+sql, err)
				conn.Release()
				tr.owns(tr, t)
			}
			tr.owns(tr, pair[1])
		}
	}
}

package conformance

import "github.com/cotenant/cotenant/tenant"

// carryTraps are what a session carries besides the path.
func carryTraps() []trap {
	traps := []trap{{"temporary tables do not hide a tenant's", temporaryHides}}
	for _, c := range carried() {
		traps = append(traps, trap{c.name + " does not carry over", c.run})
	}
	return traps
}

// carriage is something that a session would carry to the next tenant.
type carriage struct {
	name  string
	sql   string // makes it
	probe string // a query of one bigint, which is not 0 where it is found; or it fails
}

func carried() []carriage {
	return []carriage{
		{"a temporary table", "CREATE TEMPORARY TABLE mine AS SELECT 7 AS owner", "SELECT count(*) FROM pg_catalog.pg_class WHERE relname = 'mine' AND relnamespace = pg_my_temp_schema()"},
		{"a temporary table, by SELECT INTO", "SELECT 7 AS owner INTO TEMP mine", "SELECT count(*) FROM pg_catalog.pg_class WHERE relname = 'mine' AND relnamespace = pg_my_temp_schema()"},
		{"a cursor with hold", "DECLARE held CURSOR WITH HOLD FOR SELECT owner FROM things", "SELECT count(*) FROM pg_catalog.pg_cursors WHERE name = 'held'"},
		{"a LISTEN registration", "LISTEN news", "SELECT count(*) FROM pg_listening_channels()"},
		{"an advisory lock", "SELECT pg_advisory_lock(42)", "SELECT count(*) FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"},
		{"a role", "SET ROLE pg_monitor", "SELECT (current_user <> session_user)::int::bigint"},
		{"a session authorization", "SET SESSION AUTHORIZATION pg_monitor", "SELECT (session_user = 'pg_monitor')::int::bigint"},
		{"a setting", "SET work_mem = '77kB'", "SELECT (current_setting('work_mem') = '77kB')::int::bigint"},
		{"a setting by set_config", "SELECT set_config('work_mem', '77kB', false)", "SELECT (current_setting('work_mem') = '77kB')::int::bigint"},
		{"a setting of the application's own", "SET app.customer = '7'", "SELECT (coalesce(current_setting('app.customer', true), '') <> '')::int::bigint"},
	}
}

// temporaryHides: a temporary table comes before every schema unless the path says
// otherwise.
func temporaryHides(tr *trial) {
	for _, t := range []*tenant.Tenant{tr.a, tr.b, tr.a} {
		_, err := tr.Exec(tr.as(t), "CREATE TEMPORARY TABLE things AS SELECT -7::bigint AS owner, ''::text AS name, 0 AS n")
		tr.harmless("create", err)
		tr.owns(tr, t)
		tr.owns(tr, tr.b)
	}
}

func (c carriage) run(tr *trial) {
	tr.promises(tr.way.Clean)
	leave := map[string]func(t *tenant.Tenant) error{
		"by a call": func(t *tenant.Tenant) error {
			_, err := tr.Exec(tr.as(t), c.sql)
			return err
		},
		"by a transaction": func(t *tenant.Tenant) error {
			tx := tr.begin(t)
			_, err := tx.Exec(tr.as(t), c.sql)
			tr.harmless("commit", tx.Commit(tr.as(t)))
			return err
		},
	}
	if acquirer, ok := tr.Access.(Acquirer); ok {
		leave["by a connection"] = func(t *tenant.Tenant) error {
			conn, err := acquirer.Acquire(tr.as(t))
			tr.must("acquire", err)
			defer conn.Release()
			_, err = conn.Exec(tr.as(t), c.sql)
			return err
		}
	}
	for how, f := range leave {
		for _, pair := range [][2]*tenant.Tenant{{tr.a, tr.b}, {tr.b, tr.a}} {
			tr.harmless(c.sql, f(pair[0]))
			n, err := one[int64](tr.as(pair[1]), tr, c.probe)
			tr.must("probe", err)
			if n != 0 {
				tr.Errorf("%s: %q left by %v is found by %v", how, c.sql, pair[0], pair[1])
			}
			tr.owns(tr, pair[1])
		}
	}
}

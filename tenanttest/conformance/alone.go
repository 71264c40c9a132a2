package conformance

import "github.com/cotenant/cotenant/tenant"

// aloneTraps are statements that PostgreSQL runs only by themselves, and those that
// hold transactions of their own.
func aloneTraps() []trap {
	return []trap{
		{"VACUUM, CREATE INDEX CONCURRENTLY and the like", alone},
		{"CALL with COMMIT", call},
		{"DO", do},
	}
}

func alone(tr *trial) {
	for i, sql := range []string{
		"VACUUM things", "vacuum (analyze) things", "/* */ VACUUM things", "CREATE INDEX CONCURRENTLY fresh ON things (name)",
		"REINDEX INDEX CONCURRENTLY fresh", "DROP INDEX CONCURRENTLY fresh", "REINDEX TABLE CONCURRENTLY things",
	} {
		for _, t := range []*tenant.Tenant{tr.a, tr.b} {
			if i%2 == 1 {
				tr.reads(tr, tr.a) // on a switch and without one
			}
			_, err := tr.Exec(tr.as(t), sql)
			tr.works(sql, err)
			tr.owns(tr, t)
		}
	}
	var elsewhere int
	err := tr.town.plain.QueryRow(tr.ctx, `SELECT count(*) FROM pg_catalog.pg_stat_user_tables WHERE schemaname = 'public' AND vacuum_count > 0`).Scan(&elsewhere)
	if err != nil || elsewhere != 0 {
		tr.Errorf("%d tables of public were vacuumed, %v", elsewhere, err)
	}
}

// works takes an error as a failure where the way in promises a session.
func (tr *trial) works(what string, err error) {
	tr.Helper()
	if err != nil && tr.way.Sessions {
		tr.Errorf("%s: %v", what, err)
		return
	}
	tr.harmless(what, err)
}

func call(tr *trial) {
	for range 3 {
		for _, t := range []*tenant.Tenant{tr.a, tr.b} {
			_, err := tr.Exec(tr.as(t), "CALL twice('called')")
			tr.works("CALL", err)
			_, err = tr.Exec(tr.as(t), "CALL twice($1)", "called")
			tr.works("CALL with an argument", err)
			tr.owns(tr, t)
		}
	}
}

func do(tr *trial) {
	for range 3 {
		for _, t := range []*tenant.Tenant{tr.a, tr.b} {
			_, err := tr.Exec(tr.as(t), withID("DO $$ BEGIN INSERT INTO things VALUES ($id, 'done'); END $$", t))
			tr.must("DO", err)
			_, err = tr.Exec(tr.as(t), withID("DO $$ BEGIN INSERT INTO things VALUES ($id); COMMIT; INSERT INTO things VALUES ($id); ROLLBACK; INSERT INTO things VALUES ($id); END $$", t))
			tr.harmless("DO with COMMIT", err)
			tr.owns(tr, t)
		}
	}
}

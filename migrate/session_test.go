package migrate_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/migrate"
)

// sessionSQL is what a session can carry, as one text.
const sessionSQL = `concat_ws(' ', current_setting('statement_timeout'), current_setting('work_mem'), nullif(current_setting('my.setting', true), ''),
	current_user = session_user,
	(SELECT count(*) FROM pg_prepared_statements WHERE name <> ''), (SELECT count(*) FROM pg_cursors WHERE name <> ''), (SELECT count(*) FROM pg_listening_channels()),
	(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND classid <> ((31751::bigint << 16) & 4294967295)),
	(SELECT count(*) FROM pg_class WHERE relname = 'stage' AND relpersistence = 't' AND relnamespace = pg_my_temp_schema()))`

// What a file does to its session is not there for the next file, nor for the next
// schema, which comes over the same connection.
func TestFilesLeaveNothingInTheSession(t *testing.T) {
	t.Parallel()

	const see = "CREATE TABLE seen%d AS SELECT " + sessionSQL + " AS what"
	for name, sql := range map[string]string{
		"settings":       "SET statement_timeout = '7s'; SET work_mem = '7MB'; SET SESSION my.setting = 'x'",
		"local settings": "SET LOCAL statement_timeout = '7s'",
		"set_config":     "SELECT set_config('statement_timeout', '7s', false), set_config('work_mem', '7MB', false), set_config('my.setting', 'x', false)",
		"in a block":     "DO $$BEGIN PERFORM set_config('statement_timeout', '7s', false); END$$",
		"role":           "SET ROLE pg_monitor",
		"authorization":  "SET SESSION AUTHORIZATION pg_monitor",
		"temp table":     "CREATE TEMP TABLE stage AS SELECT 1 AS a",
		"select into":    "SELECT 1 AS a INTO TEMP stage",
		"prepared":       "PREPARE mine AS SELECT 1",
		"cursor":         "DECLARE mine CURSOR WITH HOLD FOR SELECT 1",
		"listen":         "LISTEN mine",
		"advisory lock":  "SELECT pg_advisory_lock(77)",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			does := sql
			if name == "role" || name == "authorization" {
				does = unread(sql) // as it stands it is refused
			}
			s := newSite(t, "base", "shop",
				"base/migrations/1_x.sql", sql, "base/migrations/2_y.sql", fmt.Sprintf(see, 0),
				"shop/migrations/1_first.sql", fmt.Sprintf(see, 1),
				"shop/migrations/2_does.sql", does,
				"shop/migrations/3_then.sql", fmt.Sprintf(see, 2))
			s.add(t, "t1", "t2", "t3")
			s.migrate(t, migrate.MigrateOptions{RunOptions: migrate.RunOptions{Jobs: 1}})
			seen := column(t, s.conn, "SELECT what FROM public.seen0")
			for _, schema := range []string{"t1", "t2", "t3"} {
				seen = append(seen, column(t, s.conn, fmt.Sprintf("SELECT what FROM %s.seen1 UNION ALL SELECT what FROM %s.seen2", schema, schema))...)
			}
			want := column(t, s.conn, "SELECT "+sessionSQL)[0]
			if slices.ContainsFunc(seen, func(got string) bool { return strings.TrimSpace(got) != want }) {
				t.Errorf("seen %q, want %q", seen, want)
			}
		})
	}
}

// It is not there either after a file that failed, or whose schema was built.
func TestFilesThatFailLeaveNothingInTheSession(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop", "shop/migrations/1_a.sql", "SELECT pg_advisory_lock(77); PREPARE mine AS SELECT 1; CREATE TABLE a (id int);",
		"shop/migrations/2_b.sql", "CREATE TABLE seen AS SELECT "+sessionSQL+" AS what")
	s.add(t, "t1", "t2")
	s.spoil(t, "t1")
	report, err := s.fleet(t).Migrate(t.Context(), &migrate.MigrateOptions{RunOptions: migrate.RunOptions{Jobs: 1}})
	adds(t, report, 1, 1, 0, 1)
	has(t, err, `schema "t1"`)
	if got, want := column(t, s.conn, "SELECT what FROM t2.seen"), column(t, s.conn, "SELECT "+sessionSQL); !slices.Equal(got, want) {
		t.Errorf("seen %q, want %q", got, want)
	}
}

// The connections come back to the pool as they were, also those of Go migrations.
func TestRunsLeaveNothingInThePool(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "")
	s.config.TenantApps = []migrate.App{{Name: "shop", Migrations: []migrate.Migration{{Name: "1_a", Up: func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "SET statement_timeout = '7s'; CREATE TEMP TABLE stage (id int); LISTEN mine; SELECT pg_advisory_lock(77)", pgx.QueryExecModeSimpleProtocol)
		return err
	}}}}}
	s.add(t, "t1", "t2", "t3", "t4")
	pool := poolOver(t, s.url)
	if _, err := s.migrator(t).Fleet(pool).Migrate(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	want := column(t, s.conn, "SELECT "+sessionSQL)[0]
	for _, conn := range pool.AcquireAllIdle(t.Context()) {
		var got string
		if err := conn.QueryRow(t.Context(), "SELECT "+sessionSQL).Scan(&got); err != nil || got != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
		conn.Release()
	}
}

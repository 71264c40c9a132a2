package migrate_test

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cotenant/cotenant/migrate"
)

// One schema in fifty cannot be migrated: it stays as it was and is named, and the others
// are done.
func TestOneSchemaFails(t *testing.T) {
	t.Parallel()

	s := newShops(t, 50)
	execute(t, s.conn, "CREATE TABLE s17.extras (id text)")
	fsys := shopFiles(3)
	fsys["shop/migrations/0002_c.sql"].Data = []byte("ALTER TABLE items ADD COLUMN c2 int;\n\nCREATE TABLE extras (id int);\nINSERT INTO runs VALUES ('0002_c')")
	m := newMigrator(t, fsys, nil, []string{"shop"})
	_, err := newFleet(t, m, s.url).Migrate(t.Context(), nil)
	report := runFailure(t, err).Report
	if report.Done != 49 || report.Failed != 1 || report.Untouched != 0 || report.Current != 1 {
		t.Errorf("run: %v", report)
	}
	want := "shop/migrations/0002_c.sql:3: schema \"s17\": relation \"extras\" already exists (SQLSTATE 42P07); nothing of the file was kept\n" +
		"\tCREATE TABLE extras ( id int )\n" +
		"49 done, 1 failed, 0 untouched, 1 up to date"
	if got := strings.ReplaceAll(err.Error(), "(id int)", "( id int )"); got != want {
		t.Errorf("error:\n%s\nwant\n%s", got, want)
	}
	if len(report.Failures) != 1 || report.Failures[0].Schema.String() != "s17" || len(report.Failures[0].Applied) != 0 {
		t.Errorf("failures: %+v", report.Failures)
	}
	if got := history(t, s.conn, "s17"); !slices.Equal(got, []string{"shop/0001_initial"}) {
		t.Errorf("history of s17: %q", got)
	}
	if got := column(t, s.conn, "SELECT attname::text FROM pg_attribute WHERE attrelid = 's17.items'::regclass AND attnum > 0 AND NOT attisdropped"); !slices.Equal(got, []string{"id"}) {
		t.Errorf("columns in s17: %q", got)
	}
	s.checkContents(t, 3, []string{"s17"})
	s.checkNothingHeld(t)

	execute(t, s.conn, "DROP TABLE s17.extras")
	again, err := newFleet(t, m, s.url).Migrate(t.Context(), nil)
	if err != nil || again.Done != 1 || again.Current != 50 {
		t.Errorf("after mending: %v, %v", again, err)
	}
	s.checkContents(t, 3, nil)
}

// A history that was changed by hand has the index lie. That is found for the schema that
// is looked at, and by Verify for all.
func TestHistoryChangedByHand(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		forgetful []int // the schemas whose history is changed
		verify    bool
		last      int
		want      int   // schemas done
		missed    []int // schemas that only a run that verifies finds
	}{
		"the first, nothing new":        {[]int{1}, false, 2, 1, nil},
		"the first, something new":      {[]int{1}, false, 3, 5, nil},
		"another, nothing new":          {[]int{3}, false, 2, 0, []int{3}},
		"another, something new":        {[]int{3}, false, 3, 5, []int{3}},
		"verify, nothing new":           {[]int{3, 4}, true, 2, 2, nil},
		"verify, something new":         {[]int{3, 4}, true, 3, 5, nil},
		"the first two, something new":  {[]int{1, 2}, false, 3, 5, nil},
		"all of them, with nothing new": {[]int{1, 2, 3, 4, 5}, false, 2, 5, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			s := newShops(t, 5)
			s.migrate(t, 2)
			for _, i := range tt.forgetful { // as if the migration had not run
				execute(t, s.conn, fmt.Sprintf("ALTER TABLE s%[1]d.items DROP COLUMN c2; DELETE FROM s%[1]d.runs; DELETE FROM s%[1]d.cotenant_migrations WHERE name = '0002_c'", i))
			}
			report, err := newFleet(t, withConfig(t, shopConfig(tt.last)), s.url).Migrate(t.Context(), &migrate.MigrateOptions{RunOptions: migrate.RunOptions{Verify: tt.verify}})
			if err != nil || report.Done != tt.want || report.Done+report.Current != 6 {
				t.Errorf("run: %v, %v; want %d done", report, err, tt.want)
			}
			found, err := newFleet(t, withConfig(t, shopConfig(tt.last)), s.url).Migrate(t.Context(), &migrate.MigrateOptions{RunOptions: migrate.RunOptions{Verify: true}})
			if missed := len(tt.missed); err != nil || found.Done != missed {
				t.Errorf("a run that verifies: %v, %v; want %d done", found, err, missed)
			}
			s.check(t, tt.last)
		})
	}
}

// How many messages a run sends that has nothing to do, and a status, does not depend on how
// many schemas there are.
func TestMessagesWithNothingToDo(t *testing.T) {
	t.Parallel()

	if testing.Short() {
		t.Skip("it makes 1,100 schemas")
	}
	few, lots := newShops(t, 10), newShops(t, 1100) // more than are listed at a time
	const flush = 3                                 // what other tests have just written on the server is flushed, if there is some
	sendsAsMuch(t, "Migrate", few, lots, flush, func(f *migrate.Fleet, n int) error {
		report, err := f.Migrate(t.Context(), nil)
		if err == nil && report.Current != n+1 {
			err = fmt.Errorf("%v", report)
		}
		return err
	})
	sendsAsMuch(t, "Status", few, lots, 0, func(f *migrate.Fleet, n int) error {
		status, err := f.Status(t.Context(), nil)
		if err == nil && (status.Count(migrate.Current) != n+1 || len(status.Groups) != 2) {
			err = fmt.Errorf("%+v", status)
		}
		return err
	})
}

// sendsAsMuch wants that f sends as much over many schemas, which are up to date, as over
// few, but for the messages that it may send.
func sendsAsMuch(t *testing.T, name string, few, lots *shops, may int64, f func(fleet *migrate.Fleet, n int) error) {
	t.Helper()
	count := func(s *shops) int64 {
		var sent atomic.Int64
		pool := tappedPool(t, s.url, 8, func(net.Conn, []byte) error {
			sent.Add(1)
			return nil
		})
		if _, err := pool.Exec(t.Context(), ""); err != nil { // connected
			t.Fatal(err)
		}
		sent.Store(0)
		if err := f(withConfig(t, shopConfig(1)).Fleet(pool), s.n); err != nil {
			t.Fatal(err)
		}
		return sent.Load()
	}
	a, b := count(few), count(lots)
	if a == 0 || a > 30 || max(a, b)-min(a, b) > may {
		t.Errorf("%s: %d messages for 10 schemas, %d for 1,100", name, a, b)
	}
	t.Logf("%s: %d messages", name, a)
}

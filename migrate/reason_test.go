package migrate_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

// Schemas that fail for one reason are told of once, whatever the server says of each.
func TestReasons(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop", "shop/migrations/1_a.sql", "CREATE TABLE a (id int)")
	var names []string
	for i := range 30 {
		names = append(names, fmt.Sprintf("t%d", i+1))
	}
	s.add(t, names...)
	s.migrate(t, migrate.MigrateOptions{})
	s.write("shop/migrations/2_b.sql", "CREATE UNIQUE INDEX ON a (id)", "shop/migrations/3_c.sql", "CREATE TABLE c (id int)")
	for i, name := range names[:20] { // with values of its own
		execute(t, s.conn, fmt.Sprintf("INSERT INTO %s.a VALUES (%d), (%[2]d)", name, i))
	}
	execute(t, s.conn, "CREATE TABLE t25.c ()")
	_, err := s.fleet(t).Migrate(t.Context(), &migrate.MigrateOptions{RunOptions: migrate.RunOptions{Jobs: 1}})
	report := runFailure(t, err).Report
	adds(t, report, 9, 21, 0, 1)
	if len(report.Reasons) != 2 || report.Reasons[0].Count != 20 || len(report.Reasons[0].Schemas) != 20 || report.Reasons[1].Count != 1 {
		t.Fatalf("reasons: %+v", report.Reasons)
	}
	const want = `shop/migrations/2_b.sql:1: could not create unique index "a_id_idx" (SQLSTATE 23505); Key (id)=(0) is duplicated.; nothing of the file was kept
	CREATE UNIQUE INDEX ON a (id)
	20 schemas: t1, t2, t3, t4, t5 and 15 more
shop/migrations/3_c.sql:1: schema "t25": relation "c" already exists (SQLSTATE 42P07); nothing of the file was kept
	CREATE TABLE c (id int)
9 done, 21 failed, 0 untouched, 1 up to date`
	if err.Error() != want {
		t.Errorf("error\n%v\nwant\n%s", err, want)
	}
}

func TestKind(t *testing.T) {
	t.Parallel()

	kind := func(schema, text string) string {
		r := migrate.Result{Schema: tenant.MustParseSchema(schema), Err: errors.New(text)}
		return r.Kind()
	}
	for name, tt := range map[string]struct {
		first, second string // of schemas a and b2
		same          bool
	}{
		"their names":      {`schema "a": table a.orders`, `schema "b2": table b2.orders`, true},
		"a call":           {"give('a', 'role')", "give('b2', 'role')", true},
		"other texts":      {`schema "a": no`, `schema "b2": yes`, false},
		"parts of words":   {"a table", "b2able", false},
		"umlauts":          {"äaä", "äb2ä", false},
		"at the beginning": {"a", "b2", true},
		"without a name":   {"full", "full", true},
	} {
		if got := kind("a", tt.first) == kind("b2", tt.second); got != tt.same {
			t.Errorf("%s: alike %v, want %v", name, got, tt.same)
		}
	}
	if none := new(migrate.Result); none.Kind() != "" {
		t.Errorf("of no failure: %q", none.Kind())
	}
	if got := kind("a", "a "+strings.Repeat("a", 3)+" _a a_ a"); got != "… aaa _a a_ …" {
		t.Errorf("without a: %q", got)
	}
}

// Of many reasons the report keeps a hundred, and counts the others.
func TestManyReasons(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "")
	app := migrate.App{Name: "shop", Migrations: []migrate.Migration{{Name: "1_a", Up: func(ctx context.Context, _ pgx.Tx) error {
		who, err := tenant.FromContext(ctx)
		if err != nil {
			return err
		}
		return fmt.Errorf("reason %d", who.ID)
	}}}}
	s.config.TenantApps = []migrate.App{app}
	execute(t, s.conn, "CREATE SCHEMA cotenant; CREATE TABLE cotenant.tenants (id bigint PRIMARY KEY, schema_name text NOT NULL)")
	execute(t, s.conn, "DO $$ BEGIN FOR i IN 1..120 LOOP EXECUTE 'CREATE SCHEMA s' || i; INSERT INTO cotenant.tenants VALUES (i, 's' || i); END LOOP; END $$")
	_, err := s.fleet(t).Migrate(t.Context(), nil)
	report := runFailure(t, err).Report
	if report.Failed != 120 || len(report.Reasons) != 100 {
		t.Errorf("%v, %d reasons", report, len(report.Reasons))
	}
	has(t, err, "110 schemas more failed, for other reasons\n")
}

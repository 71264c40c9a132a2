package migrate_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
)

// A migrator role that owns nothing, where another does, is a mistyped one: it is not made,
// and nothing is touched.
func TestMistypedMigratorRole(t *testing.T) {
	t.Parallel()

	for _, login := range logins() {
		t.Run(login, func(t *testing.T) {
			t.Parallel()

			g := newGuarded(t, login)
			if _, err := g.run(t); err != nil {
				t.Fatal(err)
			}
			other := testdb.RoleName(t, g.url)
			right := g.config.MigratorRole
			g.config.MigratorRole = other
			if _, err := g.run(t); err != nil { // no tenants: nothing speaks against it
				t.Fatal(err)
			}
			g.config.MigratorRole = right
			g.create(t, "t1", "t2", "t3")

			g.write("shop/migrations/2_b.sql", "CREATE TABLE b (id int)", "base/migrations/2_x.sql", "CREATE TABLE x (id int)")
			mistyped := testdb.RoleName(t, g.url)
			g.config.MigratorRole = mistyped
			before := g.snapshot(t, true)
			for _, o := range []migrate.MigrateOptions{{}, {RunOptions: schemas("t1")}, {RunOptions: schemas("public")}} {
				_, err := g.fleetOver(t, g.login).Migrate(t.Context(), &o)
				has(t, err, "migrator_role \""+mistyped+"\": the tenants' schemas belong to \""+right+"\" (correct the setting; or, to give them to another role, let an administrator: CREATE ROLE ")
			}
			_, err := g.fleetOver(t, g.login).Plan(t.Context(), nil)
			has(t, err, "migrator_role \""+mistyped+"\": the tenants' schemas belong to \""+right+"\" (correct the setting; or")
			err = build(t.Context(), g.migrator(t), connect(t, g.login), 9, "never")
			has(t, err, "creation: schema \"never\": migrator_role \""+mistyped+"\": the tenants' schemas belong to \""+right+"\" (correct the setting; how")
			g.unchanged(t, before, true)
			if got := column(t, g.conn, "SELECT rolname::text FROM pg_roles WHERE rolname = $1", mistyped); len(got) != 0 {
				t.Errorf("made %q", got)
			}

			// The cure for who means it works.
			_, err = g.fleetOver(t, g.login).Migrate(t.Context(), nil)
			_, cure, _ := strings.Cut(err.Error(), "let an administrator: ")
			role, give, _ := strings.Cut(cure, "; DO")
			for _, sql := range []string{role, "DO" + strings.TrimSuffix(give, ")")} {
				if _, err := g.conn.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
					t.Fatalf("%s: %v", sql, err)
				}
			}
			if report, err := g.run(t); err != nil || report.Failed > 0 {
				t.Errorf("%v, %v", report, err)
			}
			g.is(t, "t3", "a b", "shop/1_a shop/2_b")
		})
	}
}

// A login that may not make what the engine keeps is told that, and nothing that follows
// from it.
func TestEngineThatCannotBeMade(t *testing.T) {
	t.Parallel()

	s := newSite(t, "", "shop", "shop/migrations/1_a.sql", "CREATE TABLE a (id int)")
	login := testdb.Role(t, s.url, "CREATEROLE")
	database := s.conn.Config().Database
	execute(t, s.conn, "REVOKE CREATE ON DATABASE "+pgx.Identifier{database}.Sanitize()+" FROM "+connect(t, login).Config().User)
	_, err := s.fleetOver(t, login).Migrate(t.Context(), nil)
	has(t, err, "schema cotenant: ", "GRANT CREATE ON DATABASE")
	if strings.Contains(err.Error(), "role \"cotenant_migrator\"") {
		t.Errorf("error %q has more than that", err)
	}
	if _, err := s.fleetOver(t, login).Plan(t.Context(), nil); err != nil { // it changes nothing
		t.Errorf("Plan: %v", err)
	}
}

// Schemas that are the login's, or that a group owns whose histories are another's, are
// told as before.
func TestSchemasOfOtherOwnersAreNoMistake(t *testing.T) {
	t.Parallel()

	g := newGuarded(t, "super")
	g.add(t, "t1", "t2")
	if report, err := g.run(t); err != nil || !strings.Contains(report.Unguarded, "does not own") {
		t.Errorf("%v, %v", report, err)
	}
	group := testdb.RoleName(t, g.url)
	execute(t, g.conn, "CREATE ROLE "+group)
	execute(t, g.conn, "ALTER SCHEMA t1 OWNER TO "+group+"; ALTER SCHEMA t2 OWNER TO "+group)
	g.write("shop/migrations/2_b.sql", "CREATE TABLE b (id int)")
	if report, err := g.run(t); err != nil || !strings.Contains(report.Unguarded, "does not own") {
		t.Errorf("%v, %v", report, err)
	}
}

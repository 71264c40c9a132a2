package migrate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/migrate"
)

// All files are there, in order, each way for itself.
func TestReadFiles(t *testing.T) {
	t.Parallel()

	fsys := files(
		"plans/schema.sql", "CREATE TABLE plans (id int)",
		"users/schema.sql", "-- cotenant:allow x: why\n\nCREATE TABLE users (id int);\n",
		"users/migrations/0001_a.up.sql", "-- cotenant:requires shop/2\nCREATE TABLE a (id int); -- cotenant:allow y\n-- cotenant:allow z",
		"users/migrations/0001_a.down.sql", "\nDROP TABLE a",
		"shop/migrations/1.sql", "-- +goose NO TRANSACTION\n-- +goose Up\nSELECT 1;\nSELECT\n2;",
	)
	tenantApps := migrate.Dirs(fsys, "users", "shop")
	tenantApps[1].Migrations = []migrate.Migration{{Name: "2", SQL: "SELECT 3"}}
	got, faults := migrate.ReadFiles(&migrate.Config{SharedApps: migrate.Dirs(fsys, "plans"), TenantApps: tenantApps})
	if len(faults) > 0 {
		t.Errorf("faults: %v", faults)
	}
	var lines []string
	for _, f := range got {
		line := fmt.Sprintf("%s %s %s %s tenant=%t program=%t transaction=%t", f.App, f.Name, f.Kind, f.Path, f.Tenant, f.Program, f.Transaction)
		for _, s := range f.Statements {
			line += fmt.Sprintf(" %d:%s%v", s.Line, strings.ReplaceAll(s.SQL, "\n", "|"), s.Allows)
		}
		lines = append(lines, line+fmt.Sprintf(" %v %v", f.Allows, f.Unused))
	}
	want := []string{
		"plans schema.sql schema plans/schema.sql tenant=false program=false transaction=true 1:CREATE TABLE plans (id int)[] [] []",
		"users schema.sql schema users/schema.sql tenant=true program=false transaction=true 3:CREATE TABLE users (id int)[] [{1 x: why}] []",
		"shop 1 up shop/migrations/1.sql tenant=true program=false transaction=false 3:SELECT 1[] 4:SELECT|2[] [] []",
		"shop 2 up migration 2 of app shop tenant=true program=true transaction=true 1:SELECT 3[] [] []",
		"users 0001_a up users/migrations/0001_a.up.sql tenant=true program=false transaction=true 2:CREATE TABLE a (id int)[{2 y}] [] [{3 z}]",
		"users 0001_a down users/migrations/0001_a.down.sql tenant=true program=false transaction=true 2:DROP TABLE a[] [] []",
	}
	if strings.Join(lines, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}

// All that New refuses is told, each with its place, and the rest is read.
func TestReadFilesWithFaults(t *testing.T) {
	t.Parallel()

	fsys := files(
		"shop/schema.sql", "SELECT 1;\nSELECT 'x",
		"shop/other.sql", "SELECT 1",
		"shop/migrations/1.sql", "CREATE EXTENSION citext;\nCREATE TABLE public.a (id int);\nSELECT 1;",
		"shop/migrations/2.sql", "{{ if }}",
		"shop/migrations/3.sql", "-- cotenant:requires nobody/1\nSELECT 3",
		"good/schema.sql", "CREATE TABLE b (id int)",
		"bad/migrations/1.sql", "SELECT 1", "bad/migrations/01.sql", "SELECT 1",
	)
	got, faults := migrate.ReadFiles(&migrate.Config{TenantApps: migrate.Dirs(fsys, "shop", "good", "bad", "missing")})
	var read []string
	for _, f := range got {
		read = append(read, fmt.Sprintf("%s:%d", f.Path, len(f.Statements)))
	}
	if want := "good/schema.sql:1 shop/migrations/1.sql:3 shop/migrations/3.sql:1"; strings.Join(read, " ") != want {
		t.Errorf("read %v, want %s", read, want)
	}
	var texts []string
	for _, f := range faults {
		texts = append(texts, fmt.Sprintf("%s|%s|%d|%.22s", f.App, f.Path, f.Line, f.Text))
	}
	want := []string{
		"shop|shop/other.sql|0|only schema.sql is loo", "shop|shop/schema.sql|2|the string is not clos",
		"shop|shop/migrations/1.sql|1|CREATE EXTENSION: it i", "shop|shop/migrations/1.sql|2|CREATE TABLE public.a:",
		"shop|shop/migrations/2.sql|1|'{' is no SQL (templat", `bad||0|app "bad": bad/migrati`, `missing||0|app "missing": its fol`,
	}
	if strings.Join(texts, "\n") != strings.Join(want, "\n") {
		t.Errorf("faults\n%s\nwant\n%s", strings.Join(texts, "\n"), strings.Join(want, "\n"))
	}

	// What is between the files counts where they are whole.
	_, faults = migrate.ReadFiles(&migrate.Config{TenantApps: migrate.Dirs(files("shop/migrations/3.sql", "-- cotenant:requires nobody/1\nSELECT 3"), "shop")})
	if len(faults) != 1 || !strings.Contains(faults[0].Text, `there is no app "nobody"`) {
		t.Errorf("faults: %v", faults)
	}
}

package migrate_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cotenant/cotenant/migrate"
)

func TestNewRefuses(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		name string
		fsys fstest.MapFS
		dirs []string
		want []string // in the error
	}{
		{"a missing folder", files("apps/shop/schema.sql", "SELECT 1"), []string{"apps/shpo"}, []string{`app "shpo"`, "apps/shpo", "make it"}},
		{"an empty folder", files("apps/shop/readme.txt", ""), []string{"apps/shop"}, []string{`app "shop"`, "neither schema.sql nor migrations"}},
		{"a name that is none", files("apps/My Shop/schema.sql", "SELECT 1"), []string{"apps/My Shop"}, []string{`app "My Shop"`, "lower-case"}},
		{"an app twice", files("shop/schema.sql", "SELECT 1"), []string{"shop", "shop"}, []string{`app "shop"`, "twice"}},
		{"a migration without a number", files("shop/migrations/initial.sql", "SELECT 1"), []string{"shop"}, []string{"shop/migrations/initial.sql", "0001_initial.sql"}},
		{"a number twice", files("shop/migrations/0001_a.sql", "SELECT 1", "shop/migrations/1_b.sql", "SELECT 1"), []string{"shop"}, []string{"0001_a.sql", "1_b.sql", "renumber"}},
		{"an empty file", files("shop/schema.sql", "-- nothing yet\n"), []string{"shop"}, []string{"shop/schema.sql", "no statements"}},
		{"not UTF-8", files("shop/schema.sql", "SELECT 'b\xfccher'"), []string{"shop"}, []string{"shop/schema.sql", "not UTF-8"}},
		{"a NUL byte", files("shop/schema.sql", "SELECT 1\x00"), []string{"shop"}, []string{"shop/schema.sql", "NUL"}},
		{"a string that is not closed", files("shop/schema.sql", "SELECT 1;\nSELECT 'a"), []string{"shop"}, []string{"shop/schema.sql:2:", "not closed"}},
		{"a transaction", files("shop/migrations/0001_a.sql", "\nBEGIN;\nSELECT 1"), []string{"shop"}, []string{"0001_a.sql:2:", "BEGIN", "remove"}},
		{"a search path", files("shop/schema.sql", "SET search_path = public"), []string{"shop"}, []string{"shop/schema.sql:1:", "search path"}},
		{"psql", files("shop/schema.sql", "\\connect x"), []string{"shop"}, []string{"shop/schema.sql:1:", "psql"}},
		{"goose", files("shop/migrations/1_a.sql", "-- +goose Up\nSELECT 1;\n-- +goose Down\nSELECT 2"), []string{"shop"}, []string{"1_a.sql:1:", "not read yet"}},
		{"dbmate", files("shop/migrations/1_a.sql", "\n-- migrate:up\nSELECT 1"), []string{"shop"}, []string{"1_a.sql:2:", "not read yet"}},
		{"goose with blanks in front", files("shop/migrations/1_a.sql", "  --+GOOSE Up\nSELECT 1"), []string{"shop"}, []string{"1_a.sql:1:", "not read yet"}},
		{"sql-migrate", files("shop/migrations/1_a.sql", "-- +migrate Up\nSELECT 1;\n-- +migrate Down\nSELECT 2"), []string{"shop"}, []string{"1_a.sql:1:", "not read yet"}},
		{"tern", files("shop/migrations/1_a.sql", "SELECT 1;\n---- create above / drop below ----\nSELECT 2"), []string{"shop"}, []string{"1_a.sql:2:", "not read yet"}},
		{"an ending in capitals", files("shop/migrations/1_a.sql", "SELECT 1", "shop/migrations/2_b.SQL", "SELECT 1"), []string{"shop"}, []string{"2_b.SQL", "lower case"}},
		{"a migration beside schema.sql", files("shop/schema.sql", "SELECT 1", "shop/0002_b.sql", "SELECT 1"), []string{"shop"}, []string{"shop/0002_b.sql", "shop/migrations"}},
		{"golang-migrate", files("shop/migrations/1_a.down.sql", "SELECT 1"), []string{"shop"}, []string{"1_a.down.sql", "not read yet"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			_, err := migrate.New(&migrate.Config{TenantApps: migrate.Dirs(tt.fsys, tt.dirs...)})
			if err == nil {
				t.Fatal("New: no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("New: %v; want %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("New: the error is longer than a line: %v", err)
			}
		})
	}
}

func TestNewRefusesFSAndMigrations(t *testing.T) {
	t.Parallel()

	_, err := migrate.New(&migrate.Config{SharedApps: []migrate.App{{
		Name: "a", FS: files("schema.sql", "SELECT 1"), Migrations: []migrate.Migration{{Name: "0001_a", SQL: "SELECT 1"}},
	}}})
	if err == nil || !strings.Contains(err.Error(), "both FS and Migrations") {
		t.Errorf("New: %v", err)
	}
}

// A folder on disk works as one in an embed.FS does, and what is no migration is
// left alone.
func TestDirsOnDisk(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	for name, text := range map[string]string{
		"apps/shop/schema.sql":                  "\ufeffCREATE TABLE a (id int);",
		"apps/shop/migrations/0001_initial.sql": "CREATE TABLE a (id int);",
		"apps/shop/migrations/.0002_swap.sql":   "not SQL (",
		"apps/shop/migrations/README.md":        "not SQL (",
	} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := migrate.New(&migrate.Config{TenantApps: migrate.Dirs(os.DirFS(dir), "apps/shop")}); err != nil {
		t.Errorf("New: %v", err)
	}
}

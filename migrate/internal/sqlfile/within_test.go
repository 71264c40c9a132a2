package sqlfile_test

import (
	"testing"

	"github.com/cotenant/cotenant/migrate/internal/sqlfile"
)

func TestWithin(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]string{
		"CREATE INDEX CONCURRENTLY i ON things (name)":                                     `CREATE INDEX CONCURRENTLY i ON "s".things (name)`,
		"CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS on_x ON ONLY \"Th\" USING gin (a)": `CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS on_x ON ONLY "s"."Th" USING gin (a)`,
		"CREATE INDEX CONCURRENTLY i ON other.things (name)":                               "CREATE INDEX CONCURRENTLY i ON other.things (name)",
		"DROP INDEX CONCURRENTLY IF EXISTS i, other.j, k":                                  `DROP INDEX CONCURRENTLY IF EXISTS "s".i, other.j, "s".k`,
		"CREATE INDEX i ON things (name)":                                                  "CREATE INDEX i ON things (name)",
		"VACUUM things":                                                                    "VACUUM things",
	} {
		stmts, err := sqlfile.Split(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := stmts[0].Within(`"s"`); got != want {
			t.Errorf("%s\nwithin: %s\nwant:   %s", text, got, want)
		}
	}
}

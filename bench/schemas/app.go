package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/cotenant/cotenant/bench/internal/large"
)

// appName is the app that all tenants have.
const appName = "app"

// smallSQL is the first migration of a small schema: what changes many schemas has to
// cost little in each of them to be seen.
const smallSQL = `CREATE TABLE customers (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	email text NOT NULL UNIQUE,
	name text NOT NULL DEFAULT ''
);
CREATE TABLE orders (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	customer_id bigint NOT NULL REFERENCES customers,
	placed_at timestamptz NOT NULL DEFAULT now()
);
`

// column is the one that a round adds; round 0 is before the first.
func column(round int) string { return fmt.Sprintf("column_%d", round) }

func addColumnSQL(round int) string {
	return "ALTER TABLE customers ADD COLUMN " + column(round) + " text"
}

// migration is the name of the migration of a round.
func migration(round int) string {
	if round == 0 {
		return "0001_initial"
	}
	return fmt.Sprintf("%04d_%s", 1+round, column(round))
}

// smallApps writes the folder of an app that has come to a round, and returns the
// folder that it is in. The files are goose's, which cotenant reads as well.
func (b *bench) smallApps(round int) (string, error) {
	dir := filepath.Join(b.dir, fmt.Sprintf("round-%d", round))
	migrations := filepath.Join(dir, appName, "migrations")
	if err := os.MkdirAll(migrations, 0o700); err != nil {
		return "", err
	}
	for r := range round + 1 {
		text := smallSQL
		if r > 0 {
			text = addColumnSQL(r) + ";\n"
		}
		if err := os.WriteFile(filepath.Join(migrations, migration(r)+".sql"), []byte("-- +goose Up\n"+text), 0o600); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// largeApps writes the folders of the app with a large schema and of the shared app,
// and returns the folder that they are in.
func (b *bench) largeApps() (string, error) {
	dir := filepath.Join(b.dir, "large")
	for app, text := range map[string]string{appName: strings.Join(large.SQL(), ";\n") + ";\n", sharedName: large.SharedSQL} {
		if err := os.MkdirAll(filepath.Join(dir, app), 0o700); err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, app, "schema.sql"), []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	return dir, nil
}

// sharedName is the shared app, where there is one.
const sharedName = "shared"

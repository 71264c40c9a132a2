package migrate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/tenant"
)

// versions remembers which versions, as target.key has them, lead to nothing that the
// program does not know: a program that is older than the database creates no tenants. It
// is safe for concurrent use.
type versions struct {
	mu     sync.Mutex
	looked map[string]bool
}

// maxVersions is how many are remembered. A database goes through few of them while a
// program runs.
const maxVersions = 100

// known are those that were looked at.
func (v *versions) known() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Collect(maps.Keys(v.looked))
}

func (v *versions) add(version string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.looked) >= maxVersions || v.looked == nil {
		v.looked = make(map[string]bool)
	}
	v.looked[version] = true
}

// lookAtVersions looks at what the database has come to, within a transaction in which
// know_versions has failed.
func (c changer) lookAtVersions(ctx context.Context, tx pgx.Tx, known []string) error {
	if _, err := c.conn.Exec(ctx, "ROLLBACK TO SAVEPOINT cotenant_versions"); err != nil {
		return err
	}
	rows, err := c.conn.Query(ctx, "SELECT v.schema, v.digest FROM cotenant.main_versions() AS v", pgx.QueryExecModeExec)
	if err != nil {
		return err
	}
	targets, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t target, err error) {
		err = row.Scan(&t.schema, &t.digest)
		return t, err
	})
	if err != nil {
		return err
	}
	for _, t := range targets {
		if slices.Contains(known, t.key()) {
			continue
		}
		h, err := c.readHistory(ctx, tx, t.schema)
		if err != nil {
			return c.schemaError(t.schema, err)
		}
		if err := c.suits(t.schema, h); errors.Is(err, ErrNewer) {
			whose := "public"
			if !t.schema.IsPublic() {
				whose = fmt.Sprintf("most tenants, such as %q", t.schema)
			}
			return fmt.Errorf("this program is older than the database, and what it creates would lack what others have (create tenants with the newer program): %s: %w", whose, err)
		} else if err != nil {
			return fmt.Errorf("schema %q: %w", t.schema, err)
		}
		c.versions.add(t.key())
	}
	return nil
}

// suits refuses a history of public or of a tenant beside which the program should not
// create tenants.
func (m *Migrator) suits(schema tenant.Schema, h history) error {
	apps := m.tenant
	if schema.IsPublic() {
		apps = m.shared
	}
	if err := unknownOf(apps, h); err != nil { // the new tenant would lack what others have
		return err
	}
	for _, e := range m.grounds {
		if app, name, _ := strings.Cut(e.to, "/"); schema.IsPublic() && !provides(m.shared, h, app, name) {
			return fmt.Errorf("%s requires %s, which is not there (migrate the shared apps first)", e.from, e.to)
		}
	}
	return nil
}

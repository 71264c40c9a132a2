package migrate

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/tenant"
)

// checkOwn refuses a database that has lost the tenants' table: the history of public says
// that cotenant's own tables were made, so no run would make them again. Nor should one: the
// tenants would be gone without a word, and the columns that other migrations gave them.
func (c changer) checkOwn(ctx context.Context) error {
	if _, ours := find(c.shared, ownApp); !ours {
		return nil
	}
	public := tenant.PublicSchema()
	var gone bool
	err := c.conn.QueryRow(ctx, "SELECT pg_catalog.to_regclass($1) IS NULL AND pg_catalog.to_regclass($2) IS NOT NULL", pgx.QueryExecModeExec,
		c.config.TenantsTable.Sanitize(), searchpath.Qualify(public, historyTable)).Scan(&gone)
	if err != nil || !gone {
		return err
	}
	h, err := c.run.history(ctx, c, target{schema: public})
	if err != nil || len(h[ownApp]) == 0 {
		return err
	}
	return fmt.Errorf("the tenants' table, %s, is gone, and was there: public has cotenant's own migrations (restore it: pg_restore --schema=cotenant; or, to begin without tenants: "+
		"DROP SCHEMA IF EXISTS cotenant CASCADE; DELETE FROM public.%s WHERE app = '%s', and migrate: columns that your files added to it have to be added once more)",
		strings.Join(c.config.TenantsTable, "."), historyTable, ownApp)
}

package check

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// scratchAge is how old what a crash has left must be to be dropped: nothing that is built
// takes a day.
const scratchAge = 24 * time.Hour

// stampForm is the time in their names: neither databases nor roles know how old they are.
const stampForm = "20060102150405"

var scratchName = regexp.MustCompile(`^` + scratchPrefix + `[0-9]{14}_[a-z0-9_]+$`)

// dropLeftovers drops the databases and roles of checks that ended without doing so. What
// it cannot drop, it leaves.
func (s *scratch) dropLeftovers(ctx context.Context, conn *pgxpool.Conn, now time.Time) error {
	rows, err := conn.Query(ctx, `SELECT 'DATABASE', datname::text FROM pg_catalog.pg_database WHERE datname ~ $1
		UNION ALL SELECT 'ROLE', rolname::text FROM pg_catalog.pg_roles WHERE rolname ~ $1 ORDER BY 1, 2`, scratchName.String())
	if err != nil {
		return fmt.Errorf("look for what is left: %w", err)
	}
	type thing struct{ Kind, Name string }
	things, err := pgx.CollectRows(rows, pgx.RowToStructByPos[thing])
	if err != nil {
		return fmt.Errorf("look for what is left: %w", err)
	}
	for _, t := range things {
		stamp, _, _ := strings.Cut(strings.TrimPrefix(t.Name, scratchPrefix), "_")
		if made, err := time.Parse(stampForm, stamp); err != nil || now.Sub(made) < scratchAge {
			continue
		}
		if _, err := conn.Exec(ctx, "DROP "+t.Kind+" IF EXISTS "+t.Name, pgx.QueryExecModeSimpleProtocol); err != nil {
			s.logger.WarnContext(ctx, "an old check has left something that cannot be dropped", "kind", strings.ToLower(t.Kind), "name", t.Name, "error", err)
			continue
		}
		s.logger.InfoContext(ctx, "dropped what an old check had left", "kind", strings.ToLower(t.Kind), "name", t.Name)
	}
	return nil
}

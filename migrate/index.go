package migrate

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/migrate/internal/sqlfile"
)

// lookBefore looks at what a statement on an index may have left when it was interrupted
// or failed: an invalid index is dropped. It reports whether the statement has done its
// work already; begun says that it may have.
func (c changer) lookBefore(ctx context.Context, t target, s *step, stmt *sqlfile.Statement, begun bool) (there bool, err error) {
	created, dropped := stmt.ConcurrentIndexes()
	switch {
	case len(created) > 0:
		valid, found, err := c.index(ctx, t, created[0])
		if err != nil || !found {
			return false, err
		}
		if !valid {
			return false, c.dropIndex(ctx, t, s, created[0])
		}
		return begun, nil
	case len(dropped) > 0 && begun:
		for _, name := range dropped {
			if _, found, err := c.index(ctx, t, name); err != nil || found {
				return false, err
			}
		}
		return true, nil
	}
	return false, nil
}

// cleanUp drops what a statement that failed has left.
func (c changer) cleanUp(ctx context.Context, t target, s *step, stmt *sqlfile.Statement) error {
	created, _ := stmt.ConcurrentIndexes()
	if len(created) == 0 {
		return nil
	}
	valid, found, err := c.index(ctx, t, created[0])
	if err != nil || !found || valid {
		return err
	}
	return c.dropIndex(ctx, t, s, created[0])
}

// index looks for an index of the schema.
func (c changer) index(ctx context.Context, t target, name sqlfile.Name) (valid, found bool, err error) {
	var builder *int32 // the process that is building it
	err = c.conn.QueryRow(ctx, `SELECT i.indisvalid, (SELECT p.pid FROM pg_catalog.pg_stat_progress_create_index AS p WHERE p.index_relid = x.oid) FROM pg_catalog.pg_class AS x JOIN pg_catalog.pg_namespace AS n ON n.oid = x.relnamespace
		JOIN pg_catalog.pg_index AS i ON i.indexrelid = x.oid WHERE n.nspname = $1 AND x.relname = $2`, pgx.QueryExecModeExec, cmp.Or(name.Schema, t.schema.String()), name.Name).Scan(&valid, &builder)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, false, nil
	}
	if err != nil {
		return false, false, fmt.Errorf("schema %q: index %q: %w", t.schema, name.Name, err)
	}
	if builder != nil {
		return false, false, fmt.Errorf("schema %q: index %q: %w: process %d is building it", t.schema, name.Name, errBusy, *builder)
	}
	return valid, true, nil
}

func (c changer) dropIndex(ctx context.Context, t target, s *step, name sqlfile.Name) error {
	err := c.sendFor(ctx, t, s, []message{{sql: "DROP INDEX CONCURRENTLY IF EXISTS " + pgx.Identifier{cmp.Or(name.Schema, t.schema.String()), name.Name}.Sanitize()}})
	if err != nil {
		return fmt.Errorf("schema %q: index %q is invalid, and cannot be dropped: %w", t.schema, name.Name, err)
	}
	return nil
}

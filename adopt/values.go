package adopt

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/tenant"
)

// unfit looks which newcomers have a value that its column of cotenant.tenants does not take:
// one that is NULL, or none of the column's type or domain. A dry run is told so, too.
func (r *run) unfit(ctx context.Context, all []*newcomer) (map[*newcomer]error, error) {
	errs := map[*newcomer]error{}
	for _, c := range r.columns {
		refused, err := r.refuses(ctx, c, all)
		switch {
		case err != nil:
			return nil, err
		case refused == nil:
			continue
		}
		for _, n := range all {
			if errs[n] != nil {
				continue
			}
			if errs[n], err = r.refuses(ctx, c, []*newcomer{n}); err != nil {
				return nil, err
			}
		}
	}
	return errs, nil
}

// refuses says why a column does not take the values of some newcomers, if it does not.
func (r *run) refuses(ctx context.Context, c tenantColumn, all []*newcomer) (refused, err error) {
	values := make([]map[string]any, 0, len(all))
	for _, n := range all {
		value := n.Fields[c.name]
		if value == nil && c.notNull {
			return fmt.Errorf("schema %q: column %q of cotenant.tenants is NOT NULL, and is NULL in %s (fill it there first, or let the column be NULL: ALTER TABLE cotenant.tenants ALTER COLUMN %s DROP NOT NULL)",
				n.Schema, c.name, dotted(r.source.tenants), quote(c.name)), nil
		}
		values = append(values, map[string]any{c.name: value})
	}
	text, err := json.Marshal(values)
	if err != nil {
		return nil, err
	}
	err = pgx.BeginTxFunc(ctx, r.Pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SELECT pg_catalog.set_config('search_path', $1, true)", pgx.QueryExecModeExec, searchpath.For(tenant.PublicSchema(), r.Migrator.ExtraSchemas()...)); err != nil {
			return err
		}
		// A cast would cut a text that is too long, where an INSERT refuses it; so does this.
		_, err := tx.Exec(ctx, "SELECT FROM pg_catalog.json_to_recordset($1::json) AS v ("+quote(c.name)+" "+c.typ+")", pgx.QueryExecModeExec, string(text))
		return err
	})
	switch code := dberr.Code(err); {
	case code == "" || strings.HasPrefix(code, "57"): // nothing is wrong with a value
		return nil, err
	case code == dberr.UndefinedObject: // a type that a migration makes which is still to come
		return nil, nil
	default:
		return fmt.Errorf("schema %q: column %q of cotenant.tenants does not take what %s has there: %w (correct it there first, or give the column another type than %s)",
			all[0].Schema, c.name, dotted(r.source.tenants), err, c.typ), nil
	}
}

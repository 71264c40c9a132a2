package doctor

import (
	"context"
)

// LocksOfLargest is what locksOfTenant reckons with.
func LocksOfLargest(ctx context.Context, config *Config) (schema string, locks int, err error) {
	c, err := config.withDefaults()
	if err != nil {
		return "", 0, err
	}
	e, err := open(ctx, &c)
	if err != nil {
		return "", 0, err
	}
	defer e.close(ctx)
	if err := e.begin(ctx); err != nil {
		return "", 0, err
	}
	err = e.row(ctx, e.spaces()+largestSQL).Scan(&schema, &locks)
	return schema, locks, err
}

// CatalogOver is catalogSize with another limit.
func CatalogOver(ctx context.Context, config *Config, limit int64) ([]Finding, error) {
	c, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	e, err := open(ctx, &c)
	if err != nil {
		return nil, err
	}
	defer e.close(ctx)
	return e.look(ctx, check{find: func(ctx context.Context, e *exam) ([]Finding, error) { return catalogOver(ctx, e, limit) }})
}

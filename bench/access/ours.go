package main

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/pgxtenant"
)

// modes are those of pgxtenant that are measured.
func modes() []pgxtenant.Mode {
	return []pgxtenant.Mode{pgxtenant.OnChange, pgxtenant.EveryAcquire, pgxtenant.Transaction}
}

// openOurs makes a DB in one of the modes.
func openOurs(ctx context.Context, config *pgxpool.Config, mode pgxtenant.Mode) (*pgxtenant.DB, error) {
	return pgxtenant.New(ctx, config, &pgxtenant.Config{Mode: mode})
}

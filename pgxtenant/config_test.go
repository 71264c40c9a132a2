package pgxtenant_test

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/pgxtenant"
	"github.com/cotenant/cotenant/tenant"
)

func TestParseMode(t *testing.T) {
	t.Parallel()

	for _, m := range []pgxtenant.Mode{pgxtenant.ModeAuto, pgxtenant.OnChange, pgxtenant.EveryAcquire, pgxtenant.Transaction} {
		if got, err := pgxtenant.ParseMode(m.String()); got != m || err != nil {
			t.Errorf("ParseMode(%q) = %v, %v", m, got, err)
		}
	}
	for _, text := range []string{"", "On_Change", "session"} {
		_, err := pgxtenant.ParseMode(text)
		if err == nil || !strings.Contains(err.Error(), "use auto, on_change, every_acquire or transaction") {
			t.Errorf("ParseMode(%q): %v", text, err)
		}
	}
	if pgxtenant.LimitSetCalls(true) != pgxtenant.OnChange || pgxtenant.LimitSetCalls(false) != pgxtenant.EveryAcquire {
		t.Error("LimitSetCalls")
	}
	if got := pgxtenant.Mode(9).String(); got != "Mode(9)" {
		t.Errorf("String of an unknown mode: %s", got)
	}
}

// New says which field is wrong, and what to do.
func TestNewRefuses(t *testing.T) {
	t.Parallel()

	for want, config := range map[string]*pgxtenant.Config{
		"Config.DescriptionCache is -1 (use 0":                         {DescriptionCache: -1},
		"Config.MaxTenants is -2 (use 0":                               {MaxTenants: -2},
		"Config.StatementCache is -1 (use 0":                           {StatementCache: -1},
		"Config.StatementCache is 5 in the mode transaction":           {Mode: pgxtenant.Transaction, StatementCache: 5},
		"Config.Mode is unknown: Mode(7) (use":                         {Mode: 7},
		"Config.ExtraSchemas: invalid schema name: it is empty":        {ExtraSchemas: []tenant.Schema{{}}},
		"Config.ExtraSchemas has public, which is searched anyway":     {ExtraSchemas: []tenant.Schema{tenant.PublicSchema()}},
		"QueryExecModeDescribeExec in the mode transaction":            {Mode: pgxtenant.Transaction},
		"the connection string has search_path=acme":                   {},
		"the connection string has options=--search-path=acme":         {},
		"pgxpool.Config.BeforeAcquire is set (set PrepareConn instead": {MaxTenants: 1},
	} {
		pool, err := pgxpool.ParseConfig("postgres://localhost/nobody")
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case strings.Contains(want, "search_path="):
			pool.ConnConfig.RuntimeParams["search_path"] = "acme"
		case strings.Contains(want, "options="):
			pool.ConnConfig.RuntimeParams["options"] = "--search-path=acme"
		}
		if config.MaxTenants == 1 {
			pool.BeforeAcquire = func(context.Context, *pgx.Conn) bool { return true } //nolint:staticcheck // what is tested
		}
		if config.Mode == pgxtenant.Transaction && config.StatementCache == 0 {
			pool.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec
		}
		db, err := pgxtenant.New(t.Context(), pool, config)
		if err == nil {
			db.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("New: %v; want %s", err, want)
		}
	}
	if _, err := pgxtenant.New(t.Context(), nil, nil); err == nil || !strings.Contains(err.Error(), "ParseConfig") {
		t.Errorf("New without a pool: %v", err)
	}
}

package cotenant_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/pgxtenant"
)

// A connection for work on the whole database goes past a pooler, and is no tenant's.
func TestConnect(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	tenancy := open(t, testdb.PgBouncer(t, address, "transaction"), fstest.MapFS{}, nil, nil, func(c *cotenant.Config) {
		c.DB, c.DirectURL = &pgxtenant.Config{Mode: pgxtenant.Transaction}, address
	})
	conn, err := tenancy.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if err := pgxtenant.CheckServer(t.Context(), conn); err != nil {
		t.Error(err)
	}
	path := ""
	if err := conn.QueryRow(t.Context(), "SHOW search_path").Scan(&path); err != nil || path != `"$user", public` {
		t.Errorf("search_path %s, %v", path, err)
	}
	// Those of DB are the pooler's.
	if got, want := tenancy.MaxConns(), int(tenancy.Direct().Pool().Config().MaxConns)+20+1; got != want {
		t.Errorf("%d connections, want %d", got, want)
	}
}

func TestMaxConns(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	pool, err := pgxpool.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	pool.MaxConns = 7
	one := open(t, "", fstest.MapFS{}, nil, nil, func(c *cotenant.Config) { c.DatabaseURL, c.Pool = "", pool })
	if got := one.MaxConns(); got != 7+20+1 {
		t.Errorf("%d connections, want 28", got)
	}
	separator := "?"
	if strings.Contains(address, "?") {
		separator = "&"
	}
	two := open(t, "", fstest.MapFS{}, nil, nil, func(c *cotenant.Config) {
		c.DatabaseURL, c.Pool, c.DirectURL = "", pool, address+separator+"pool_max_conns=3"
	})
	if got := two.MaxConns(); got != 7+3+20+1 {
		t.Errorf("%d connections, want 31", got)
	}
}

package conformance_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/tenant"
	"github.com/cotenant/cotenant/tenanttest/conformance"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// A way in that is right is found no fault with.
func TestCareful(t *testing.T) {
	t.Parallel()

	url := testdb.New(t)
	conformance.Run(t, carefulWay(url), url)
}

func TestCarefulInAStorm(t *testing.T) {
	t.Parallel()

	url := testdb.New(t)
	report, err := conformance.Storm(t.Context(), carefulWay(url), conformance.Config{Operations: 2000, Tenants: 20, URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s\n%s", conformance.Header, report)
	if err := report.Err(); err != nil {
		t.Error(err)
	}
}

func carefulWay(url string) conformance.Way {
	return conformance.Way{
		Name: "careful", Blinks: true, Clean: true, HiddenPath: true, Proves: true, Watched: true,
		Open: func(ctx context.Context, connections int) (conformance.Access, error) {
			return openCareful(ctx, url, connections)
		},
	}
}

// What people write by hand leaks, and is found out.
func TestCarelessInAStorm(t *testing.T) {
	t.Parallel()

	url := testdb.New(t)
	report, err := conformance.Storm(t.Context(), carelessWay(url), conformance.Config{Operations: 4000, Tenants: 20, URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("\n%s\n%s", conformance.Header, report)
	if report.Leaks == 0 || report.Err() == nil {
		t.Error("no leak was found")
	}
}

func carelessWay(url string) conformance.Way {
	return conformance.Way{Name: "SET after acquire", Proves: true, Sessions: true, Watched: true, Open: func(ctx context.Context, connections int) (conformance.Access, error) {
		config, err := pgxpool.ParseConfig(url)
		if err != nil {
			return nil, err
		}
		config.MaxConns = int32(connections)
		config.PrepareConn = func(ctx context.Context, conn *pgx.Conn) (bool, error) {
			who, err := tenant.Settled(ctx)
			if err != nil {
				return true, err
			}
			_, err = conn.Exec(ctx, "SET search_path TO "+searchpath.For(who.Schema))
			return err == nil, nil
		}
		pool, err := pgxpool.NewWithConfig(ctx, config)
		return conformance.PGX{
			Pool:     pool,
			Acquirer: func(ctx context.Context) (conformance.PGXConn, error) { return pool.Acquire(ctx) },
			Closer:   pool.Close,
		}, err
	}}
}

// A configuration that makes no sense is refused.
func TestStormRefuses(t *testing.T) {
	t.Parallel()

	for name, config := range map[string]conformance.Config{
		"no URL":          {},
		"one tenant":      {URL: "postgres://", Tenants: 1},
		"fewer than none": {URL: "postgres://", Operations: -1},
	} {
		if report, err := conformance.Storm(t.Context(), conformance.Way{}, config); err == nil {
			t.Errorf("%s: %v", name, report)
		}
	}
}

package doctor_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/doctor"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// counter counts the queries of a connection.
type counter struct{ queries atomic.Int64 }

func (c *counter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.queries.Add(1)
	return ctx
}

func (*counter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// As many queries are made of many tenants as of few, and as much is said of what is wrong
// with all of them.
func TestQueriesDoNotGrow(t *testing.T) {
	t.Parallel()
	c := newClinic(t, testdb.New(t), "t0", "t1")
	examine := func() (queries int64, findings int) {
		n := &counter{}
		config := *c.config
		config.Connect = func(ctx context.Context) (*pgx.Conn, error) {
			conn, err := pgx.ParseConfig(c.url)
			if err != nil {
				return nil, err
			}
			conn.Tracer = n
			return pgx.ConnectConfig(ctx, conn)
		}
		report, err := doctor.Examine(t.Context(), &config)
		if err != nil {
			t.Fatal(err)
		}
		return n.queries.Load(), len(report.Findings)
	}
	damage := func(name string) {
		c.execute(t, "ALTER TABLE "+name+".orders ADD CHECK (total > 0) NOT VALID", "ALTER TABLE "+name+".orders OWNER TO CURRENT_USER",
			"CREATE FUNCTION "+name+".f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'")
	}
	damage("t0")
	damage("t1")
	queries, findings := examine()
	for i := 2; i < 40; i++ {
		name := fmt.Sprintf("t%d", i)
		_, err := c.tenancy.Registry().Create(t.Context(), registry.CreateParams{
			Schema: tenant.MustParseSchema(name), Domains: []tenant.Domain{tenant.MustParseDomain(name + ".example.com")},
		})
		if err != nil {
			t.Fatal(err)
		}
		damage(name)
	}
	if q, f := examine(); q != queries || f != findings || f < 3 {
		t.Errorf("%d queries and %d findings for 40 tenants, %d and %d for 2", q, f, queries, findings)
	}
}

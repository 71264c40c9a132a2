package pgxtenant_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/pgxtenant"
)

// PostgreSQL passes over a schema that the role may not use, without a word. However a
// role is set that may not use the tenant's, nothing lands in public.
func TestRoleWithoutUsage(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	stranger, err := pgx.ParseConfig(testdb.Role(t, address))
	if err != nil {
		t.Fatal(err)
	}
	role := stranger.User
	plain, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close(t.Context())
	if _, err := plain.Exec(t.Context(), twoTenants+"GRANT ALL ON public.things TO "+role); err != nil {
		t.Fatal(err)
	}
	ctx := as(t, 1, "a")
	const insert = "INSERT INTO things VALUES ('x')"
	for _, mode := range modes {
		config, err := pgxpool.ParseConfig(address)
		if err != nil {
			t.Fatal(err)
		}
		one(config)
		db, err := pgxtenant.New(t.Context(), config, &pgxtenant.Config{Mode: mode})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		batch := func(texts ...string) *pgx.Batch {
			b := &pgx.Batch{}
			for _, sql := range texts {
				b.Queue(sql)
			}
			return b
		}
		for name, write := range map[string]func(ctx context.Context) error{
			"a connection": func(ctx context.Context) error {
				return db.AcquireFunc(ctx, func(c *pgxtenant.Conn) error {
					if _, err := c.Exec(ctx, "SET ROLE "+role); err != nil {
						return err
					}
					_, err := c.Exec(ctx, "INSERT INTO things VALUES ($1)", "x")
					return err
				})
			},
			"a batch": func(ctx context.Context) error {
				return db.SendBatch(ctx, batch("SET LOCAL ROLE "+role, insert)).Close()
			},
			"a batch with its transaction": func(ctx context.Context) error {
				return db.SendBatch(ctx, batch("BEGIN", "SET LOCAL ROLE "+role, insert, "COMMIT")).Close()
			},
			"a batch in a transaction": func(ctx context.Context) error {
				return db.BeginFunc(ctx, func(tx pgx.Tx) error { return tx.SendBatch(ctx, batch("SET LOCAL ROLE "+role, insert)).Close() })
			},
			"a text": func(ctx context.Context) error {
				_, err := db.Exec(ctx, "BEGIN; SET LOCAL ROLE "+role+"; "+insert+"; COMMIT")
				return err
			},
		} {
			if err := db.Ping(ctx); err != nil { // the connection has served the tenant
				t.Error(err)
			}
			err := write(ctx)
			var n int
			if countErr := plain.QueryRow(t.Context(), "SELECT count(*) FROM public.things").Scan(&n); countErr != nil || n > 0 || err == nil {
				t.Errorf("%v, %s: %d rows in public, %v; %v", mode, name, n, countErr, err)
			}
			db.Reset()
		}
	}
}

package main

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/tenant"
)

// shopSQL is what every tenant's schema, %[1]s, holds: the tables of a small shop,
// with the keys and indexes that such an application has, and some hundreds of rows.
// Every product is called after its tenant, so that answers can be checked.
const shopSQL = `
CREATE SCHEMA %[1]s;
SET LOCAL search_path TO %[1]s;
CREATE TABLE customers (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	email text NOT NULL UNIQUE, name text NOT NULL, country text NOT NULL DEFAULT 'DE', created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON customers (name);
CREATE INDEX ON customers (country, created_at);
CREATE TABLE products (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	sku text NOT NULL UNIQUE, name text NOT NULL, price numeric(10, 2) NOT NULL CHECK (price >= 0),
	category text NOT NULL DEFAULT 'all', discontinued_at timestamptz);
CREATE INDEX ON products (name);
CREATE INDEX ON products (category, price);
CREATE INDEX ON products (id) WHERE discontinued_at IS NULL;
CREATE TABLE orders (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	customer_id bigint NOT NULL REFERENCES customers, status text NOT NULL DEFAULT 'open', placed_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON orders (customer_id);
CREATE INDEX ON orders (status, placed_at);
CREATE INDEX ON orders (customer_id, placed_at DESC);
CREATE INDEX ON orders (placed_at);
CREATE TABLE order_items (
	order_id bigint NOT NULL REFERENCES orders, position int NOT NULL, product_id bigint NOT NULL REFERENCES products,
	quantity int NOT NULL CHECK (quantity > 0), PRIMARY KEY (order_id, position));
CREATE INDEX ON order_items (product_id);
CREATE INDEX ON order_items (product_id, order_id) INCLUDE (quantity);
INSERT INTO customers (email, name) SELECT n || '@example.com', 'Customer ' || n FROM generate_series(1, 50) n;
INSERT INTO products (sku, name, price) SELECT 'P' || n, '%[1]s', n FROM generate_series(1, 50) n;
INSERT INTO orders (customer_id) SELECT 1 + n %% 50 FROM generate_series(1, 100) n;
INSERT INTO order_items SELECT 1 + n / 3, n %% 3, 1 + n %% 50, 1 + n %% 4 FROM generate_series(0, 299) n;
ANALYZE customers, products, orders, order_items;
`

// keys is how many products there are, and fewer than there are orders.
const keys = 50

// The statements of the application, by number: by primary key, and then joins of
// four tables that differ enough to be statements of their own. All return two texts,
// the second being a product's name, and a bigint.
const (
	pk = iota
	j4
	statements = 20
)

// statementSQL returns a statement with prefix, nothing or a schema and a dot, in
// front of each table.
func statementSQL(n int, prefix string) string {
	if n == pk {
		return strings.ReplaceAll("SELECT sku, name, id FROM @products WHERE id = $1", "@", prefix)
	}
	return strings.ReplaceAll(`SELECT c.name, p.name, i.quantity::bigint
FROM @orders o
JOIN @customers c ON c.id = o.customer_id
JOIN @order_items i ON i.order_id = o.id
JOIN @products p ON p.id = i.product_id
WHERE o.id = $1 AND i.position = 1 AND i.position <> `, "@", prefix) + strconv.Itoa(100+n)
}

// shop is a tenant, with everything made beforehand that is not to be measured.
type shop struct {
	ctx      context.Context // carries the tenant
	name     string          // of its schema
	path     string
	set      string
	setLocal string
	// The statements as an application has them, the same text for every
	// tenant, and as it would have them without tenants' paths.
	unqualified *[statements]string
	qualified   [statements]string
}

func newShop(ctx context.Context, i int, unqualified *[statements]string) *shop {
	schema := tenant.MustParseSchema("tenant_" + strconv.Itoa(i))
	quoted := pgx.Identifier{schema.String()}.Sanitize()
	s := &shop{
		ctx:         tenant.NewContext(ctx, &tenant.Tenant{ID: int64(i + 1), Schema: schema}),
		name:        schema.String(),
		path:        quoted + ", public, pg_temp",
		unqualified: unqualified,
	}
	s.set, s.setLocal = "SET search_path TO "+s.path, "SET LOCAL search_path TO "+s.path
	for n := range s.qualified {
		s.qualified[n] = statementSQL(n, quoted+".")
	}
	return s
}

// check reads the answer to a statement, and refuses another tenant's rows: a way
// that shows them is none.
func (s *shop) check(rows pgx.Rows, err error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	return s.read(rows)
}

// checkSQL is check for database/sql.
func (s *shop) checkSQL(rows *sql.Rows, err error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	return s.read(rows)
}

func (s *shop) read(rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
},
) error {
	var first, name string
	var number int64
	n := 0
	for ; rows.Next(); n++ {
		if err := rows.Scan(&first, &name, &number); err != nil {
			return err
		}
		if name != s.name {
			return fmt.Errorf("%s was shown a row of %s", s.name, name)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("%s was shown no row", s.name)
	}
	return nil
}

// openShops makes the schemas of n tenants, and leaves the server nothing to catch
// up on while we measure.
func openShops(ctx context.Context, url string, n int) ([]*shop, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	var unqualified [statements]string
	for n := range unqualified {
		unqualified[n] = statementSQL(n, "")
	}
	var shops []*shop
	for len(shops) < n {
		var sql strings.Builder // some together: each commit waits for the disk
		for range min(20, n-len(shops)) {
			s := newShop(ctx, len(shops), &unqualified)
			shops = append(shops, s)
			fmt.Fprintf(&sql, shopSQL, s.name)
		}
		if _, err := conn.Exec(ctx, sql.String()); err != nil {
			return nil, fmt.Errorf("create schemas: %w", err)
		}
	}
	for _, sql := range []string{"VACUUM (ANALYZE)", "CHECKPOINT"} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return nil, fmt.Errorf("%s: %w", sql, err)
		}
	}
	return shops, nil
}

// Package shop is a small shop for many customers, to start from: each customer is
// a tenant with products and orders in a schema of its own. No statement in it
// names a schema.
package shop

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"text/tabwriter"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/httptenant"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/pgxtenant"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

//go:embed apps
var apps embed.FS

// Client is what the shop reads of a tenant: columns that its app customers adds.
type Client struct {
	Name    string `db:"name"`
	OnTrial bool   `db:"on_trial"`
}

// Config says what the shop's tenancy is.
func Config(databaseURL string, logger *slog.Logger) *cotenant.Config {
	return &cotenant.Config{
		DatabaseURL: databaseURL,
		Logger:      logger,
		SharedApps:  migrate.Dirs(apps, "apps/customers"),
		TenantApps:  migrate.Dirs(apps, "apps/shop"),
	}
}

// Open opens the shop's tenancy and brings its tables up to date.
func Open(ctx context.Context, databaseURL string, logger *slog.Logger) (*cotenant.Tenancy, error) {
	tenancy, err := cotenant.Open(ctx, Config(databaseURL, logger))
	if err != nil {
		return nil, err
	}
	if err := tenancy.Migrate(ctx); err != nil {
		tenancy.Close()
		return nil, err
	}
	return tenancy, nil
}

// Handler serves the main site at the public tenant's host, and a shop at the host
// of every other tenant.
func Handler(tenancy *cotenant.Tenancy, logger *slog.Logger) http.Handler {
	s := &site{db: tenancy.DB(), logger: logger, registry: tenancy.Registry()}

	public := http.NewServeMux()
	public.HandleFunc("GET /{$}", s.serve(s.tenants))

	shop := http.NewServeMux()
	shop.HandleFunc("GET /{$}", s.serve(s.products))
	shop.HandleFunc("GET /orders", s.serve(s.orders))
	shop.HandleFunc("POST /orders", s.serve(s.order))

	return tenancy.Middleware(&httptenant.Config{Logger: logger, Public: public})(shop)
}

type site struct {
	db       *pgxtenant.DB
	logger   *slog.Logger
	registry *registry.Registry
}

// refusal is an error that the client may read.
type refusal struct {
	status int
	text   string
}

func (r refusal) Error() string { return r.text }

// serve makes a handler of a page that is a table of text.
func (s *site) serve(page func(*tabwriter.Writer, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer // sent when nothing can fail any more
		table := tabwriter.NewWriter(&body, 0, 0, 2, ' ', 0)
		err := errors.Join(page(table, r), table.Flush())
		var refused refusal
		switch {
		case err == nil:
			_, _ = body.WriteTo(w) // the client is gone if this fails
		case errors.As(err, &refused):
			http.Error(w, refused.text, refused.status)
		default:
			s.logger.ErrorContext(r.Context(), "request failed", "host", r.Host, "path", r.URL.Path, "error", err)
			http.Error(w, "internal error", http.StatusInternalServerError)
		}
	}
}

// tenants is the page of the public host.
func (s *site) tenants(w *tabwriter.Writer, r *http.Request) error {
	fmt.Fprintln(w, "TENANT\tNAME\tON TRIAL\tDOMAIN")
	for t, err := range s.registry.All(r.Context()) {
		if err != nil {
			return err
		}
		client, err := registry.Decode[Client](t)
		if err != nil {
			return err
		}
		domains, err := s.registry.Domains(r.Context(), t)
		if err != nil {
			return err
		}
		for _, domain := range domains {
			fmt.Fprintf(w, "%s\t%s\t%t\t%s\n", t.Schema, client.Name, client.OnTrial, domain)
		}
	}
	return nil
}

// products is the first page of a tenant's shop.
func (s *site) products(w *tabwriter.Writer, r *http.Request) error {
	t, err := tenant.FromContext(r.Context())
	if err != nil {
		return err
	}
	fmt.Fprintln(w, t.Fields.Get("name"))
	return s.print(w, r, `SELECT concat_ws(E'\t', id, name, price || ' ' || currency, stock || ' in stock') FROM products ORDER BY id`)
}

// orders is the list of a tenant's orders.
func (s *site) orders(w *tabwriter.Writer, r *http.Request) error {
	return s.print(w, r, `SELECT concat_ws(E'\t', 'order ' || o.id, o.quantity || ' × ' || p.name, 'paid in ' || c.name)
		FROM orders AS o JOIN products AS p ON p.id = o.product_id JOIN currencies AS c ON c.code = p.currency ORDER BY o.id`)
}

// print prints the lines that a query returns.
func (s *site) print(w *tabwriter.Writer, r *http.Request, query string) error {
	rows, err := s.db.Query(r.Context(), query)
	if err != nil {
		return err
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for _, line := range lines {
		fmt.Fprintln(w, line)
	}
	return err
}

// order takes an order: one statement, so that its row and the stock change
// together or not at all.
func (s *site) order(w *tabwriter.Writer, r *http.Request) error {
	product, err := strconv.ParseInt(r.FormValue("product"), 10, 64)
	quantity, err2 := strconv.ParseInt(r.FormValue("quantity"), 10, 32)
	if err != nil || err2 != nil || quantity < 1 {
		return refusal{http.StatusBadRequest, "give product and quantity as numbers"}
	}
	var id int64
	err = s.db.QueryRow(r.Context(), `WITH taken AS (UPDATE products SET stock = stock - $2 WHERE id = $1 RETURNING id)
		INSERT INTO orders (product_id, quantity) SELECT id, $2 FROM taken RETURNING id`, product, quantity).Scan(&id)
	var pgErr *pgconn.PgError
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return refusal{http.StatusNotFound, "no such product"}
	case errors.As(err, &pgErr) && pgErr.ConstraintName == "products_stock_check":
		return refusal{http.StatusConflict, "not enough in stock"}
	case err == nil:
		fmt.Fprintf(w, "order %d taken\n", id)
	}
	return err
}

// Package shop is a small shop for many customers, to start from: each customer is
// a tenant with products and orders in a schema of its own. No statement in it
// names a schema.
package shop

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/httptenant"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

//go:embed apps
var apps embed.FS

// Client is what the shop knows of a tenant: the columns that its app customers
// adds to cotenant.tenants.
type Client struct {
	Name        string     `db:"name"`
	PaidUntil   *time.Time `db:"paid_until"`
	OnTrial     bool       `db:"on_trial"`
	Description string     `db:"description"`
}

// Open opens the shop's tenancy and brings its tables up to date.
func Open(ctx context.Context, databaseURL string, logger *slog.Logger) (*cotenant.Tenancy, error) {
	tenancy, err := cotenant.Open(ctx, &cotenant.Config{
		DatabaseURL: databaseURL,
		Logger:      logger,
		SharedApps:  migrate.Dirs(apps, "apps/customers"),
		TenantApps:  migrate.Dirs(apps, "apps/shop"),
	})
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
	s := &site{db: tenancy.Pool(), logger: logger, registry: tenancy.Registry()}

	public := http.NewServeMux()
	public.HandleFunc("GET /{$}", s.serve(s.tenants))

	shop := http.NewServeMux()
	shop.HandleFunc("GET /{$}", s.serve(s.products))
	shop.HandleFunc("GET /orders", s.serve(s.orders))
	shop.HandleFunc("POST /orders", s.serve(s.order))

	return tenancy.Middleware(&httptenant.Config{Logger: logger, Public: public})(shop)
}

type site struct {
	db       *pgxpool.Pool
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
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		err := page(table, r)
		var refused refusal
		switch {
		case err == nil:
			_ = table.Flush() // the client is gone if this fails
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
	fmt.Fprintf(w, "%s\n", t.Fields.Get("name"))
	rows, err := s.db.Query(r.Context(), "SELECT id, name, price::text, currency, stock FROM products ORDER BY id")
	if err != nil {
		return err
	}
	var id, stock int64
	var name, price, currency string
	_, err = pgx.ForEachRow(rows, []any{&id, &name, &price, &currency, &stock}, func() error {
		_, err := fmt.Fprintf(w, "%d\t%s\t%s %s\t%d in stock\n", id, name, price, currency, stock)
		return err
	})
	return err
}

// orders is the list of a tenant's orders.
func (s *site) orders(w *tabwriter.Writer, r *http.Request) error {
	rows, err := s.db.Query(r.Context(), `SELECT o.id, o.quantity, p.name, c.name
		FROM orders AS o JOIN products AS p ON p.id = o.product_id JOIN currencies AS c ON c.code = p.currency ORDER BY o.id`)
	if err != nil {
		return err
	}
	var id, quantity int64
	var product, currency string
	_, err = pgx.ForEachRow(rows, []any{&id, &quantity, &product, &currency}, func() error {
		_, err := fmt.Fprintf(w, "order %d\t%d × %s\tpaid in %s\n", id, quantity, product, currency)
		return err
	})
	return err
}

// order takes an order: its row and the stock change together or not at all.
func (s *site) order(w *tabwriter.Writer, r *http.Request) error {
	product, err := strconv.ParseInt(r.FormValue("product"), 10, 64)
	quantity, err2 := strconv.ParseInt(r.FormValue("quantity"), 10, 32)
	if err = errors.Join(err, err2); err != nil || quantity < 1 {
		return refusal{http.StatusBadRequest, "give product and quantity as numbers"}
	}
	var id int64
	err = pgx.BeginFunc(r.Context(), s.db, func(tx pgx.Tx) error {
		tag, err := tx.Exec(r.Context(), "UPDATE products SET stock = stock - $2 WHERE id = $1", product, quantity)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return refusal{http.StatusNotFound, "no such product"}
		}
		return tx.QueryRow(r.Context(), "INSERT INTO orders (product_id, quantity) VALUES ($1, $2) RETURNING id", product, quantity).Scan(&id)
	})
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && pgErr.ConstraintName == "products_stock_check" {
		return refusal{http.StatusConflict, "not enough in stock"}
	}
	if err == nil {
		fmt.Fprintf(w, "order %d taken\n", id)
	}
	return err
}

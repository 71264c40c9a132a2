package shop_test

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/examples/shop"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// server serves a shop with the public tenant and n others, t0 to tn-1, each with
// products of its own.
func server(t *testing.T, n int) (*httptest.Server, *cotenant.Tenancy) {
	t.Helper()
	logger := slog.New(slog.DiscardHandler)
	tenancy, err := shop.Open(t.Context(), testdb.New(t), logger)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tenancy.Close)
	create(t, tenancy, "public", "example.com")
	for i := range n {
		name := fmt.Sprintf("t%d", i)
		ctx := tenant.NewContext(t.Context(), create(t, tenancy, name, name+".example.com"))
		if _, err := tenancy.DB().Exec(ctx, "INSERT INTO products (name, price, currency, stock) VALUES ($1, 1.5, 'EUR', 100000)", "thing of "+name); err != nil {
			t.Fatal(err)
		}
	}
	s := httptest.NewServer(shop.Handler(tenancy, logger))
	t.Cleanup(s.Close)
	return s, tenancy
}

func create(t *testing.T, tenancy *cotenant.Tenancy, schema, domain string) *tenant.Tenant {
	t.Helper()
	created, err := tenancy.Registry().Create(t.Context(), registry.CreateParams{
		Domains: []tenant.Domain{tenant.MustParseDomain(domain)},
		Fields:  map[string]any{"name": "Shop " + schema},
		Schema:  tenant.MustParseSchema(schema),
	})
	if err != nil {
		t.Fatal(err)
	}
	return created
}

// call sends a request for the host and returns status and body; a form is posted.
func call(t *testing.T, s *httptest.Server, host, path string, form url.Values) string {
	t.Helper()
	method := http.MethodGet
	if form != nil {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Error(err)
		return ""
	}
	r.Host = host
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := s.Client().Do(r)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	return fmt.Sprint(resp.StatusCode, " ", string(body))
}

func TestShop(t *testing.T) {
	t.Parallel()

	s, tenancy := server(t, 2)
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	broken := tenant.NewContext(t.Context(), create(t, tenancy, "broken", "broken.example.com"))
	if _, err := tenancy.DB().Exec(broken, "DROP TABLE products CASCADE"); err != nil {
		t.Fatal(err)
	}
	order := url.Values{"product": {"1"}, "quantity": {"2"}}
	for _, tt := range []struct {
		host, path string
		form       url.Values
		want       string
	}{
		{"t0.example.com:" + port, "/", nil, "200 Shop t0\n1  thing of t0  1.50 EUR  100000 in stock\n"},
		{"www.T1.example.com", "/", nil, "200 Shop t1\n1  thing of t1  1.50 EUR  100000 in stock\n"},
		{"t0.example.com", "/orders", order, "200 order 1 taken\n"},
		{"t0.example.com", "/orders", nil, "200 order 1  2 × thing of t0  paid in Euro\n"},
		{"t0.example.com", "/", nil, "200 Shop t0\n1  thing of t0  1.50 EUR  99998 in stock\n"},
		{"t1.example.com", "/orders", nil, "200 "},
		{"t0.example.com", "/orders", url.Values{"product": {"1"}, "quantity": {"100000"}}, "409 not enough in stock\n"},
		{"t0.example.com", "/orders", url.Values{"product": {"9"}, "quantity": {"1"}}, "404 no such product\n"},
		{"t0.example.com", "/orders", url.Values{"product": {"x"}}, "400 give product and quantity as numbers\n"},
		{"example.com", "/orders", nil, "404 404 page not found\n"},
		{"unknown.example.com", "/", nil, "404 Not Found\n"},
		{"broken.example.com", "/", nil, "500 internal error\n"},
		{
			"example.com", "/", nil,
			"200 TENANT  NAME         ON TRIAL  DOMAIN\npublic  Shop public  true      example.com\nt0      Shop t0      true      t0.example.com\nt1      Shop t1      true      t1.example.com\nbroken  Shop broken  true      broken.example.com\n",
		},
	} {
		if got := call(t, s, tt.host, tt.path, tt.form); got != tt.want {
			t.Errorf("%s%s: %q; want %q", tt.host, tt.path, got, tt.want)
		}
	}
}

// Two hundred clients at once over twenty tenants see their own rows only, and
// each tenant has its own orders in the end.
func TestManyClients(t *testing.T) {
	t.Parallel()

	const tenants, clients, rounds = 20, 200, 5
	s, tenancy := server(t, tenants)
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			for r := range rounds {
				name := fmt.Sprintf("t%d", (c+r)%tenants)
				host := name + ".example.com"
				want := "thing of " + name + " "
				if got := call(t, s, host, "/", nil); !strings.Contains(got, want) || strings.Count(got, "thing of") != 1 {
					t.Errorf("%s sees %q", host, got)
				}
				if got := call(t, s, host, "/orders", url.Values{"product": {"1"}, "quantity": {"1"}}); !strings.HasPrefix(got, "200 order ") {
					t.Errorf("%s ordered: %q", host, got)
				}
			}
		})
	}
	wg.Wait()
	for each, err := range tenancy.Registry().All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if each.IsPublic() {
			continue
		}
		var orders, stock int
		err := tenancy.DB().QueryRow(tenant.NewContext(t.Context(), each), "SELECT (SELECT count(*) FROM orders), (SELECT stock FROM products)").Scan(&orders, &stock)
		if want := clients * rounds / tenants; err != nil || orders != want || stock != 100000-want {
			t.Errorf("%v: %d orders, %d in stock, %v; want %d orders", each, orders, stock, err, want)
		}
	}
}

package httptenant_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/httptenant"
	"github.com/cotenant/cotenant/tenant"
)

func host(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }

func TestHost(t *testing.T) {
	t.Parallel()

	handler := httptenant.New(httptenant.Host(newDirectory(t), nil), nil)(echo)
	for name, want := range map[string]string{
		"acme.example.com":                "200 acme /x",
		"ACME.Example.com":                "200 acme /x",
		"acme.example.com:8080":           "200 acme /x",
		"acme.example.com.":               "200 acme /x",
		"acme.example.com.:443":           "200 acme /x",
		"acme.example.com:":               "200 acme /x",
		"www.acme.example.com":            "200 acme /x",
		"WWW.acme.example.com:80":         "200 acme /x",
		"www.www.acme.example.com":        "404 Not Found",
		"bücher.example":                  "200 beta-2 /x",
		"example.com":                     "200 public /x",
		"unknown.example.com":             "404 Not Found",
		"":                                "404 Not Found",
		"[::1]:8080":                      "404 Not Found",
		"acme.example.com, example.com":   "404 Not Found",
		"acme.example.com@evil.com":       "404 Not Found",
		"acme.example.com/..":             "404 Not Found",
		"acme.example.com:80:80":          "404 Not Found",
		strings.Repeat("a", 300) + ".com": "404 Not Found",
		"down.example.com":                "503 Service Unavailable",
	} {
		if got := get(handler, "/x", host(name)); got != want {
			t.Errorf("host %q: %s; want %s", name, got, want)
		}
	}
}

func TestForwardedHost(t *testing.T) {
	t.Parallel()

	proxies, err := httptenant.TrustProxies("10.0.0.0/8", "::1", "192.0.2.7", "::ffff:172.16.0.0/108")
	if err != nil {
		t.Fatal(err)
	}
	trusting := httptenant.New(httptenant.Host(newDirectory(t), proxies), nil)(echo)
	trustless := httptenant.New(httptenant.Host(newDirectory(t), nil), nil)(echo)
	for _, tt := range []struct {
		peer      string
		forwarded []string
		want      string
	}{
		{"10.1.2.3:4", []string{"beta.example.com"}, "200 beta-2 /"},
		{"[::1]:4", []string{"beta.example.com:443"}, "200 beta-2 /"},
		{"[::ffff:10.1.2.3]:4", []string{"beta.example.com"}, "200 beta-2 /"},
		{"192.0.2.7:4", []string{"www.beta.example.com"}, "200 beta-2 /"},
		{"172.16.1.1:4", []string{"beta.example.com"}, "200 beta-2 /"},
		{"[::ffff:172.16.1.1]:4", []string{"beta.example.com"}, "200 beta-2 /"},
		{"10.1.2.3:4", nil, "200 acme /"},
		{"10.1.2.3:4", []string{""}, "404 Not Found"},
		// The client may write a header of its own, which a proxy appends to.
		{"10.1.2.3:4", []string{"acme.example.com, beta.example.com"}, "200 beta-2 /"},
		{"10.1.2.3:4", []string{"acme.example.com", "beta.example.com"}, "200 beta-2 /"},
		{"192.0.2.8:4", []string{"beta.example.com"}, "200 acme /"},
		{"@", []string{"beta.example.com"}, "200 acme /"},
		{"", []string{"beta.example.com"}, "200 acme /"},
	} {
		change := func(r *http.Request) {
			r.Host, r.RemoteAddr = "acme.example.com", tt.peer
			r.Header["X-Forwarded-Host"] = tt.forwarded
		}
		if got := get(trusting, "/", change); got != tt.want {
			t.Errorf("from %q, forwarded %q: %s; want %s", tt.peer, tt.forwarded, got, tt.want)
		}
		if got := get(trustless, "/", change); got != "200 acme /" {
			t.Errorf("from %q, forwarded %q, without proxies: %s", tt.peer, tt.forwarded, got)
		}
	}
	for _, bad := range []string{"", "proxy", "10.0.0.0/33", "10.0.0.0:80"} {
		if _, err := httptenant.TrustProxies(bad); err == nil || !strings.Contains(err.Error(), "10.0.0.0/8") {
			t.Errorf("TrustProxies(%q): %v", bad, err)
		}
	}
}

func TestSubdomain(t *testing.T) {
	t.Parallel()

	handler := httptenant.New(httptenant.Subdomain(newDirectory(t), tenant.MustParseDomain("example.com"), nil), nil)(echo)
	for name, want := range map[string]string{
		"acme.example.com":        "200 acme /",
		"www.acme.example.com:80": "200 acme /",
		"beta-2.example.com":      "200 beta-2 /",
		"example.com":             "404 Not Found",
		"public.example.com":      "404 Not Found",
		"a.acme.example.com":      "404 Not Found",
		"acmeexample.com":         "404 Not Found",
		"acme.example.org":        "404 Not Found",
		"pg_catalog.example.com":  "404 Not Found",
		"down.example.com":        "503 Service Unavailable",
	} {
		if got := get(handler, "/", host(name)); got != want {
			t.Errorf("host %q: %s; want %s", name, got, want)
		}
	}
	nowhere := httptenant.New(httptenant.Subdomain(newDirectory(t), tenant.Domain{}, nil), nil)(echo)
	if got := get(nowhere, "/", host("acme.")); got != "404 Not Found" {
		t.Errorf("without a base domain: %s", got)
	}
}

func TestPathPrefix(t *testing.T) {
	t.Parallel()

	for _, prefix := range []string{"/t/", "/t", "t"} {
		handler := httptenant.New(httptenant.PathPrefix(newDirectory(t), prefix), nil)(echo)
		for path, want := range map[string]string{
			"/t/acme/products":      "200 acme /products",
			"/t/acme/":              "200 acme /",
			"/t/acme":               "200 acme /",
			"/t/acme/a%2Fb":         "200 acme /a%2Fb",
			"/t/acme/t/beta-2/":     "200 acme /t/beta-2/",
			"/t/acme//evil.com":     "200 acme /evil.com",
			"/t/ac%6De/a%2Fb":       "200 acme /a%2Fb",
			"/t/":                   "404 Not Found",
			"/acme/":                "404 Not Found",
			"/t/public/":            "404 Not Found",
			"/t/unknown/":           "404 Not Found",
			"/t/acme%2F..%2Fbeta-2": "404 Not Found",
			"/t/a%22b/":             "404 Not Found",
		} {
			if got := get(handler, path); got != want {
				t.Errorf("prefix %q, path %q: %s; want %s", prefix, path, got, want)
			}
		}
	}
	var prefix string
	seen := httptenant.New(httptenant.PathPrefix(newDirectory(t), "/t/"), nil)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		prefix = httptenant.Prefix(r.Context())
	}))
	if get(seen, "/t/acme/products"); prefix != "/t/acme" {
		t.Errorf("Prefix = %q", prefix)
	}
	root := httptenant.New(httptenant.PathPrefix(newDirectory(t), "/"), nil)(echo)
	if got := get(root, "/acme/products"); got != "200 acme /products" {
		t.Errorf("prefix /: %s", got)
	}
}

func TestHeader(t *testing.T) {
	t.Parallel()

	handler := httptenant.New(httptenant.Header(newDirectory(t), "X-Tenant"), nil)(echo)
	for _, tt := range []struct {
		values []string
		want   string
	}{
		{[]string{"acme"}, "200 acme /"},
		{nil, "404 Not Found"},
		{[]string{""}, "404 Not Found"},
		{[]string{"acme", "beta-2"}, "404 Not Found"},
		{[]string{"public"}, "404 Not Found"},
		{[]string{`acme"; DROP`}, "404 Not Found"},
		{[]string{"down"}, "503 Service Unavailable"},
	} {
		got := get(handler, "/", host("beta.example.com"), func(r *http.Request) { r.Header["X-Tenant"] = tt.values })
		if got != tt.want {
			t.Errorf("%q: %s; want %s", tt.values, got, tt.want)
		}
	}
}

func TestChain(t *testing.T) {
	t.Parallel()

	d := newDirectory(t)
	handler := httptenant.New(httptenant.Chain(
		httptenant.Host(d, nil),
		httptenant.PathPrefix(d, "/t/"),
		httptenant.Default(d, tenant.PublicSchema()),
	), nil)(echo)
	for _, tt := range []struct{ host, path, want string }{
		{"acme.example.com", "/t/beta-2/x", "200 acme /t/beta-2/x"},
		{"unknown.example.com", "/t/beta-2/x", "200 beta-2 /x"},
		{"unknown.example.com", "/x", "200 public /x"},
		// A look-up that failed is not one that found nobody: the default would
		// be a wrong answer.
		{"down.example.com", "/x", "503 Service Unavailable"},
	} {
		if got := get(handler, tt.path, host(tt.host)); got != tt.want {
			t.Errorf("%s%s: %s; want %s", tt.host, tt.path, got, tt.want)
		}
	}
	delete(d, "public")
	if got := get(handler, "/x", host("unknown.example.com")); got != "200 public /x" {
		t.Errorf("the public tenant without a row: %s", got)
	}
	if got := get(httptenant.New(httptenant.Chain(), nil)(echo), "/"); got != "404 Not Found" {
		t.Errorf("an empty chain: %s", got)
	}
}

func FuzzHost(f *testing.F) {
	for _, seed := range []string{"acme.example.com:80", "www.", "[::1]", ":", "a:b", "www.www.a:1", "日本.jp", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got := get(httptenant.New(httptenant.Host(newDirectory(t), nil), nil)(echo), "/", host(name))
		if !strings.HasPrefix(got, "200 ") && got != "404 Not Found" && got != "503 Service Unavailable" {
			t.Errorf("host %q: %s", name, got)
		}
	})
}

package tenant_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/tenant"
)

func TestParseDomain(t *testing.T) {
	t.Parallel()

	for name, want := range map[string]string{
		"acme.example.com":       "acme.example.com",
		"ACME.Example.COM":       "acme.example.com",
		"acme.example.com.":      "acme.example.com",
		"localhost":              "localhost",
		"tenant_1.example.com":   "tenant_1.example.com",
		"bücher.de":              "xn--bcher-kva.de",
		"BÜCHER.de":              "xn--bcher-kva.de",
		"xn--bcher-kva.de":       "xn--bcher-kva.de",
		"日本.jp":                  "xn--wgv71a.jp",
		"acme。example。com":       "acme.example.com",
		"127.0.0.1":              "127.0.0.1",
		"wwwacme.example.com":    "wwwacme.example.com",
		"www":                    "www",
		strings.Repeat("a", 63):  strings.Repeat("a", 63),
		"r3---sn.example.com":    "r3---sn.example.com",
		"_acme-challenge.ex.com": "_acme-challenge.ex.com",
	} {
		d, err := tenant.ParseDomain(name)
		if err != nil || d.String() != want {
			t.Errorf("ParseDomain(%q) = %q, %v; want %q", name, d, err, want)
		}
	}

	for name, cure := range map[string]string{
		"":                              "write a host name",
		"acme.example.com:8080":         `a port (write "acme.example.com")`,
		"https://acme.example.com":      `a scheme (write "acme.example.com")`,
		"https://www.Acme.com:80/x?y":   `a scheme (write "acme.com")`,
		"acme.example.com/shop":         `a path (write "acme.example.com")`,
		"me@acme.example.com":           `a user name (write "acme.example.com")`,
		"www.acme.example.com":          `find the name without it too (write "acme.example.com")`,
		"WWW.acme.example.com":          `(write "acme.example.com")`,
		"ｗｗｗ.acme.example.com":          `(write "acme.example.com")`,
		"www.":                          "write a host name",
		"[::1]:8080":                    "IPv6",
		"::1":                           "IPv6",
		"acme..example.com":             "single dots",
		".example.com":                  "single dots",
		".":                             "is empty",
		"a.com..":                       "single dots",
		"a b.com":                       "letters",
		"*.example.com":                 "'*'",
		"acme!.com":                     "'!'",
		"-acme.com":                     "RFC 1123",
		"acme-.com":                     "RFC 1123",
		"xn--a.com":                     "not a host name",
		strings.Repeat("a", 64):         "shorter",
		strings.Repeat("a.", 127) + "b": "shorter",
		"acme.com\n":                    "letters",
		"acme．com／x":                    `a path (write "acme.com")`,
	} {
		d, err := tenant.ParseDomain(name)
		if !errors.Is(err, tenant.ErrInvalidDomain) || !strings.Contains(err.Error(), cure) || !d.IsZero() {
			t.Errorf("ParseDomain(%q) = %q, %v; want ErrInvalidDomain with %q", name, d, err, cure)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("ParseDomain(%q): the error is longer than a line: %v", name, err)
		}
	}
}

func TestDomainConversions(t *testing.T) {
	t.Parallel()

	var d tenant.Domain
	for _, src := range []any{"Acme.com", []byte("acme.com")} {
		if err := d.Scan(src); err != nil || d.String() != "acme.com" {
			t.Errorf("Scan(%v): %v, %q", src, err, d)
		}
	}
	if v, err := d.Value(); v != "acme.com" || err != nil {
		t.Errorf("Value = %v, %v", v, err)
	}
	if err := d.Scan("www.acme.com"); !errors.Is(err, tenant.ErrInvalidDomain) {
		t.Errorf("Scan of a www. name: %v", err)
	}
	if err := d.Scan(1.5); !errors.Is(err, tenant.ErrInvalidDomain) {
		t.Errorf("Scan of a number: %v", err)
	}
	if err := d.Scan(nil); err != nil || !d.IsZero() {
		t.Errorf("Scan(nil): %v, %q", err, d)
	}
	if v, err := d.Value(); v != nil || err != nil {
		t.Errorf("Value of the zero Domain = %v, %v; want NULL", v, err)
	}
}

func FuzzParseDomain(f *testing.F) {
	for _, seed := range []string{
		"acme.example.com", "bücher.de", "https://www.x.de:80/", "www.www.a", "[::1]", "ｗｗｗ.x", "a_b.c", "xn--a", "a。b", "．", "@@", "a:b@c", "ß", "\u200d",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		d, err := tenant.ParseDomain(name)
		if err != nil {
			if !errors.Is(err, tenant.ErrInvalidDomain) || !d.IsZero() {
				t.Fatalf("ParseDomain(%q) = %q, %v", name, d, err)
			}
			return
		}
		again, err := tenant.ParseDomain(d.String())
		if err != nil || again != d {
			t.Fatalf("ParseDomain(%q) = %q, which parses as %q, %v", name, d, again, err)
		}
		if strings.Trim(d.String(), "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" || strings.HasPrefix(d.String(), "www.") || strings.HasSuffix(d.String(), ".") {
			t.Fatalf("ParseDomain(%q) accepted %q", name, d)
		}
	})
}

package httptenant_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/httptenant"
	"github.com/cotenant/cotenant/tenant"
)

func TestPublicHandler(t *testing.T) {
	t.Parallel()

	public := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inCtx, err := tenant.FromContext(r.Context())
		fmt.Fprint(w, "main site of ", inCtx, err)
	})
	handler := httptenant.New(httptenant.Host(newDirectory(t), nil), &httptenant.Config{Public: public})(echo)
	if got := get(handler, "/", host("example.com")); got != `200 main site of tenant "public" <nil>` {
		t.Errorf("the public host: %s", got)
	}
	if got := get(handler, "/", host("acme.example.com")); got != "200 acme /" {
		t.Errorf("a tenant's host: %s", got)
	}
}

func TestErrorHandlers(t *testing.T) {
	t.Parallel()

	var seen error
	for _, tt := range []struct {
		name          string
		handle        func(http.ResponseWriter, *http.Request, error)
		unknown, down string
	}{
		{"default", nil, "404 Not Found", "503 Service Unavailable"},
		{"NotFound", httptenant.NotFound, "404 Not Found", "503 Service Unavailable"},
		{"Suspicious", httptenant.Suspicious, "400 Bad Request", "503 Service Unavailable"},
		{"own", func(w http.ResponseWriter, _ *http.Request, err error) {
			seen = err
			w.WriteHeader(http.StatusGone)
		}, "410", "410"},
	} {
		handler := httptenant.New(httptenant.Host(newDirectory(t), nil), &httptenant.Config{Error: tt.handle})(echo)
		if got := get(handler, "/", host("unknown.example.com")); strings.TrimSpace(got) != tt.unknown {
			t.Errorf("%s, unknown host: %s; want %s", tt.name, got, tt.unknown)
		}
		if tt.name == "own" && !errors.Is(seen, tenant.ErrTenantNotFound) {
			t.Errorf("%s, unknown host: %v", tt.name, seen)
		}
		if got := get(handler, "/", host("down.example.com")); strings.TrimSpace(got) != tt.down {
			t.Errorf("%s, database down: %s; want %s", tt.name, got, tt.down)
		}
		if tt.name == "own" && !errors.Is(seen, errDown) {
			t.Errorf("%s, database down: %v", tt.name, seen)
		}
	}
}

// A failed look-up is logged; an unknown host, which anybody can send, is not, nor
// is a client that hung up.
func TestLogging(t *testing.T) {
	t.Parallel()

	var log bytes.Buffer
	resolver := httptenant.Chain(httptenant.Host(newDirectory(t), nil), httptenant.ResolverFunc(func(r *http.Request) (httptenant.Match, error) {
		return httptenant.Match{}, r.Context().Err()
	}))
	handler := httptenant.New(resolver, &httptenant.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})(echo)
	get(handler, "/", host("unknown.example.com"))
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	get(handler, "/", host("unknown.example.com"), func(r *http.Request) { *r = *r.WithContext(gone) })
	if log.Len() != 0 {
		t.Errorf("logged: %s", &log)
	}
	get(handler, "/", host("down.example.com"))
	if !strings.Contains(log.String(), errDown.Error()) || !strings.Contains(log.String(), "down.example.com") {
		t.Errorf("logged: %s", &log)
	}
}

// A resolver that returns neither a tenant nor an error leads to nobody.
func TestResolverOfNothing(t *testing.T) {
	t.Parallel()

	handler := httptenant.New(httptenant.ResolverFunc(func(*http.Request) (httptenant.Match, error) {
		return httptenant.Match{}, nil
	}), nil)(echo)
	if got := get(handler, "/"); got != "404 Not Found" {
		t.Errorf("got %s", got)
	}
}

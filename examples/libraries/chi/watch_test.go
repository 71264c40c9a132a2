package chi_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/cotenant/cotenant/httptenant"
	"github.com/cotenant/cotenant/tenant"
)

// finder finds a tenant for every schema.
type finder struct{}

func (finder) BySchema(_ context.Context, schema tenant.Schema) (*tenant.Tenant, error) {
	return &tenant.Tenant{ID: 1, Schema: schema}, nil
}

func show(w http.ResponseWriter, r *http.Request) {
	t, err := tenant.FromContext(r.Context())
	fmt.Fprint(w, t, err)
}

func TestPathPrefix(t *testing.T) {
	t.Parallel()

	byPrefix := httptenant.New(httptenant.PathPrefix(finder{}, "/t"), nil)
	outermost := chi.NewRouter()
	outermost.Use(byPrefix)
	outermost.Get("/notes", show)
	group := chi.NewRouter()
	group.Group(func(router chi.Router) {
		router.Use(byPrefix)
		router.Get("/notes", show)
	})
	inner := chi.NewRouter()
	inner.Use(httptenant.New(httptenant.PathPrefix(finder{}, "/app/t"), nil))
	inner.Get("/notes", show)
	mounted := chi.NewRouter()
	mounted.Mount("/app", inner)
	plain := chi.NewRouter()
	plain.Get("/notes", show)
	for _, tt := range []struct {
		name    string
		handler http.Handler
		path    string
		want    int
	}{
		{"outermost", outermost, "/t/acme/notes", http.StatusOK},
		{"around", byPrefix(plain), "/t/acme/notes", http.StatusOK},
		{"group", group, "/t/acme/notes", http.StatusNotFound},
		{"mounted", mounted, "/app/t/acme/notes", http.StatusNotFound},
	} {
		w := httptest.NewRecorder()
		tt.handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, tt.path, nil))
		if w.Code != tt.want {
			t.Errorf("%s: %d %s; want %d", tt.name, w.Code, w.Body, tt.want)
		}
	}
}

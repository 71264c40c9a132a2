package echo_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/labstack/echo/v5"

	"github.com/cotenant/cotenant/httptenant"
	"github.com/cotenant/cotenant/tenant"
)

// finder finds a tenant for every schema.
type finder struct{}

func (finder) BySchema(_ context.Context, schema tenant.Schema) (*tenant.Tenant, error) {
	return &tenant.Tenant{ID: 1, Schema: schema}, nil
}

func TestPathPrefix(t *testing.T) {
	t.Parallel()

	byPrefix := httptenant.New(httptenant.PathPrefix(finder{}, "/t"), nil)
	pre, use, plain := echo.New(), echo.New(), echo.New()
	pre.Pre(echo.WrapMiddleware(byPrefix))
	use.Use(echo.WrapMiddleware(byPrefix))
	for _, e := range []*echo.Echo{pre, use, plain} {
		e.GET("/notes", func(c *echo.Context) error {
			found, err := tenant.FromContext(c.Request().Context())
			if err != nil {
				return err
			}
			return c.String(http.StatusOK, found.Schema.String())
		})
	}
	for _, tt := range []struct {
		name    string
		handler http.Handler
		want    int
	}{
		{"Pre", pre, http.StatusOK},
		{"Use", use, http.StatusNotFound},
		{"around", byPrefix(plain), http.StatusOK},
	} {
		w := httptest.NewRecorder()
		tt.handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/t/acme/notes", nil))
		if w.Code != tt.want || w.Code == http.StatusOK && w.Body.String() != "acme" {
			t.Errorf("%s: %d %s; want %d", tt.name, w.Code, w.Body, tt.want)
		}
	}
}

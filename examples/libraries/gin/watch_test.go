package gin_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/cotenant/cotenant/httptenant"
	"github.com/cotenant/cotenant/tenant"
)

// finder finds a tenant for every schema.
type finder struct{}

func (finder) BySchema(_ context.Context, schema tenant.Schema) (*tenant.Tenant, error) {
	return &tenant.Tenant{ID: 1, Schema: schema}, nil
}

func get(t *testing.T, handler http.Handler, path string) int {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	r.Header.Set("Tenant", "acme")
	handler.ServeHTTP(w, r)
	return w.Code
}

func TestContext(t *testing.T) {
	t.Parallel()

	for _, fallback := range []bool{false, true} {
		var own, request error
		engine := gin.New()
		engine.ContextWithFallback = fallback
		engine.Use(wrap(httptenant.New(httptenant.Header(finder{}, "Tenant"), nil)))
		engine.GET("/", func(c *gin.Context) {
			_, own = tenant.FromContext(c)
			_, request = tenant.FromContext(c.Request.Context())
		})
		if code := get(t, engine, "/"); code != http.StatusOK || request != nil {
			t.Errorf("fallback %t: %d, the request's context: %v", fallback, code, request)
		}
		if found := !errors.Is(own, tenant.ErrNoTenant); found != fallback {
			t.Errorf("fallback %t: gin's context: %v", fallback, own)
		}
	}
}

func TestPathPrefix(t *testing.T) {
	t.Parallel()

	byPrefix := httptenant.New(httptenant.PathPrefix(finder{}, "/t"), nil)
	use, plain := gin.New(), gin.New()
	use.Use(wrap(byPrefix))
	for _, engine := range []*gin.Engine{use, plain} {
		engine.GET("/notes", func(c *gin.Context) { c.Status(http.StatusOK) })
	}
	if code := get(t, use, "/t/acme/notes"); code != http.StatusNotFound {
		t.Errorf("Use: %d; want %d", code, http.StatusNotFound)
	}
	if code := get(t, byPrefix(plain), "/t/acme/notes"); code != http.StatusOK {
		t.Errorf("around: %d; want %d", code, http.StatusOK)
	}
}

// A request that the middleware answers goes no further.
func TestWrapAborts(t *testing.T) {
	t.Parallel()

	nobody := httptenant.ResolverFunc(func(*http.Request) (httptenant.Match, error) { return httptenant.Match{}, tenant.ErrTenantNotFound })
	engine := gin.New()
	engine.Use(wrap(httptenant.New(nobody, nil)))
	engine.GET("/", func(*gin.Context) { t.Error("the handler was called") })
	if code := get(t, engine, "/"); code != http.StatusNotFound {
		t.Errorf("%d; want %d", code, http.StatusNotFound)
	}
}

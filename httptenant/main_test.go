package httptenant_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/cotenant/cotenant/tenant"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errDown = errors.New("the database is down")

// directory is a registry in memory: domains and schemas to tenants. The
// Tenancy's tests do the same with the real one.
type directory map[string]*tenant.Tenant

func newDirectory(t *testing.T) directory {
	t.Helper()
	acme := &tenant.Tenant{ID: 1, Schema: tenant.MustParseSchema("acme")}
	beta := &tenant.Tenant{ID: 2, Schema: tenant.MustParseSchema("beta-2")}
	public := &tenant.Tenant{ID: 3, Schema: tenant.PublicSchema()}
	return directory{
		"acme.example.com": acme, "acme": acme,
		"beta.example.com": beta, "beta-2": beta, "xn--bcher-kva.example": beta,
		"example.com": public, "public": public,
	}
}

func (d directory) find(name string) (*tenant.Tenant, error) {
	if strings.HasPrefix(name, "down") {
		return nil, errDown
	}
	if t, ok := d[name]; ok {
		return t, nil
	}
	return nil, fmt.Errorf("%q: %w", name, tenant.ErrTenantNotFound)
}

func (d directory) ByDomain(_ context.Context, domain tenant.Domain) (*tenant.Tenant, error) {
	return d.find(domain.String())
}

func (d directory) BySchema(_ context.Context, schema tenant.Schema) (*tenant.Tenant, error) {
	return d.find(schema.String())
}

// echo answers with the tenant of the context and the path.
var echo = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	t, err := tenant.FromContext(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusTeapot)
		return
	}
	fmt.Fprintf(w, "%s %s", t.Schema, r.URL.EscapedPath())
})

// get sends a request to the handler and returns the status and the body.
func get(handler http.Handler, target string, change ...func(*http.Request)) string {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	body, _ := io.ReadAll(w.Result().Body)
	return fmt.Sprint(w.Code, " ", strings.TrimSpace(string(body)))
}

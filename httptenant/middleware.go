package httptenant

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/cotenant/cotenant/tenant"
)

// Config has the settings of the middleware. Nil and the zero value mean the
// defaults.
type Config struct {
	// Error answers a request whose tenant was not found (err wraps
	// tenant.ErrTenantNotFound) or could not be looked up (any other err).
	// Defaults to NotFound; Suspicious is another.
	Error func(w http.ResponseWriter, r *http.Request, err error)
	// Logger is told about look-ups that failed. Defaults to a logger that
	// discards.
	Logger *slog.Logger
	// Public handles the requests of the public tenant, whose site has other
	// pages than the tenants'. Defaults to the handler that the middleware
	// wraps.
	Public http.Handler
}

// New returns middleware that asks resolver for the tenant of each request and
// puts it into the request's context, where tenant.FromContext and every scoped
// pool find it.
func New(resolver Resolver, config *Config) func(http.Handler) http.Handler {
	var c Config
	if config != nil {
		c = *config
	}
	if c.Error == nil {
		c.Error = NotFound
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			match, err := resolver.Resolve(r)
			if err == nil && match.Tenant == nil {
				err = tenant.ErrTenantNotFound // a resolver of the user's that says neither
			}
			if err != nil {
				if !errors.Is(err, tenant.ErrTenantNotFound) && !errors.Is(err, context.Canceled) {
					c.Logger.ErrorContext(r.Context(), "tenant look-up failed", "host", r.Host, "error", err)
				}
				c.Error(w, r, err)
				return
			}
			ctx := tenant.NewContext(r.Context(), match.Tenant)
			if match.Prefix != "" {
				ctx = context.WithValue(ctx, prefixKey{}, match.Prefix)
			}
			r = r.WithContext(ctx)
			if match.Prefix != "" {
				r.URL = stripPrefix(r.URL, match.Prefix)
			}
			if match.Tenant.IsPublic() && c.Public != nil {
				c.Public.ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// NotFound answers 404 to a request whose tenant was not found, and 503 where the
// look-up failed.
func NotFound(w http.ResponseWriter, _ *http.Request, err error) {
	answer(w, err, http.StatusNotFound)
}

// Suspicious answers 400 to a request whose tenant was not found, and 503 where
// the look-up failed. It is for sites where only an attacker sends unknown hosts.
func Suspicious(w http.ResponseWriter, _ *http.Request, err error) {
	answer(w, err, http.StatusBadRequest)
}

// answer says nothing of the cause: the client may be anybody.
func answer(w http.ResponseWriter, err error, notFound int) {
	status := http.StatusServiceUnavailable
	if errors.Is(err, tenant.ErrTenantNotFound) {
		status = notFound
	}
	http.Error(w, http.StatusText(status), status)
}

type prefixKey struct{}

// Prefix returns what was taken off the front of the request's path, escaped and
// without a slash at its end, such as /t/acme; see PathPrefix. It is empty where
// nothing was.
func Prefix(ctx context.Context) string {
	prefix, _ := ctx.Value(prefixKey{}).(string)
	return prefix
}

// stripPrefix returns u without prefix at the front of its path. What is left
// begins with one slash: two would be another host in a redirect.
func stripPrefix(u *url.URL, prefix string) *url.URL {
	rest := "/" + strings.TrimLeft(strings.TrimPrefix(u.EscapedPath(), prefix), "/")
	stripped := *u
	stripped.RawPath = rest
	if path, err := url.PathUnescape(rest); err == nil {
		stripped.Path = path
	}
	return &stripped
}

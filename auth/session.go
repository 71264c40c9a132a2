package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/tenant"
)

// SessionConfig has the settings of Sessions. Nil and the zero value mean the defaults.
type SessionConfig struct {
	// ClientAddress returns the address for which attempts to log in are counted.
	// Defaults to that of the connection. Behind a proxy it must be what the proxy says,
	// and only that: clients that have one address can make each other wait. A login that
	// came through one without it is told to Logger as a warning, once.
	ClientAddress func(*http.Request) netip.Addr
	// IdleTimeout ends a session that is not used for so long; each request of one who is
	// logged in writes the session's row then. Defaults to no such limit.
	IdleTimeout time.Duration
	// Insecure lets the cookie be sent without TLS, for development on a host other than
	// localhost, which browsers trust. Defaults to TLS only, and the prefix __Host-.
	Insecure bool
	// Lifetime is how long a session lasts after the login. Defaults to 24 hours.
	Lifetime time.Duration
	// LoginFailed answers an attempt to log in that failed: err is ErrCredentials, a
	// *LockedError, or neither, which has been logged. Defaults to a line of text with
	// status 401, 429 or 500.
	LoginFailed func(w http.ResponseWriter, r *http.Request, err error)
	// LoginURL is where RequireLogin sends who is not logged in: a path, perhaps with a
	// query. Defaults to status 401.
	LoginURL string
	// Logger is told of what fails in the background of a request. Defaults to one that
	// discards.
	Logger *slog.Logger
	// TrustedOrigins are other origins whose pages may send requests that change
	// something, such as https://admin.example.com. Defaults to none.
	TrustedOrigins []string
}

// Sessions are who is logged in, over net/http. They are safe for concurrent use.
type Sessions struct {
	auth    *Auth
	config  SessionConfig
	csrf    *http.CrossOriginProtection
	direct  bool // the address is the connection's
	manager *scs.SessionManager
	warned  sync.Once
}

// The keys of what a session holds of its user.
const (
	userKey   = "auth.user"
	sharedKey = "auth.shared"
	proofKey  = "auth.proof"
)

// NewSessions returns the sessions of the users. The error says which setting is wrong.
func (a *Auth) NewSessions(config *SessionConfig) (*Sessions, error) {
	s := &Sessions{auth: a, csrf: http.NewCrossOriginProtection()}
	if config != nil {
		s.config = *config
	}
	c := &s.config
	switch {
	case c.Lifetime < 0:
		return nil, fmt.Errorf("auth: SessionConfig.Lifetime is %v (leave it out, or give it more than 0)", c.Lifetime)
	case c.Lifetime == 0:
		c.Lifetime = 24 * time.Hour
	}
	if c.IdleTimeout < 0 {
		return nil, fmt.Errorf("auth: SessionConfig.IdleTimeout is %v (leave it out, or give it more than 0)", c.IdleTimeout)
	}
	if c.LoginURL != "" && local(c.LoginURL) == "" {
		return nil, fmt.Errorf("auth: SessionConfig.LoginURL is %q (give it a path, such as /login)", c.LoginURL)
	}
	for _, origin := range c.TrustedOrigins {
		if err := s.csrf.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("auth: SessionConfig.TrustedOrigins: %w (write one such as https://admin.example.com)", err)
		}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.ClientAddress == nil {
		c.ClientAddress, s.direct = remoteAddress, true
	}
	if c.LoginFailed == nil {
		c.LoginFailed = loginFailed
	}
	// scs.New would start a goroutine for a store that is not used, for good.
	s.manager = &scs.SessionManager{
		Codec: scs.GobCodec{}, Cookie: scs.SessionCookie{HttpOnly: true, Name: "__Host-session", Path: "/", SameSite: http.SameSiteLaxMode, Secure: true},
		ErrorFunc: s.failed, HashTokenInStore: true, IdleTimeout: c.IdleTimeout, Lifetime: c.Lifetime, Store: &store{a, scs.GobCodec{}},
	}
	if c.Insecure {
		s.manager.Cookie.Name, s.manager.Cookie.Secure = "session", false
	}
	return s, nil
}

// remoteAddress is the address of the connection.
func remoteAddress(r *http.Request) netip.Addr {
	address, _ := netip.ParseAddrPort(r.RemoteAddr)
	return address.Addr()
}

// failed answers a request whose session cannot be read or kept.
func (s *Sessions) failed(w http.ResponseWriter, r *http.Request, err error) {
	if !errors.Is(err, context.Canceled) {
		s.config.Logger.ErrorContext(r.Context(), "session failed", "host", r.Host, "error", err)
	}
	http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
}

// Data is the session in a context below Middleware, for what the application keeps in it.
// Its keys must not begin with "auth.".
func (s *Sessions) Data() *scs.SessionManager { return s.manager }

type userContextKey struct{}

// visit is what a request's context has of its session.
type visit struct{ user *User }

// UserFromContext returns the user who is logged in, as it was when the request came; nil if
// nobody is.
func UserFromContext(ctx context.Context) *User {
	v, _ := ctx.Value(userContextKey{}).(visit)
	return v.user
}

// Middleware puts the user who is logged in into the context of each request. It stands
// within the middleware that finds the tenant, and refuses with 403 what another origin
// sends to change something. A request has one Sessions: within the middleware of another the
// answer is 500, and Logger is told.
func (s *Sessions) Middleware(next http.Handler) http.Handler {
	load := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u, err := s.user(r.Context())
		if err != nil {
			s.failed(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userContextKey{}, visit{u})))
	})
	inner := s.manager.LoadAndSave(load)
	return s.csrf.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k, ok := r.Context().Value(keptContextKey{}).(*kept)
		if ok && k.sessions != s {
			// They would have one cookie, and one UserFromContext.
			s.failed(w, r, errTwoSessions)
			return
		}
		if !ok {
			k = &kept{sessions: s, tokens: map[string]bool{}}
			r = r.WithContext(context.WithValue(r.Context(), keptContextKey{}, k))
		}
		inner.ServeHTTP(w, r)
	}))
}

// user is whose the session is. One whose user is gone, inactive, or has another password
// ends.
func (s *Sessions) user(ctx context.Context) (*User, error) {
	id := s.manager.GetInt64(ctx, userKey)
	if id == 0 {
		return nil, nil
	}
	schemas, err := s.auth.schemas(ctx)
	if err != nil {
		return nil, err
	}
	shared, proof := s.manager.GetBool(ctx, sharedKey), s.manager.GetBytes(ctx, proofKey)
	for _, schema := range schemas {
		if schema.IsPublic() != shared {
			continue
		}
		u, err := s.auth.byID(ctx, schema, id)
		switch {
		case errors.Is(err, ErrUserNotFound):
		case err != nil:
			return nil, err
		case u.IsActive:
			is, err := s.auth.proves(ctx, u, proof)
			if err != nil {
				return nil, err
			}
			if is {
				return u, nil
			}
		}
	}
	return nil, s.manager.Destroy(ctx)
}

// proofOf is what a session has of a password's hash.
func proofOf(hash string) []byte {
	sum := sha256.Sum256([]byte("session\x00" + hash))
	return sum[:]
}

// proof is what a session has of the password of u: when that changes, the session is over.
// It is of the first hash of the password, from which logins made others.
func (a *Auth) proof(ctx context.Context, u *User) ([]byte, error) {
	proof := proofOf(u.password)
	err := a.db.QueryRow(ctx, "SELECT proof FROM "+table(u.Schema, "auth_rehash")+" WHERE user_id = $1 AND hash = $2", u.ID, proof).Scan(&proof)
	if errors.Is(err, pgx.ErrNoRows) {
		return proof, nil
	}
	return proof, missing(u.Schema, err)
}

// proves reports whether a session has a proof of the password of u.
func (a *Auth) proves(ctx context.Context, u *User, proof []byte) (bool, error) {
	if subtle.ConstantTimeCompare(proof, proofOf(u.password)) == 1 {
		return true, nil
	}
	first, err := a.proof(ctx, u)
	return subtle.ConstantTimeCompare(proof, first) == 1 && err == nil, err
}

var (
	errNoMiddleware = errors.New("auth: the context has no session (put Sessions.Middleware around the handler)")
	errTwoSessions  = errors.New("auth: the request has other Sessions already (put the middleware of one Sessions around a handler, not of two)")
)

// Login begins a session of u, whom Authenticate returned, in ctx, that of a request below
// Middleware. It has a new token, and nothing that another user left in it.
// UserFromContext of this request stays as it is.
func (s *Sessions) Login(ctx context.Context, u *User) error {
	if _, ok := ctx.Value(userContextKey{}).(visit); !ok {
		return errNoMiddleware
	}
	if err := s.auth.knows(ctx, u); err != nil {
		return err
	}
	proof, err := s.auth.proof(ctx, u)
	if err != nil {
		return err
	}
	if old := s.manager.GetInt64(ctx, userKey); old != 0 && (old != u.ID || s.manager.GetBool(ctx, sharedKey) != isShared(u)) {
		if err := s.manager.Clear(ctx); err != nil {
			return err
		}
	}
	if err := s.manager.RenewToken(ctx); err != nil {
		return err
	}
	s.manager.Put(ctx, userKey, u.ID)
	s.manager.Put(ctx, sharedKey, isShared(u))
	s.manager.Put(ctx, proofKey, proof)
	return nil
}

// Logout ends the session in ctx, that of a request below Middleware.
func (s *Sessions) Logout(ctx context.Context) error {
	if _, ok := ctx.Value(userContextKey{}).(visit); !ok {
		return errNoMiddleware
	}
	return s.manager.Destroy(ctx)
}

// endSessions deletes the sessions of a user that are with the tenant in ctx. Those of a
// user of public at other tenants end because they have a proof of its password.
func (a *Auth) endSessions(ctx context.Context, u *User) error {
	home, err := a.home(ctx)
	if err != nil {
		return err
	}
	_, err = a.db.Exec(ctx, "DELETE FROM "+table(home, "auth_session")+" WHERE user_id = $1 AND shared = $2", u.ID, isShared(u))
	return missing(home, err)
}

// isShared tells the users of public from those of the tenant.
func isShared(u *User) bool { return u.Schema == tenant.PublicSchema() }

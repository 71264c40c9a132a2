package auth_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cotenant/cotenant/auth"
	"github.com/cotenant/cotenant/tenant"
)

// web serves the site's sessions over TLS: / says who is there.
type web struct {
	*httptest.Server
	sessions *auth.Sessions
}

func newWeb(t *testing.T, s *site, users *auth.Auth, config *auth.SessionConfig) *web {
	t.Helper()
	sessions, err := users.NewSessions(config)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if u := auth.UserFromContext(r.Context()); u != nil {
			fmt.Fprintf(w, "%s of %s", u.Username, u.Schema)
			return
		}
		fmt.Fprint(w, "nobody")
	})
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "in") })
	mux.HandleFunc("/cart", func(w http.ResponseWriter, r *http.Request) {
		if thing := r.FormValue("put"); thing != "" {
			sessions.Data().Put(r.Context(), "cart", thing)
		}
		fmt.Fprintf(w, "cart: %s", sessions.Data().GetString(r.Context(), "cart"))
	})
	mux.Handle("/login", sessions.LoginHandler())
	mux.Handle("/logout", sessions.LogoutHandler())
	mux.Handle("/members", sessions.RequireLogin(ok))
	mux.Handle("/staff", sessions.RequireStaff(ok))
	mux.Handle("/orders", sessions.RequirePermission("shop.change_order")(ok))
	server := httptest.NewTLSServer(s.Middleware(nil)(sessions.Middleware(mux)))
	t.Cleanup(server.Close)
	return &web{server, sessions}
}

// browser is a client with cookies, for which every host is the server.
func (w *web) browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := w.Client().Transport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: transport.TLSClientConfig.RootCAs, ServerName: "example.com"}
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, w.Listener.Addr().String())
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Jar: jar, Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// get answers with status, location and body.
func get(t *testing.T, c *http.Client, host, path string) string {
	t.Helper()
	return send(t, c, http.MethodGet, host, path, nil, nil)
}

func send(t *testing.T, c *http.Client, method, host, path string, form url.Values, header http.Header) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "https://"+host+".example.com"+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Error(err)
		return ""
	}
	for key, values := range header {
		r.Header[key] = values
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := c.Do(r)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	if location := resp.Header.Get("Location"); location != "" {
		return fmt.Sprint(resp.StatusCode, " to ", location)
	}
	return fmt.Sprint(resp.StatusCode, " ", strings.TrimSpace(string(body)))
}

func login(t *testing.T, c *http.Client, host, name, password string) string {
	t.Helper()
	return send(t, c, http.MethodPost, host, "/login", url.Values{"username": {name}, "password": {password}}, nil)
}

func want(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("answered %q; want %q", got, want)
	}
}

// cookie is the session's of a host, as the browser has it.
func cookie(t *testing.T, c *http.Client, host string) *http.Cookie {
	t.Helper()
	cookies := c.Jar.Cookies(&url.URL{Scheme: "https", Host: host + ".example.com", Path: "/"})
	i := slices.IndexFunc(cookies, func(c *http.Cookie) bool { return c.Name == "__Host-session" })
	if i < 0 {
		t.Fatalf("cookies of %s: %v", host, cookies)
	}
	return cookies[i]
}

// A neighbour behind the same proxy cannot lock out a browser that was logged in before, and
// the program is told that it does not see the clients' addresses.
func TestNeighbours(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	a := s.users(t, auth.Config{Failures: 1, AddressFailures: 2})
	create(s.acme, t, a, auth.CreateParams{Username: "ada"})
	var log strings.Builder
	w := newWeb(t, s, a, &auth.SessionConfig{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	ada, neighbour := w.browser(t), w.browser(t)
	want(t, login(t, ada, "acme", "ada", password), "303 to /")
	want(t, send(t, ada, http.MethodPost, "acme", "/logout", nil, nil), "303 to /")
	if log.Len() > 0 {
		t.Errorf("told: %s", &log)
	}
	form := url.Values{"username": {"ada"}, "password": {other}}
	for _, answer := range []string{"401 the user name or the password is wrong", "429 too many failed attempts to log in (try again in 1s)"} {
		want(t, send(t, neighbour, http.MethodPost, "acme", "/login", form, http.Header{"X-Forwarded-For": {"192.0.2.7"}}), answer)
	}
	want(t, login(t, ada, "acme", "ada", password), "303 to /")
	if strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), "SessionConfig.ClientAddress") {
		t.Errorf("told: %s", &log)
	}
}

func TestSessions(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	a := s.users(t, auth.Config{})
	u := create(s.acme, t, a, auth.CreateParams{Username: "ada", Staff: true})
	create(s.globex, t, a, auth.CreateParams{Username: "ada"}) // of the same id
	w := newWeb(t, s, a, &auth.SessionConfig{LoginURL: "/login"})
	c := w.browser(t)

	want(t, get(t, c, "acme", "/"), "200 nobody")
	want(t, get(t, c, "acme", "/members?a=b"), "303 to /login?next=%2Fmembers%3Fa%3Db")
	want(t, send(t, c, http.MethodPost, "acme", "/members", nil, nil), "401 Unauthorized")
	want(t, get(t, c, "acme", "/login"), "405 Method Not Allowed")
	want(t, login(t, c, "acme", "ada", other), "401 the user name or the password is wrong")
	want(t, login(t, c, "acme", "ADA", password), "303 to /")
	want(t, get(t, c, "acme", "/"), "200 ada of acme")
	want(t, get(t, c, "acme", "/staff"), "200 in")
	want(t, get(t, c, "acme", "/orders"), "403 Forbidden")
	if err := a.Grant(s.acme, u, "shop.change_order"); err != nil {
		t.Fatal(err)
	}
	want(t, get(t, c, "acme", "/orders"), "200 in")

	// A cookie is worth nothing at another tenant, and the browser does not send it there.
	stolen := cookie(t, c, "acme")
	want(t, get(t, c, "globex", "/"), "200 nobody")
	with := http.Header{"Cookie": {stolen.String()}}
	thief := w.browser(t)
	want(t, send(t, thief, http.MethodGet, "acme", "/", nil, with), "200 ada of acme")
	want(t, send(t, thief, http.MethodGet, "globex", "/", nil, with), "200 nobody")
	s.exec(s.globex, t, "INSERT INTO auth_session SELECT * FROM acme.auth_session") // even with its row
	want(t, send(t, thief, http.MethodGet, "globex", "/", nil, with), "200 nobody")
	var kept string
	if err := s.DB().QueryRow(s.acme, "SELECT string_agg(token, ' ') FROM auth_session").Scan(&kept); err != nil || strings.Contains(kept, stolen.Value) {
		t.Errorf("kept %q, %v", kept, err)
	}

	// A login has a new token, and the old one ends.
	want(t, login(t, c, "acme", "ada", password), "303 to /")
	want(t, send(t, thief, http.MethodGet, "acme", "/", nil, with), "200 nobody")
	second := w.browser(t)
	want(t, login(t, second, "acme", "ada", password), "303 to /")
	with = http.Header{"Cookie": {cookie(t, second, "acme").String()}}
	want(t, send(t, second, http.MethodPost, "acme", "/logout", nil, nil), "303 to /")
	want(t, send(t, thief, http.MethodGet, "acme", "/", nil, with), "200 nobody")

	// All end with the password, also where their rows are left, and with the user.
	if err := a.SetPassword(s.acme, u, other); err != nil {
		t.Fatal(err)
	}
	want(t, get(t, c, "acme", "/"), "200 nobody")
	want(t, login(t, c, "acme", "ada", other), "303 to /")
	s.exec(s.acme, t, "UPDATE auth_user SET password = '!'")
	want(t, get(t, c, "acme", "/"), "200 nobody")
	if err := a.SetPassword(s.acme, u, password); err != nil {
		t.Fatal(err)
	}
	want(t, login(t, c, "acme", "ada", password), "303 to /")
	for _, active := range []bool{false, true} {
		u.IsActive = active
		if err := a.Update(s.acme, u); err != nil {
			t.Fatal(err)
		}
		want(t, get(t, c, "acme", "/"), "200 nobody")
	}

	// Also where it was made inactive by hand.
	want(t, login(t, c, "acme", "ada", password), "303 to /")
	s.exec(s.acme, t, "UPDATE auth_user SET is_active = false")
	want(t, get(t, c, "acme", "/"), "200 nobody")
	s.exec(s.acme, t, "UPDATE auth_user SET is_active = true")
	want(t, get(t, c, "acme", "/"), "200 nobody")

	// Another user finds nothing of the one before.
	create(s.acme, t, a, auth.CreateParams{Username: "bob"})
	want(t, get(t, c, "acme", "/cart?put=book"), "200 cart: book")
	want(t, login(t, c, "acme", "ada", password), "303 to /")
	want(t, get(t, c, "acme", "/cart"), "200 cart: book") // put there before the login
	want(t, login(t, c, "acme", "bob", password), "303 to /")
	want(t, get(t, c, "acme", "/cart"), "200 cart:")

	// What is over goes as new ones come.
	s.exec(s.acme, t, "UPDATE auth_session SET expiry = now() - interval '1 second'")
	want(t, login(t, c, "acme", "ada", password), "303 to /")
	want(t, get(t, c, "acme", "/"), "200 ada of acme")
	var n int
	if err := s.DB().QueryRow(s.acme, "SELECT count(*) FROM auth_session").Scan(&n); err != nil || n != 1 {
		t.Errorf("%d sessions, %v", n, err)
	}

	// The name of a schema that another tenant got has other sessions.
	with = http.Header{"Cookie": {cookie(t, c, "acme").String()}}
	s.exec(s.public, t, "UPDATE acme.auth_session SET tenant_id = tenant_id + 1000")
	want(t, send(t, thief, http.MethodGet, "acme", "/", nil, with), "200 nobody")
}

// A session that is used lasts, up to its lifetime.
func TestIdleTimeout(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	a := s.users(t, auth.Config{})
	create(s.acme, t, a, auth.CreateParams{Username: "ada"})
	w := newWeb(t, s, a, &auth.SessionConfig{IdleTimeout: time.Hour})
	c := w.browser(t)
	want(t, login(t, c, "acme", "ada", password), "303 to /")
	within := func(least, most time.Duration) {
		t.Helper()
		var expiry time.Time
		if err := s.DB().QueryRow(s.acme, "SELECT expiry FROM auth_session").Scan(&expiry); err != nil || time.Until(expiry) < least || time.Until(expiry) > most {
			t.Errorf("the session lasts until %v, %v", expiry, err)
		}
	}
	within(55*time.Minute, time.Hour)
	s.exec(s.acme, t, "UPDATE auth_session SET expiry = now() + interval '1 minute'")
	want(t, get(t, c, "acme", "/"), "200 ada of acme")
	within(55*time.Minute, time.Hour)
	s.exec(s.acme, t, "UPDATE auth_session SET expiry = now() - interval '1 second'")
	want(t, get(t, c, "acme", "/"), "200 nobody")
}

// A request has the sessions of one; around another's they would be mixed up.
func TestTwoSessions(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	a := s.users(t, auth.Config{})
	var log strings.Builder
	inner, err := a.NewSessions(&auth.SessionConfig{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	outer, err := s.users(t, auth.Config{Where: auth.Shared}).NewSessions(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		around *auth.Sessions
		want   int
	}{{inner, http.StatusNotFound}, {outer, http.StatusInternalServerError}} {
		w := httptest.NewRecorder()
		tt.around.Middleware(inner.Middleware(http.NotFoundHandler())).ServeHTTP(w, httptest.NewRequestWithContext(s.acme, http.MethodGet, "/", nil))
		if w.Code != tt.want {
			t.Errorf("%d; want %d", w.Code, tt.want)
		}
	}
	if !strings.Contains(log.String(), "of one Sessions") {
		t.Errorf("told: %s", &log)
	}
}

// Users of public are logged in at one tenant, not at all.
func TestSharedSessions(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	for _, where := range []auth.Where{auth.Shared, auth.OwnThenShared} {
		shared, a := s.users(t, auth.Config{Where: auth.Shared}), s.users(t, auth.Config{Where: where})
		name := fmt.Sprintf("root%d", where)
		u := create(s.acme, t, shared, auth.CreateParams{Username: name})
		w := newWeb(t, s, a, nil)
		c, thief := w.browser(t), w.browser(t)
		want(t, login(t, c, "acme", name, password), "303 to /")
		want(t, get(t, c, "acme", "/"), "200 "+name+" of public")
		with := http.Header{"Cookie": {cookie(t, c, "acme").String()}}
		want(t, send(t, thief, http.MethodGet, "acme", "/", nil, with), "200 "+name+" of public")
		want(t, send(t, thief, http.MethodGet, "globex", "/", nil, with), "200 nobody")
		if err := a.SetPassword(s.public, u, other); err != nil { // from elsewhere
			t.Fatal(err)
		}
		want(t, get(t, c, "acme", "/"), "200 nobody")
	}
}

// Under many logins at once, everybody is who he is, at his own tenant.
func TestLoginStorm(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	a := s.users(t, auth.Config{AddressFailures: 1000})
	const people = 10
	for _, ctx := range []context.Context{s.acme, s.globex} {
		for i := range people {
			create(ctx, t, a, auth.CreateParams{Username: fmt.Sprintf("user%d", i)})
		}
	}
	w := newWeb(t, s, a, nil)
	var wg sync.WaitGroup
	for i := range 2 * people {
		host := []string{"acme", "globex"}[i%2]
		name := fmt.Sprintf("user%d", i/2)
		c := w.browser(t)
		wg.Go(func() {
			for range 5 {
				want(t, login(t, c, host, name, password), "303 to /")
				want(t, get(t, c, host, "/"), "200 "+name+" of "+host)
				want(t, send(t, c, http.MethodPost, host, "/logout", nil, nil), "303 to /")
				want(t, get(t, c, host, "/"), "200 nobody")
			}
		})
	}
	wg.Wait()
	for _, ctx := range []context.Context{s.acme, s.globex} {
		var n int
		if err := s.DB().QueryRow(tenant.WithoutPublic(ctx), "SELECT count(*) FROM auth_session").Scan(&n); err != nil || n != 0 {
			t.Errorf("%d sessions, %v", n, err)
		}
	}
}

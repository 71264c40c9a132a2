package auth_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"

	"github.com/cotenant/cotenant/auth"
)

// Who logs out while a request of his is under way stays logged out, whatever that writes.
func TestLoggedOutMeanwhile(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	a := s.users(t, auth.Config{})
	create(s.acme, t, a, auth.CreateParams{Username: "ada"})
	sessions, err := a.NewSessions(&auth.SessionConfig{IdleTimeout: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	var serve func(path string, form url.Values, cookies []*http.Cookie) (int, []*http.Cookie)
	var cookies []*http.Cookie
	mux := http.NewServeMux()
	mux.Handle("/login", sessions.LoginHandler())
	mux.Handle("/logout", sessions.LogoutHandler())
	mux.Handle("/me", sessions.RequireLogin(http.NotFoundHandler()))
	mux.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) {
		sessions.Data().Put(r.Context(), "cart", "book")
		if got, _ := serve("/logout", nil, cookies); got != http.StatusSeeOther {
			t.Errorf("logout: %d", got)
		}
	})
	handler := sessions.Middleware(mux)
	serve = func(path string, form url.Values, cookies []*http.Cookie) (int, []*http.Cookie) {
		r := httptest.NewRequestWithContext(s.acme, http.MethodPost, path, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for _, c := range cookies {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		resp := w.Result()
		defer resp.Body.Close()
		return resp.StatusCode, resp.Cookies()
	}
	_, cookies = serve("/login", url.Values{"username": {"ada"}, "password": {password}}, nil)
	for _, tt := range []struct {
		path string
		want int
	}{{"/me", http.StatusNotFound}, {"/slow", http.StatusOK}, {"/me", http.StatusUnauthorized}} {
		if got, _ := serve(tt.path, nil, cookies); got != tt.want {
			t.Errorf("%s: %d; want %d", tt.path, got, tt.want)
		}
	}
}

// A tenant's user and public's of the same id are two: a new password ends the sessions of its
// own only.
func TestSessionsOfOneID(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	a := s.users(t, auth.Config{Where: auth.OwnThenShared})
	ada, root := create(s.acme, t, a, auth.CreateParams{Username: "ada"}), create(s.public, t, a, auth.CreateParams{Username: "root"})
	if ada.ID != root.ID {
		t.Fatalf("ids %d and %d", ada.ID, root.ID)
	}
	w := newWeb(t, s, a, nil)
	own, shared := w.browser(t), w.browser(t)
	want(t, login(t, own, "acme", "ada", password), "303 to /")
	want(t, login(t, shared, "acme", "root", password), "303 to /")
	if err := a.SetPassword(s.acme, ada, other); err != nil {
		t.Fatal(err)
	}
	want(t, get(t, own, "acme", "/"), "200 nobody")
	want(t, get(t, shared, "acme", "/"), "200 root of public")
}

// Sessions end with the password, and not with its hash, which logins make anew with other
// parameters.
func TestSessionsAndRehash(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	for _, where := range []auth.Where{auth.Own, auth.Shared} {
		u := create(s.acme, t, s.users(t, auth.Config{Where: where}), auth.CreateParams{Username: "ada"})
		answer := "200 ada of " + u.Schema.String()
		typed := password
		for _, end := range []func(a *auth.Auth){
			func(a *auth.Auth) {
				typed = other
				if err := a.SetPassword(s.acme, u, typed); err != nil {
					t.Fatal(err)
				}
			},
			func(*auth.Auth) { // by hand, so that the next login makes that one anew
				typed = password
				hash, err := argon2id.CreateHash(typed, &argon2id.Params{Memory: 32, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
				if err != nil {
					t.Fatal(err)
				}
				s.exec(s.acme, t, "UPDATE "+u.Schema.String()+".auth_user SET password = $1", hash)
			},
		} {
			var browsers []*http.Client
			var a *auth.Auth
			var w *web
			for passes := range uint32(3) {
				params := cheap()
				params.Iterations += passes
				a = s.users(t, auth.Config{Argon2id: params, Where: where})
				w = newWeb(t, s, a, nil)
				c := w.browser(t)
				browsers = append(browsers, c)
				want(t, login(t, c, "acme", "ada", typed), "303 to /")
				for _, c := range browsers {
					c.Transport = w.browser(t).Transport
					want(t, get(t, c, "acme", "/"), answer)
				}
			}
			end(a)
			want(t, login(t, w.browser(t), "acme", "ada", typed), "303 to /")
			for _, c := range browsers {
				want(t, get(t, c, "acme", "/"), "200 nobody")
			}
		}
	}
}

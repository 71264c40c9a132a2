package auth

import (
	"errors"
	"math"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/cotenant/cotenant/httptenant"
)

// maxForm is more than a form with a name and a password has.
const maxForm = 1 << 16

// LoginHandler logs in who posts a form with username and password, urlencoded or multipart,
// of up to 64 KiB, and sends them to where Next says. It stands within Middleware, and answers
// nothing but POST. The browser gets a
// cookie with which its later failures are counted apart; see Auth.Device.
func (s *Sessions) LoginHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isPost(w, r) {
			return
		}
		// An attempt without a form has no name and no password, and would count as failed.
		if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/x-www-form-urlencoded" && kind != "multipart/form-data" {
			http.Error(w, http.StatusText(http.StatusUnsupportedMediaType), http.StatusUnsupportedMediaType)
			return
		}
		if !parseForm(w, r) {
			return
		}
		s.warnOfProxy(r)
		u, err := s.auth.Authenticate(r.Context(), Credentials{
			Address: s.config.ClientAddress(r), Device: s.device(r), Password: r.PostForm.Get("password"), Username: r.PostForm.Get("username"),
		})
		if err == nil {
			err = s.Login(r.Context(), u)
		}
		if err != nil {
			if _, locked := errors.AsType[*LockedError](err); !locked && !errors.Is(err, ErrCredentials) {
				s.config.Logger.ErrorContext(r.Context(), "login failed", "host", r.Host, "error", err)
			}
			s.config.LoginFailed(w, r, err)
			return
		}
		http.SetCookie(w, s.deviceCookie(s.auth.Device(u)))
		http.Redirect(w, r, httptenant.Prefix(r.Context())+Next(r), http.StatusSeeOther) //nolint:gosec // Next returns paths of this site only
	})
}

// warnOfProxy tells once that a proxy's address is taken for that of all its clients.
func (s *Sessions) warnOfProxy(r *http.Request) {
	for _, header := range []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip"} {
		if s.direct && r.Header.Get(header) != "" {
			s.warned.Do(func() {
				s.config.Logger.WarnContext(r.Context(), "a login came through a proxy, and all its clients are counted as one: each can make the others wait (set SessionConfig.ClientAddress)",
					"header", header, "proxy", r.RemoteAddr)
			})
		}
	}
}

// LogoutHandler ends the session of who posts to it, with a form of up to 64 KiB or none, and
// sends them to where Next says.
func (s *Sessions) LogoutHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isPost(w, r) {
			return
		}
		if !parseForm(w, r) {
			return
		}
		if err := s.Logout(r.Context()); err != nil {
			s.failed(w, r, err)
			return
		}
		http.Redirect(w, r, httptenant.Prefix(r.Context())+Next(r), http.StatusSeeOther) //nolint:gosec // Next returns paths of this site only
	})
}

func isPost(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodPost {
		return true
	}
	w.Header().Set("Allow", http.MethodPost)
	http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
	return false
}

// parseForm parses the form of a request, which it bounds, or answers that it cannot. So
// bounded, a multipart form has no files on disk.
func parseForm(w http.ResponseWriter, r *http.Request) bool {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	err := r.ParseForm()
	if err == nil {
		err = r.ParseMultipartForm(maxForm) //nolint:gosec // the body is bounded above
	}
	status := http.StatusBadRequest
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		status = http.StatusRequestEntityTooLarge
	} else if err == nil || errors.Is(err, http.ErrNotMultipart) {
		return true
	}
	http.Error(w, http.StatusText(status), status)
	return false
}

// loginFailed answers with a line of text.
func loginFailed(w http.ResponseWriter, _ *http.Request, err error) {
	status := http.StatusUnauthorized
	locked, is := errors.AsType[*LockedError](err)
	switch {
	case is:
		status = http.StatusTooManyRequests
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(locked.RetryAfter.Seconds()))))
	case !errors.Is(err, ErrCredentials):
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	http.Error(w, err.Error(), status)
}

// Next returns the parameter next of a request, if it is a path of this site, else "/": a
// link to a login must not lead to somebody else's.
func Next(r *http.Request) string {
	if path := local(r.FormValue("next")); path != "" {
		return path
	}
	return "/"
}

// local returns a path of this site as it is, and else nothing. Browsers take a backslash
// for a slash, and leave out control characters.
func local(path string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsFunc(path, func(c rune) bool { return c == '\\' || unicode.IsControl(c) }) {
		return ""
	}
	u, err := url.Parse(path)
	if err != nil || u.Host != "" || u.Scheme != "" {
		return ""
	}
	// Below a prefix that names the tenant, .. would lead to another one.
	if slices.Contains(strings.Split(u.Path, "/"), "..") {
		return ""
	}
	return path
}

// RequireLogin lets through who is logged in. Others are sent to SessionConfig.LoginURL, with
// where they wanted to go in next, if they were to read something; else they get 401.
func (s *Sessions) RequireLogin(next http.Handler) http.Handler {
	return s.require(next, func(*http.Request, *User) (bool, error) { return true, nil })
}

// RequireStaff lets through who is logged in and staff. Others of those who are logged in
// get 403.
func (s *Sessions) RequireStaff(next http.Handler) http.Handler {
	return s.require(next, func(_ *http.Request, u *User) (bool, error) { return u.IsStaff, nil })
}

// RequirePermission lets through who is logged in and has the permission, as HasPermission
// reports it. Others of those who are logged in get 403.
func (s *Sessions) RequirePermission(permission string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return s.require(next, func(r *http.Request, u *User) (bool, error) {
			return s.auth.HasPermission(r.Context(), u, permission)
		})
	}
}

func (s *Sessions) require(next http.Handler, may func(*http.Request, *User) (bool, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u := UserFromContext(r.Context())
		if u == nil {
			if s.config.LoginURL == "" || r.Method != http.MethodGet && r.Method != http.MethodHead {
				http.Error(w, http.StatusText(http.StatusUnauthorized), http.StatusUnauthorized)
				return
			}
			login, err := url.Parse(s.config.LoginURL)
			if err != nil {
				s.failed(w, r, err)
				return
			}
			query := login.Query()
			query.Set("next", r.URL.RequestURI())
			login.RawQuery = query.Encode()
			w.Header().Set("Cache-Control", "no-store")
			http.Redirect(w, r, httptenant.Prefix(r.Context())+login.String(), http.StatusSeeOther)
			return
		}
		switch ok, err := may(r, u); {
		case err != nil:
			s.failed(w, r, err)
		case !ok:
			http.Error(w, http.StatusText(http.StatusForbidden), http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

package auth_test

import (
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/auth"
)

func TestLoginPages(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	a := s.users(t, auth.Config{Failures: 1})
	create(s.acme, t, a, auth.CreateParams{Username: "ada"})
	w := newWeb(t, s, a, &auth.SessionConfig{TrustedOrigins: []string{"https://admin.example.com"}})
	c := w.browser(t)
	form := func(next string) url.Values {
		return url.Values{"username": {"ada"}, "password": {password}, "next": {next}}
	}
	for next, location := range map[string]string{
		"/members?a=b": "/members?a=b", "": "/", "https://evil.example": "/", "//evil.example": "/", `/\evil.example`: "/", "/\t/evil.example": "/",
		"/../globex/members": "/", "/a/%2e%2e/../b": "/", "members": "/", "/.//evil.example": "/evil.example", "javascript:alert(1)": "/",
	} {
		want(t, send(t, c, http.MethodPost, "acme", "/login", form(next), nil), "303 to "+location)
	}
	// A sibling host is the same site, for which SameSite does nothing, and another origin.
	for _, tt := range []struct {
		header http.Header
		want   string
	}{
		{http.Header{"Sec-Fetch-Site": {"same-origin"}}, "303 to /"},
		{http.Header{"Sec-Fetch-Site": {"same-site"}, "Origin": {"https://globex.example.com"}}, "403 cross-origin request detected from Sec-Fetch-Site header"},
		{http.Header{"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.example"}}, "403 cross-origin request detected from Sec-Fetch-Site header"},
		{http.Header{"Sec-Fetch-Site": {"same-site"}, "Origin": {"https://admin.example.com"}}, "303 to /"},
	} {
		want(t, send(t, c, http.MethodPost, "acme", "/login", form(""), tt.header), tt.want)
	}
	want(t, login(t, c, "acme", "ada", other), "401 the user name or the password is wrong")
	want(t, login(t, c, "acme", "ada", password), "429 too many failed attempts to log in (try again in 1s)")
	want(t, get(t, w.browser(t), "acme", "/members"), "401 Unauthorized")

	if err := w.sessions.Login(s.acme, nil); err == nil {
		t.Error("a login without the middleware")
	}
	for _, config := range []auth.SessionConfig{{LoginURL: "https://evil.example"}, {IdleTimeout: -1}, {Lifetime: -1}, {TrustedOrigins: []string{"example.com"}}} {
		if _, err := a.NewSessions(&config); err == nil {
			t.Errorf("%+v was taken", config)
		}
	}
}

// Forms are read in both of their encodings, and no more of them than a login has.
func TestForms(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	a := s.users(t, auth.Config{Failures: 1})
	create(s.acme, t, a, auth.CreateParams{Username: "ada"})
	w := newWeb(t, s, a, &auth.SessionConfig{LoginURL: "/login?theme=dark&next=/"})
	c := w.browser(t)
	form := func(size int) map[string]string {
		return map[string]string{"username": "ada", "password": password, "next": "/cart", "rest": strings.Repeat("x", size)}
	}
	encoded := func(size int) (kind, body string) {
		values := url.Values{}
		for name, value := range form(size) {
			values.Set(name, value)
		}
		return "application/x-www-form-urlencoded", values.Encode()
	}
	multi := func(size int) (kind, body string) {
		var b strings.Builder
		m := multipart.NewWriter(&b)
		for name, value := range form(size) {
			var err error
			if name == "rest" {
				var file io.Writer
				if file, err = m.CreateFormFile(name, name); err == nil {
					_, err = io.WriteString(file, value)
				}
			} else {
				err = m.WriteField(name, value)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		return m.FormDataContentType(), b.String()
	}
	post := func(path, want string, kind, body string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://acme.example.com"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", kind)
		resp, err := c.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := strings.TrimSpace(fmt.Sprint(resp.StatusCode, " ", resp.Header.Get("Location"))); got != want {
			t.Errorf("%s with %d bytes of %q: %s; want %s", path, len(body), kind, got, want)
		}
	}
	for _, body := range []func(int) (string, string){encoded, multi} {
		for size, want := range map[int]string{1 << 10: "303 /cart", 60 << 10: "303 /cart", 65 << 10: "413"} {
			kind, text := body(size)
			post("/login", want, kind, text)
			post("/logout", want, kind, text)
		}
	}
	// What is no form is no attempt.
	for range 3 {
		post("/login", "415", "application/json", `{"username": "ada", "password": "x"}`)
		post("/login", "415", "", "")
		post("/login", "400", "multipart/form-data", "x")
		post("/login", "400", "application/x-www-form-urlencoded", "username=%zz")
	}
	want(t, login(t, c, "acme", "ada", password), "303 to /")
	post("/logout", "303 /", "", "")
	want(t, get(t, c, "acme", "/members?a=b"), "303 to /login?next=%2Fmembers%3Fa%3Db&theme=dark")
}

package auth

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"
)

// A name that is taken has one form, which is taken as it is.
func FuzzParseUsername(f *testing.F) {
	for _, name := range []string{"admin", "Ａdmin", "İ", "a b", "ß", "a\u0301", "x@example.com", "\x00", "\xff"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		folded, err := ParseUsername(name)
		if err != nil {
			return
		}
		if again, err := ParseUsername(folded); err != nil || again != folded {
			t.Errorf("%q is %q, and that is %q, %v", name, folded, again, err)
		}
	})
}

// dear is what would take its time, within the bounds.
var dear = regexp.MustCompile(`\d{4}`)

// No text in the place of a hash makes us panic, or lets anybody in.
func FuzzMatchesOld(f *testing.F) {
	for _, encoded := range []string{"", "!", "pbkdf2_sha256$1$a$AAAA", "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAA$AAAA", "argon2$argon2id$v=19$m=8,t=1,p=1$$"} {
		f.Add(encoded)
	}
	c, err := (*Config)(nil).withDefaults()
	if err != nil {
		f.Fatal(err)
	}
	h := newHasher(&c)
	f.Fuzz(func(t *testing.T, encoded string) {
		if len(encoded) > 200 || dear.MatchString(encoded) {
			return
		}
		if match, done := h.matchesOld("a password that nobody has", encoded); match || done != (hashKind{}) && done != kindOf(encoded) {
			t.Errorf("%q lets in, or costs %+v", encoded, done)
		}
	})
}

// Where a login leads is a path of this site, in the eyes of a browser too.
func FuzzLocal(f *testing.F) {
	for _, path := range []string{"/", "//x", "/\\x", "/a?b=c#d", "/.//x", "/%2f/x", "/\t/x"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		path = local(path)
		if path == "" {
			return
		}
		w := httptest.NewRecorder()
		http.Redirect(w, httptest.NewRequest(http.MethodGet, "/login", http.NoBody), path, http.StatusSeeOther)
		if to := w.Header().Get("Location"); to == "" || to[0] != '/' || len(to) > 1 && (to[1] == '/' || to[1] == '\\') {
			t.Errorf("%q leads to %q", path, to)
		}
	})
}

package auth_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/cotenant/cotenant/auth"
	"github.com/cotenant/cotenant/tenant"
)

// A session is its tenant's, by id, for reading, writing and ending, until it is over.
func TestStore(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	sessions, err := s.users(t, auth.Config{}).NewSessions(nil)
	if err != nil {
		t.Fatal(err)
	}
	store := sessions.Data().Store.(scs.CtxStore)
	encode := func(text string) []byte {
		t.Helper()
		data, err := scs.GobCodec{}.Encode(time.Now().Add(time.Hour), map[string]any{"text": text})
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	after := *s.acmeTenant // to which the name of the schema was given anew
	after.ID += 1000
	acme := request(s.acme, t, sessions)
	next := tenant.NewContext(acme, &after)
	commit := func(tenantID int64, token, text string, expiry time.Time) {
		t.Helper()
		ctx := acme
		if tenantID == after.ID {
			ctx = next
		}
		if err := store.CommitCtx(ctx, token, encode(text), expiry); err != nil {
			t.Fatal(err)
		}
	}
	is := func(token, want string) {
		t.Helper()
		got := ""
		data, found, err := store.FindCtx(acme, token)
		if err != nil {
			t.Fatal(err)
		}
		if found {
			_, values, err := scs.GobCodec{}.Decode(data)
			if err != nil {
				t.Fatal(err)
			}
			got = values["text"].(string)
		}
		if got != want {
			t.Errorf("session %s has %q; want %q", token, got, want)
		}
	}
	expires := func(token string, want time.Time) {
		t.Helper()
		var got time.Time
		if err := s.DB().QueryRow(acme, "SELECT expiry FROM auth_session WHERE token = $1", token).Scan(&got); err != nil || !got.Equal(want) {
			t.Errorf("session %s expires at %v, %v; want %v", token, got, err, want)
		}
	}
	now := time.Now().Truncate(time.Second)
	commit(s.acmeTenant.ID, "a", "one", now.Add(time.Hour))
	is("a", "one")
	commit(s.acmeTenant.ID, "a", "two", now.Add(2*time.Hour))
	is("a", "two")
	expires("a", now.Add(2*time.Hour))

	if _, found, err := store.FindCtx(next, "a"); found || err != nil {
		t.Errorf("another tenant's session: found %t, %v", found, err)
	}
	commit(after.ID, "a", "three", now.Add(3*time.Hour))
	is("a", "two")
	expires("a", now.Add(2*time.Hour))
	if err := store.DeleteCtx(next, "a"); err != nil {
		t.Fatal(err)
	}
	is("a", "two")

	commit(s.acmeTenant.ID, "b", "over", now.Add(-time.Hour))
	is("b", "")
	commit(s.acmeTenant.ID, "c", "new", now.Add(time.Hour))
	var tokens string
	if err := s.DB().QueryRow(acme, "SELECT string_agg(token, ' ' ORDER BY token) FROM auth_session").Scan(&tokens); err != nil || tokens != "a c" {
		t.Errorf("sessions %q are left, %v", tokens, err)
	}
	if err := store.DeleteCtx(acme, "a"); err != nil {
		t.Fatal(err)
	}
	is("a", "")
	is("c", "new")

	// What a request has loaded or begun does not come back after it ended; what it has not
	// is not another's to write.
	commit(s.acmeTenant.ID, "a", "again", now.Add(time.Hour))
	is("a", "")
	later := request(s.acme, t, sessions)
	if err := store.CommitCtx(later, "c", encode("taken"), now.Add(time.Hour)); err == nil {
		t.Error("a session that was not loaded was written")
	}
	if _, found, err := store.FindCtx(later, "c"); !found || err != nil {
		t.Errorf("found %t, %v", found, err)
	}
	if err := store.CommitCtx(later, "c", encode("newer"), now.Add(time.Hour)); err != nil {
		t.Error(err)
	}
	is("c", "newer")
	if err := store.CommitCtx(s.acme, "d", encode("no request"), now.Add(time.Hour)); err == nil {
		t.Error("a session without the middleware was written")
	}
}

// request is the context of a request below the middleware of the sessions.
func request(ctx context.Context, t *testing.T, sessions *auth.Sessions) context.Context {
	t.Helper()
	var below *http.Request
	keep := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { below = r })
	sessions.Middleware(keep).ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil))
	return below.Context()
}

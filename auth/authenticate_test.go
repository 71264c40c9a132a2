package auth_test

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/alexedwards/argon2id"
	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/auth"
)

// Nobody can tell from the answer, or from how much was computed for it, what was wrong.
func TestAuthenticate(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	a := s.users(t, auth.Config{Failures: 1000, AddressFailures: 1000})
	create(s.acme, t, a, auth.CreateParams{Username: "ada"})
	create(s.acme, t, a, auth.CreateParams{Username: "gone", Inactive: true})
	create(s.acme, t, a, auth.CreateParams{Username: "none", NoPassword: true})
	create(s.globex, t, a, auth.CreateParams{Username: "bob"})
	long := strings.Repeat("x", 1<<20)
	for name, password := range map[string]string{"empty": "", "long": long} { // written by hand
		hash, err := argon2id.CreateHash(password, cheap())
		if err != nil {
			t.Fatal(err)
		}
		s.exec(s.acme, t, "INSERT INTO auth_user (username, password) VALUES ($1, $2)", name, hash)
	}
	for _, tt := range []struct {
		name, password string
		want           error
	}{
		{"ada", password, nil},
		{"ADA", password, nil},
		{"ada", other, auth.ErrCredentials},
		{"ada", "", auth.ErrCredentials},
		{"ada", long, auth.ErrCredentials},
		{"empty", long, auth.ErrCredentials},
		{"long", long, auth.ErrCredentials},
		{"nobody", password, auth.ErrCredentials},
		{"nobody", long, auth.ErrCredentials},
		{"\x00", password, auth.ErrCredentials},
		{"gone", password, auth.ErrCredentials},
		{"none", "!", auth.ErrCredentials},
		{"none", "", auth.ErrCredentials},
		{"bob", password, auth.ErrCredentials},
	} {
		before := a.Computed()
		_, err := a.Authenticate(s.acme, from("192.0.2.1", tt.name, tt.password))
		if !errors.Is(err, tt.want) || tt.want != nil && err.Error() != tt.want.Error() {
			t.Errorf("%q: %v; want %v", tt.name, err, tt.want)
		}
		if n := a.Computed() - before; n != 1 {
			t.Errorf("%q: %d hashes", tt.name, n)
		}
	}
	if _, err := a.Authenticate(s.acme, auth.Credentials{Username: "ada", Password: password}); err == nil {
		t.Error("without an address")
	}
	if u, err := a.ByUsername(s.acme, "ada"); err != nil || u.LastLogin.IsZero() {
		t.Errorf("last login of %+v, %v", u, err)
	}
}

// Logins at the same time, of which one makes the hash anew, are all let in.
func TestRehashTogether(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	a := s.users(t, auth.Config{})
	old, err := argon2id.CreateHash(password, &argon2id.Params{Memory: 32, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		name := fmt.Sprintf("t%d", i)
		s.exec(s.acme, t, "INSERT INTO auth_user (username, password) VALUES ($1, $2)", name, old)
		var logins sync.WaitGroup
		for range 3 {
			logins.Go(func() {
				if _, err := a.Authenticate(s.acme, from("192.0.2.1", name, password)); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		logins.Wait()
	}
}

// before is a database in which do is called before a login is noted.
type before struct {
	auth.DB
	do func()
}

func (b before) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	if strings.Contains(sql, "SET last_login") {
		b.do()
	}
	return b.DB.QueryRow(ctx, sql, args...)
}

// Who logs in with a password that is changed meanwhile is not let in, and the new one stays.
func TestChangedMeanwhile(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	hash := func(password string, memory uint32) string {
		hash, err := argon2id.CreateHash(password, &argon2id.Params{Memory: memory, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
		if err != nil {
			t.Fatal(err)
		}
		return hash
	}
	changed := hash(other, 64)
	for _, memory := range []uint32{64, 32} { // current, and old
		name := fmt.Sprintf("ada%d", memory)
		s.exec(s.acme, t, "INSERT INTO auth_user (username, password) VALUES ($1, $2)", name, hash(password, memory))
		a, err := auth.New(before{s.DB(), func() {
			s.exec(s.acme, t, "UPDATE auth_user SET password = $2 WHERE username = $1", name, changed)
		}}, &auth.Config{Argon2id: cheap()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Authenticate(s.acme, from("192.0.2.1", name, password)); !errors.Is(err, auth.ErrCredentials) {
			t.Errorf("%s: %v", name, err)
		}
		var kept string
		if err := s.DB().QueryRow(s.acme, "SELECT password FROM auth_user WHERE username = $1", name).Scan(&kept); err != nil || kept != changed {
			t.Errorf("%s: kept %q, %v", name, kept, err)
		}
	}
}

// Nor is who is made inactive meanwhile.
func TestInactiveMeanwhile(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	off := before{s.DB(), func() { s.exec(s.acme, t, "UPDATE auth_user SET is_active = false") }}
	old, err := auth.New(off, &auth.Config{Argon2id: cheap()})
	if err != nil {
		t.Fatal(err)
	}
	params := cheap()
	params.Memory *= 2
	anew, err := auth.New(off, &auth.Config{Argon2id: params})
	if err != nil {
		t.Fatal(err)
	}
	create(s.acme, t, old, auth.CreateParams{Username: "ada"})
	for _, a := range []*auth.Auth{old, anew} {
		s.exec(s.acme, t, "UPDATE auth_user SET is_active = true")
		if _, err := a.Authenticate(s.acme, from("192.0.2.1", "ada", password)); !errors.Is(err, auth.ErrCredentials) {
			t.Error(err)
		}
	}
	if u, err := old.ByUsername(s.acme, "ada"); err != nil || !u.LastLogin.IsZero() {
		t.Errorf("last login of %+v, %v", u, err)
	}
}

// What is longer than a password is not even hashed. It is alone, to see what is allocated.
//
//nolint:paralleltest // see above
func TestOverlongPassword(t *testing.T) {
	s := newSite(t)
	a := s.users(t, auth.Config{})
	create(s.acme, t, a, auth.CreateParams{Username: "ada"})
	long := strings.Repeat("x", 32<<20)
	for _, name := range []string{"ada", "nobody"} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := a.Authenticate(s.acme, from("192.0.2.1", name, long)); !errors.Is(err, auth.ErrCredentials) {
			t.Error(err)
		}
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > uint64(len(long)/2) {
			t.Errorf("%s: %d bytes were allocated", name, n)
		}
	}
}

// Where hashes of several kinds are left, each failure costs what the dearest ones cost,
// whosever name it is.
func TestEvenFailures(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	a := s.users(t, auth.Config{Failures: 1000, AddressFailures: 1000, Where: auth.OwnThenShared})
	argon := func(memory, passes, key uint32) string {
		hash, err := argon2id.CreateHash(password, &argon2id.Params{Memory: memory, Iterations: passes, Parallelism: 1, SaltLength: 16, KeyLength: key})
		if err != nil {
			t.Fatal(err)
		}
		return hash
	}
	key := base64.StdEncoding.EncodeToString(make([]byte, 32))
	hashes := map[string]string{
		"current": argon(64, 1, 32), "key": argon(64, 1, 16), "old": argon(128, 2, 32), "older": argon(32, 1, 32), "django": "argon2" + argon(256, 1, 32), "shared kind": "argon2" + argon(32, 1, 32),
		"few": "pbkdf2_sha256$1000$salt$" + key, "more": "pbkdf2_sha256$3000$salt$" + key, "bad": "pbkdf2_sha256$2000$salt$x",
		"beyond": "pbkdf2_sha256$99999999999$salt$" + key, "huge": "$argon2id$v=19$m=4294967295,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$" + strings.Repeat("A", 43),
		"scrypt": "scrypt$salt$16384$8$1$x", "off": "!pbkdf2_sha256$50000$salt$" + key, "none": "!", "empty": "",
	}
	for name, hash := range hashes {
		s.exec(s.acme, t, "INSERT INTO auth_user (username, password) VALUES ($1, $2)", strings.ReplaceAll(name, " ", "-"), hash)
	}
	s.exec(s.acme, t, "INSERT INTO auth_user (username, password, is_active) VALUES ('gone', $1, false)", argon(128, 2, 32))
	s.exec(s.public, t, "INSERT INTO auth_user (username, password) VALUES ('root', $1)", "pbkdf2_sha256$4000$salt$"+key)
	names := slices.Collect(maps.Keys(hashes))
	for _, name := range append(names, "gone", "root", "nobody", "\x00") {
		typed := other
		if name == "gone" {
			typed = password
		}
		before, beforeOld := a.Computed(), a.ComputedOld()
		if _, err := a.Authenticate(s.acme, from("192.0.2.1", strings.ReplaceAll(name, " ", "-"), typed)); !errors.Is(err, auth.ErrCredentials) {
			t.Errorf("%s: %v", name, err)
		}
		after := a.ComputedOld()
		got := [3]int64{a.Computed() - before, after[0] - beforeOld[0], after[1] - beforeOld[1]}
		if want := [3]int64{1, 2*128 + 32 + 256, 4000}; got != want {
			t.Errorf("%s: computed %v; want %v", name, got, want)
		}
	}
}

// Hashes of Django, and old ones of ours, are made anew at the first login.
func TestRehash(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	a := s.users(t, auth.Config{})
	key, err := pbkdf2.Key(sha256.New, password, []byte("salt"), 1000, 32)
	if err != nil {
		t.Fatal(err)
	}
	old, err := argon2id.CreateHash(password, &argon2id.Params{Memory: 32, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	for i, tt := range []struct {
		hash string
		want bool
	}{
		{"pbkdf2_sha256$1000$salt$" + base64.StdEncoding.EncodeToString(key), true},
		{"argon2" + old, true},
		{old, true},
		{"!" + old, false},
		{"pbkdf2_sha256$0$salt$" + base64.StdEncoding.EncodeToString(key), false},
		{"pbkdf2_sha256$1000$salt$", false},
		{"pbkdf2_sha256$99999999999$salt$" + base64.StdEncoding.EncodeToString(key), false},
		{"$argon2id$v=19$m=4294967295,t=1,p=1$c2FsdHNhbHRzYWx0c2FsdA$" + strings.Repeat("A", 43), false},
		{"$argon2id$v=19$m=64,t=0,p=0$c2FsdHNhbHRzYWx0c2FsdA$" + strings.Repeat("A", 43), false},
		{password, false},
		{"md5$salt$x", false},
		{"", false},
	} {
		name := fmt.Sprintf("u%d", i)
		s.exec(s.acme, t, "INSERT INTO auth_user (username, password) VALUES ($1, $2)", strings.ToUpper(name), tt.hash)
		for range 2 {
			before := a.Computed()
			_, err := a.Authenticate(s.acme, from("192.0.2.1", name, password))
			if tt.want != (err == nil) || !tt.want && !errors.Is(err, auth.ErrCredentials) {
				t.Errorf("%q: %v", tt.hash, err)
			}
			if n := a.Computed() - before; n != 1 {
				t.Errorf("%q: %d hashes", tt.hash, n)
			}
		}
		var kept string
		if err := s.DB().QueryRow(s.acme, "SELECT password FROM auth_user WHERE lower(username) = $1", name).Scan(&kept); err != nil || (kept == tt.hash) == tt.want {
			t.Errorf("%q became %q, %v", tt.hash, kept, err)
		}
	}
}

func TestCanceled(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	a := s.users(t, auth.Config{MaxHashes: 1})
	var wg sync.WaitGroup
	for i := range 20 { // more than the slots
		wg.Go(func() {
			if _, err := a.Authenticate(s.acme, from(fmt.Sprintf("192.0.2.%d", i), "ada", password)); !errors.Is(err, auth.ErrCredentials) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	// The first user of a tenant comes with it or not at all: within a transaction.
	tx, err := s.DB().Begin(s.acme)
	if err != nil {
		t.Fatal(err)
	}
	create(s.acme, t, a.With(tx), auth.CreateParams{Username: "ada"})
	if err := tx.Rollback(s.acme); err != nil {
		t.Fatal(err)
	}
	if _, err := a.ByUsername(s.acme, "ada"); !errors.Is(err, auth.ErrUserNotFound) {
		t.Error(err)
	}
	if _, err := auth.New(s.DB(), &auth.Config{Failures: -1}); err == nil || !strings.Contains(err.Error(), "Config.Failures") {
		t.Error(err)
	}
	if _, err := auth.New(s.DB(), &auth.Config{Argon2id: &argon2id.Params{}}); err == nil || !strings.Contains(err.Error(), "Config.Argon2id") {
		t.Error(err)
	}
}

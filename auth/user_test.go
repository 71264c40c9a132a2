package auth_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/auth"
	"github.com/cotenant/cotenant/tenant"
)

func TestUsers(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	a := s.users(t, auth.Config{})
	u := create(s.acme, t, a, auth.CreateParams{Username: "Admin", Email: "admin@example.com", Staff: true, Superuser: true})
	if u.Username != "admin" || !u.IsActive || !u.IsStaff || !u.IsSuperuser || u.Schema.String() != "acme" || u.DateJoined.IsZero() || !u.LastLogin.IsZero() {
		t.Errorf("created %+v", u)
	}
	for _, name := range []string{"admin", "ADMIN", "Ａdmin"} {
		if _, err := a.Create(s.acme, auth.CreateParams{Username: name, Password: password}); !errors.Is(err, auth.ErrUsernameTaken) {
			t.Errorf("%q again: %v", name, err)
		}
		if found, err := a.ByUsername(s.acme, name); err != nil || found.ID != u.ID {
			t.Errorf("%q: %v, %v", name, found, err)
		}
	}
	if _, err := a.ByUsername(s.globex, "admin"); !errors.Is(err, auth.ErrUserNotFound) {
		t.Errorf("at globex: %v", err)
	}
	if err := a.SetPassword(s.globex, u, other); !errors.Is(err, auth.ErrUserNotFound) {
		t.Errorf("another tenant's user: %v", err)
	}
	for _, do := range []func() error{
		func() error { _, err := a.ByUsername(t.Context(), "admin"); return err },
		func() error { _, err := a.Create(t.Context(), auth.CreateParams{}); return err },
		func() error { _, err := a.Authenticate(t.Context(), auth.Credentials{}); return err },
		func() error { return a.Delete(t.Context(), u) },
		func() error {
			for _, err := range a.All(t.Context()) {
				return err
			}
			return nil
		},
	} {
		if err := do(); !errors.Is(err, tenant.ErrNoTenant) {
			t.Errorf("without a tenant: %v", err)
		}
	}

	create(s.acme, t, a, auth.CreateParams{Username: "bob", NoPassword: true})
	var names []string
	for u, err := range a.All(s.acme) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, u.Username)
	}
	if got := strings.Join(names, " "); got != "admin bob" {
		t.Errorf("all: %s", got)
	}

	u.IsActive, u.FirstName, u.Email = false, "Ada", ""
	if err := a.Update(s.acme, u); err != nil {
		t.Fatal(err)
	}
	if got, err := a.ByUsername(s.acme, "admin"); err != nil || got.IsActive || got.FirstName != "Ada" || got.Email != "" || !got.IsStaff {
		t.Errorf("updated %+v, %v", got, err)
	}
	if u.Email = "a@b@c"; !errors.Is(a.Update(s.acme, u), auth.ErrInvalidEmail) {
		t.Error("an email that is none was taken")
	}
	if err := a.Delete(s.acme, u); err != nil {
		t.Fatal(err)
	}
	if err := a.Delete(s.acme, u); !errors.Is(err, auth.ErrUserNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	errListed := errors.New("it is on a list")
	a := s.users(t, auth.Config{RefusePassword: func(password string) error {
		if strings.Contains(password, "anthem") {
			return errListed
		}
		return nil
	}})
	for _, tt := range []struct {
		name   string
		params auth.CreateParams
		want   error
	}{
		{"no name", auth.CreateParams{Password: password}, auth.ErrInvalidUsername},
		{"control characters", auth.CreateParams{Username: "a\x1bb", Password: password}, auth.ErrInvalidUsername},
		{"a space", auth.CreateParams{Username: "a b", Password: password}, auth.ErrInvalidUsername},
		{"no UTF-8", auth.CreateParams{Username: "a\xff", Password: password}, auth.ErrInvalidUsername},
		{"a long name", auth.CreateParams{Username: strings.Repeat("a", 151), Password: password}, auth.ErrInvalidUsername},
		{"an email", auth.CreateParams{Username: "a", Email: "Ada <a@example.com>", Password: password}, auth.ErrInvalidEmail},
		{"no password", auth.CreateParams{Username: "a"}, auth.ErrPasswordShort},
		{"short", auth.CreateParams{Username: "a", Password: "14 characters."}, auth.ErrPasswordShort},
		{"long", auth.CreateParams{Username: "a", Password: strings.Repeat("long ", 1<<20)}, auth.ErrPasswordLong},
		{"common", auth.CreateParams{Username: "a", Password: "123456789012345"}, auth.ErrPasswordCommon},
		{"repeated", auth.CreateParams{Username: "a", Password: "passwordpassword"}, auth.ErrPasswordCommon},
		{"a word and digits", auth.CreateParams{Username: "a", Password: "Password123456!"}, auth.ErrPasswordCommon},
		{"a sentence of a list", auth.CreateParams{Username: "a", Password: "thisisapassword"}, auth.ErrPasswordCommon},
		{"a sentence apart", auth.CreateParams{Username: "a", Password: "change me please"}, auth.ErrPasswordCommon},
		{"a sentence and digits", auth.CreateParams{Username: "a", Password: "mypasswordis1234"}, auth.ErrPasswordCommon},
		{"dates", auth.CreateParams{Username: "a", Password: "2024-01-01-2024"}, auth.ErrPasswordCommon},
		{"the name", auth.CreateParams{Username: "administrator-of-acme", Password: "Administrator-of-Acme"}, auth.ErrPasswordPersonal},
		{"the email", auth.CreateParams{Username: "a", Email: "somebody@example.com", Password: "somebody@example.com1"}, auth.ErrPasswordPersonal},
		{"a control character", auth.CreateParams{Username: "a", Password: password + "\x00"}, auth.ErrPasswordInvalid},
		{"a password of no UTF-8", auth.CreateParams{Username: "a", Password: password + "\xff"}, auth.ErrPasswordInvalid},
		{"an email with a line", auth.CreateParams{Username: "a", Email: "a@example.com\r\nBcc: b@example.com", Password: password}, auth.ErrInvalidEmail},
		{"a list of ours", auth.CreateParams{Username: "a", Password: "the anthem of acme"}, errListed},
		{"a first name with ESC", auth.CreateParams{Username: "a", FirstName: "A\x1b[31m", Password: password}, auth.ErrInvalidText},
		{"a last name that turns", auth.CreateParams{Username: "a", LastName: "A\u202eb", Password: password}, auth.ErrInvalidText},
		{"a last name with a line", auth.CreateParams{Username: "a", LastName: "A\nb", Password: password}, auth.ErrInvalidText},
		{"a long first name", auth.CreateParams{Username: "a", FirstName: strings.Repeat("é", 151), Password: password}, auth.ErrInvalidText},
		{"a name of no UTF-8", auth.CreateParams{Username: "a", FirstName: "\xff", Password: password}, auth.ErrInvalidText},
		{"an email with ESC", auth.CreateParams{Username: "a", Email: "\"a\x1bb\"@example.com", Password: password}, auth.ErrInvalidEmail},
		{"an email that turns", auth.CreateParams{Username: "a", Email: "a\u202eb@example.com", Password: password}, auth.ErrInvalidEmail},
		{"an email with no width", auth.CreateParams{Username: "a", Email: "b\u200bob@example.com", Password: password}, auth.ErrInvalidEmail},
		{"an email with a joiner", auth.CreateParams{Username: "a", Email: "\u0645\u06cc\u200c\u062e@example.com", Password: password}, auth.ErrInvalidEmail},
		{"an email with a variation", auth.CreateParams{Username: "a", Email: "b\ufe0fob@example.com", Password: password}, auth.ErrInvalidEmail},
		{"an email with a filler", auth.CreateParams{Username: "a", Email: "b\u3164ob@example.com", Password: password}, auth.ErrInvalidEmail},
		{"an email with a space", auth.CreateParams{Username: "a", Email: "b\u00a0ob@example.com", Password: password}, auth.ErrInvalidEmail},
		{"a user name with no width", auth.CreateParams{Username: "b\u200bob", Password: password}, auth.ErrInvalidUsername},
		{"a name with no width", auth.CreateParams{Username: "a", FirstName: "B\u200bob", Password: password}, auth.ErrInvalidText},
		{"a name with U+2028", auth.CreateParams{Username: "a", FirstName: "Bob\u2028x", Password: password}, auth.ErrInvalidText},
		{"a name with U+2029", auth.CreateParams{Username: "a", LastName: "Bob\u2029x", Password: password}, auth.ErrInvalidText},
		{"a name with a soft hyphen", auth.CreateParams{Username: "a", FirstName: "B\u00adob", Password: password}, auth.ErrInvalidText},
		{"a name with tags", auth.CreateParams{Username: "a", FirstName: "Bob\U000e0041", Password: password}, auth.ErrInvalidText},
		{"a name with a filler", auth.CreateParams{Username: "a", FirstName: "\u3164", Password: password}, auth.ErrInvalidText},
		{"a Latin name with a joiner", auth.CreateParams{Username: "a", FirstName: "Jo B\u200dob", Password: password}, auth.ErrInvalidText},
		{"a Latin name with a non-joiner", auth.CreateParams{Username: "a", LastName: "B\u200cob", Password: password}, auth.ErrInvalidText},
		{"a joiner at an end", auth.CreateParams{Username: "a", FirstName: "\u0645\u06cc\u200c", Password: password}, auth.ErrInvalidText},
	} {
		_, err := a.Create(s.acme, tt.params)
		if !errors.Is(err, tt.want) || len(tt.params.Password) > 0 && strings.Contains(err.Error(), tt.params.Password) {
			t.Errorf("%s: %v; want %v", tt.name, err, tt.want)
		}
	}
	for range a.All(s.acme) {
		t.Error("a user was made")
	}
	if a.Computed() != 0 {
		t.Errorf("%d hashes were computed", a.Computed())
	}
	for username, name := range map[string]string{
		"persian": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645 Ada", "hindi": "\u0936\u0930\u094d\u200d\u092e\u093e", "kannada": "\u0cb0\u0ccd\u200c\u0c95",
		"japanese": "\u845b\U000e0100", "spaced": "Ada\u00a0B.",
	} {
		u := create(s.acme, t, a, auth.CreateParams{Username: username, FirstName: name})
		if err := a.Delete(s.acme, u); err != nil {
			t.Fatal(err)
		}
	}
	u := create(s.acme, t, a, auth.CreateParams{Username: "plain", FirstName: "Zoë", LastName: "O'Neill \\ Łoś"})
	for name, err := range map[string]error{
		"update": a.Update(s.acme, &auth.User{ID: u.ID, Schema: u.Schema, FirstName: "a\tb"}), "grant": a.Grant(s.acme, u, "a\x1b"), "join": a.Join(s.acme, u, strings.Repeat("a", 151)),
		"group": a.GrantGroup(s.acme, "a\x00", "b"), "permission": a.GrantGroup(s.acme, "a", strings.Repeat("b", 101)),
	} {
		if !errors.Is(err, auth.ErrInvalidText) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.exec(s.acme, t, "UPDATE auth_user SET email = 'none', first_name = E'a\\tb'") // as others made it
	if u, err := a.ByUsername(s.acme, "plain"); err != nil {
		t.Error(err)
	} else if u.IsActive = false; a.Update(s.acme, u) != nil {
		t.Error("a user that was made elsewhere cannot be made inactive")
	}
	create(s.acme, t, a, auth.CreateParams{Username: "all-kinds", Password: "пароль из пяти слов 🔑🔑"})
}

// A user of public is never found at a tenant unless that is wanted, whatever the search path
// would find.
func TestWhere(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	own, shared, both := s.users(t, auth.Config{}), s.users(t, auth.Config{Where: auth.Shared}), s.users(t, auth.Config{Where: auth.OwnThenShared})
	root := create(s.acme, t, shared, auth.CreateParams{Username: "root", Superuser: true})
	create(s.acme, t, own, auth.CreateParams{Username: "ada"})
	if !root.Schema.IsPublic() {
		t.Errorf("a shared user is in %v", root.Schema)
	}
	for _, tt := range []struct {
		a    *auth.Auth
		name string
		want bool
	}{{own, "root", false}, {own, "ada", true}, {shared, "root", true}, {shared, "ada", false}, {both, "root", true}, {both, "ada", true}} {
		_, err := tt.a.ByUsername(s.acme, tt.name)
		_, err2 := tt.a.Authenticate(s.acme, from("192.0.2.1", tt.name, password))
		if (err == nil) != tt.want || (err2 == nil) != tt.want {
			t.Errorf("%s: %v, %v; want %t", tt.name, err, err2, tt.want)
		}
	}
	if err := own.Update(s.acme, root); !errors.Is(err, auth.ErrUserNotFound) {
		t.Errorf("a user of public by a tenant: %v", err)
	}
	for name, do := range map[string]func(ctx context.Context) error{
		"delete": func(ctx context.Context) error { return both.Delete(ctx, root) },
		"grant":  func(ctx context.Context) error { return both.Grant(ctx, root, "a.b") },
		"join":   func(ctx context.Context) error { return both.Join(ctx, root, "a") },
		"leave":  func(ctx context.Context) error { return both.Leave(ctx, root, "a") },
		"revoke": func(ctx context.Context) error { return both.Revoke(ctx, root, "a.b") },
		"set":    func(ctx context.Context) error { return both.SetPassword(ctx, root, other) },
		"update": func(ctx context.Context) error { return both.Update(ctx, root) },
	} {
		if err := do(s.acme); !errors.Is(err, auth.ErrUserNotFound) || !strings.Contains(err.Error(), "tenant.Public(ctx)") {
			t.Errorf("%s: a user of public by a tenant that has it too: %v", name, err)
		}
	}
	if may, err := both.HasPermission(s.acme, root, "a.b"); !may || err != nil {
		t.Errorf("a superuser of public at a tenant: %t, %v", may, err)
	}
	if err := both.SetPassword(s.public, root, password); err != nil {
		t.Errorf("a user of public by public: %v", err)
	}

	// Bare names would lead to public's tables now.
	s.exec(s.acme, t, "DROP TABLE acme.auth_user CASCADE")
	for _, do := range []func() error{
		func() error { _, err := own.ByUsername(s.acme, "root"); return err },
		func() error { _, err := own.Authenticate(s.acme, from("192.0.2.1", "root", password)); return err },
		func() error {
			_, err := own.Create(s.acme, auth.CreateParams{Username: "eve", Password: password})
			return err
		},
		func() error { _, err := both.ByUsername(s.acme, "root"); return err },
	} {
		if err := do(); !errors.Is(err, auth.ErrNotInstalled) || !strings.Contains(err.Error(), `schema "acme"`) {
			t.Errorf("without the table: %v", err)
		}
	}
	s.exec(s.acme, t, "DROP TABLE acme.auth_attempt")
	if _, err := own.Authenticate(s.acme, from("192.0.2.1", "root", password)); !errors.Is(err, auth.ErrNotInstalled) {
		t.Errorf("without the table of attempts: %v", err)
	}
}

// A session of who was made inactive does not live again with the user, also if it was not
// used meanwhile; a neighbour's stays.
func TestInactiveSessions(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	a := s.users(t, auth.Config{})
	w := newWeb(t, s, a, nil)
	u := create(s.acme, t, a, auth.CreateParams{Username: "ada"})
	create(s.acme, t, a, auth.CreateParams{Username: "bob"})
	ada, bob := w.browser(t), w.browser(t)
	want(t, login(t, ada, "acme", "ada", password), "303 to /")
	want(t, login(t, bob, "acme", "bob", password), "303 to /")
	update := func(active bool) {
		t.Helper()
		u.IsActive = active
		if err := a.Update(s.acme, u); err != nil {
			t.Fatal(err)
		}
	}
	update(true)
	want(t, get(t, ada, "acme", "/"), "200 ada of acme")
	update(false)
	update(true)
	want(t, get(t, ada, "acme", "/"), "200 nobody")
	want(t, get(t, bob, "acme", "/"), "200 bob of acme")
}

// What is sensible is taken, also where shorter passwords are.
func TestCheckPassword(t *testing.T) {
	t.Parallel()

	s := newSite(t)
	for _, tt := range []struct {
		length   int
		password string
		want     error
	}{
		{0, "velvet harbor tuna clock", nil},
		{0, "house water green table", nil},
		{0, "tunnelbriefotterwachs", nil},
		{0, "k3#Vq9zT!m2Lx8w", nil},
		{0, "long " + strings.Repeat("velvet harbor tuna clock ", 20), nil},
		{14, "house green table", nil},
		{14, "Password123456!", auth.ErrPasswordCommon},
		{12, "k3#Vq9zT!m2L", nil},
		{12, "Password1234", auth.ErrPasswordCommon},
		{11, "k3#Vq9zT!m2", nil},
		{8, "k3#Vq9zT", nil},
		{8, "passw0rd", auth.ErrPasswordCommon},
		{8, "12345678", auth.ErrPasswordCommon},
		{1, "k3#Vq9zT", nil},
		{1, "123", auth.ErrPasswordCommon},
	} {
		a := s.users(t, auth.Config{MinPasswordLength: tt.length})
		if err := a.CheckPassword(tt.password, "ada", "ada@example.com"); !errors.Is(err, tt.want) {
			t.Errorf("%d characters, %q: %v; want %v", tt.length, tt.password, err, tt.want)
		}
	}
}

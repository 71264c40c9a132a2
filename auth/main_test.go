package auth_test

import (
	"context"
	"net/netip"
	"testing"

	"github.com/alexedwards/argon2id"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/auth"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

func TestMain(m *testing.M) { testdb.Main(m) }

const (
	password = "quiet lantern orchard"
	other    = "staple of a different kind"
)

// cheap are parameters that do not take the tests' time.
func cheap() *argon2id.Params {
	return &argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32}
}

// site is a tenancy with the app in public and in the tenants acme and globex.
type site struct {
	*cotenant.Tenancy
	acme, globex, public context.Context
	acmeTenant           *tenant.Tenant
}

func newSite(t *testing.T) *site {
	t.Helper()
	tenancy, err := cotenant.Open(t.Context(), &cotenant.Config{
		DatabaseURL: testdb.New(t), SharedApps: []migrate.App{auth.App()}, TenantApps: []migrate.App{auth.App()},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tenancy.Close)
	if err := tenancy.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := &site{Tenancy: tenancy, public: tenant.Public(t.Context())}
	s.acmeTenant = s.create(t, "acme")
	s.acme, s.globex = tenant.NewContext(t.Context(), s.acmeTenant), tenant.NewContext(t.Context(), s.create(t, "globex"))
	return s
}

func (s *site) create(t *testing.T, name string) *tenant.Tenant {
	t.Helper()
	created, err := s.Registry().Create(t.Context(), registry.CreateParams{
		Domains: []tenant.Domain{tenant.MustParseDomain(name + ".example.com")}, Schema: tenant.MustParseSchema(name), ReuseName: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return created
}

// users are the site's, with cheap hashes.
func (s *site) users(t *testing.T, config auth.Config) *auth.Auth {
	t.Helper()
	if config.Argon2id == nil {
		config.Argon2id = cheap()
	}
	a, err := auth.New(s.DB(), &config)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (s *site) exec(ctx context.Context, t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := s.DB().Exec(ctx, sql, args...); err != nil {
		t.Fatal(err)
	}
}

func create(ctx context.Context, t *testing.T, a *auth.Auth, params auth.CreateParams) *auth.User {
	t.Helper()
	if params.Password == "" && !params.NoPassword {
		params.Password = password
	}
	u, err := a.Create(ctx, params)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// from are the credentials of somebody at an address.
func from(address, username, password string) auth.Credentials {
	return auth.Credentials{Address: netip.MustParseAddr(address), Username: username, Password: password}
}

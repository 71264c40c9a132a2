package cotenant_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/pgxtenant"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// changed returns the URL with other parts.
func changed(t *testing.T, address string, change func(*url.URL)) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	change(u)
	return u.String()
}

// Each mistake gets one error of one line that says what, why and the cure.
func TestOpenRefuses(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	poolConfig, err := pgxpool.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	silent := listener.Addr().String() // nobody listens here once it is closed
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	apps := fstest.MapFS{"shop/schema.sql": {Data: []byte("SELECT 1")}, "cotenant_x/schema.sql": {Data: []byte("SELECT 1")}}

	for _, tt := range []struct {
		name   string
		config *cotenant.Config
		want   []string
	}{
		{"nothing", nil, []string{"Config.DatabaseURL", "postgres://"}},
		{"two databases", &cotenant.Config{DatabaseURL: address, Pool: poolConfig}, []string{"both set"}},
		{"no URL", &cotenant.Config{DatabaseURL: "postgres://%zz"}, []string{"Config.DatabaseURL"}},
		{"a password with an @", &cotenant.Config{DatabaseURL: "postgres://postgres:my@s3cret@127.0.0.1:1/x"}, []string{"Config.DatabaseURL", "%40"}},
		{"a password with a /", &cotenant.Config{DatabaseURL: "postgres://postgres:1/s3cret@127.0.0.1:1/x"}, []string{"Config.DatabaseURL", "percent-encoded", "%2F"}},
		{"a password with a / in the other", &cotenant.Config{DatabaseURL: address, DirectURL: "postgres://postgres:1/s3cret@127.0.0.1:1/x"}, []string{"Config.DirectURL", "percent-encoded", "%2F"}},
		{"a password with a space", &cotenant.Config{DatabaseURL: "user=me password=my s3cret host=x"}, []string{"Config.DatabaseURL", "password='…'"}},
		{"an empty pool", &cotenant.Config{Pool: &pgxpool.Config{}}, []string{"Config.Pool is empty"}},
		{"no direct URL", &cotenant.Config{DatabaseURL: address, DirectURL: "postgres://%zz"}, []string{"Config.DirectURL"}},
		{"nobody there", &cotenant.Config{DatabaseURL: changed(t, address, func(u *url.URL) { u.Host = silent })}, []string{silent, "connection refused", "is the server up"}},
		{"no such database", &cotenant.Config{DatabaseURL: changed(t, address, func(u *url.URL) { u.Path = "/nope" })}, []string{`database "nope"`, "3D000", "createdb"}},
		{"a role that is refused", &cotenant.Config{DatabaseURL: changed(t, address, func(u *url.URL) { u.User = url.UserPassword("nobody", "s3cret") })}, []string{`as "nobody"`, "check the user"}},
		{"a missing app", &cotenant.Config{DatabaseURL: address, TenantApps: migrate.Dirs(apps, "shpo")}, []string{`tenant apps: app "shpo"`, "make it"}},
		{"an app of our name", &cotenant.Config{DatabaseURL: address, SharedApps: migrate.Dirs(apps, "cotenant_x")}, []string{"cotenant_x", "rename"}},
		{"a hook twice", &cotenant.Config{DatabaseURL: address, Registry: &registry.Config{Builder: &migrate.Migrator{}}}, []string{"Config.Registry", "Config.OnTenantCreated"}},
		{"a bad setting", &cotenant.Config{DatabaseURL: address, Registry: &registry.Config{CacheSize: -1}}, []string{"CacheSize"}},
	} {
		tenancy, err := cotenant.Open(t.Context(), tt.config)
		if err == nil {
			tenancy.Close()
			t.Errorf("%s: no error", tt.name)
			continue
		}
		for _, want := range append(tt.want, "cotenant: ") {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v; want %q", tt.name, err, want)
			}
		}
		if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: more than a line, or a password: %v", tt.name, err)
		}
	}
}

func TestOpenRefusesPooler(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	pooled := testdb.PgBouncer(t, address, "transaction")
	transaction := &pgxtenant.Config{Mode: pgxtenant.Transaction}
	for _, tt := range []struct {
		config        cotenant.Config
		setting, cure string
	}{
		{cotenant.Config{DatabaseURL: pooled}, "Config.DatabaseURL, ", "(set Config.DB to &pgxtenant.Config{Mode: pgxtenant.Transaction}, and Config.DirectURL to the server itself)"},
		{cotenant.Config{DatabaseURL: pooled, DirectURL: address}, "Config.DatabaseURL, ", "(set Config.DB to &pgxtenant.Config{Mode: pgxtenant.Transaction})"},
		{cotenant.Config{DatabaseURL: pooled, DB: transaction}, "Config.DatabaseURL, ", "(set Config.DirectURL to the server itself)"},
		{cotenant.Config{DatabaseURL: address, DirectURL: pooled}, "Config.DirectURL, ", "(set it to the server itself)"},
		{cotenant.Config{DatabaseURL: pooled, DirectURL: pooled, DB: transaction}, "Config.DirectURL, ", "(set it to the server itself)"},
	} {
		tenancy, err := cotenant.Open(t.Context(), &tt.config)
		if err == nil {
			tenancy.Close()
		}
		if !errors.Is(err, pgxtenant.ErrPooler) || !strings.Contains(err.Error(), "which pools transactions") ||
			!strings.Contains(err.Error(), tt.setting) || !strings.HasSuffix(err.Error(), tt.cure) {
			t.Errorf("behind PgBouncer: %v; want %s… %s", err, tt.setting, tt.cure)
		}
	}
	statements := testdb.PgBouncer(t, address, "statement")
	tenancy, err := cotenant.Open(t.Context(), &cotenant.Config{
		DatabaseURL: statements, DirectURL: address, DB: &pgxtenant.Config{Mode: pgxtenant.Transaction},
	})
	if err == nil {
		tenancy.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "pool_mode = transaction") {
		t.Errorf("behind PgBouncer that pools statements: %v", err)
	}
}

// Both settings name one database.
func TestOpenRefusesTwoDatabases(t *testing.T) {
	t.Parallel()

	tenancy, err := cotenant.Open(t.Context(), &cotenant.Config{DatabaseURL: testdb.New(t), DirectURL: testdb.New(t)})
	if err == nil {
		tenancy.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "Config.DatabaseURL and Config.DirectURL lead to different databases") {
		t.Errorf("%v", err)
	}
}

// Open changes nothing.
func TestOpenChangesNothing(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	tenancy, err := cotenant.Open(t.Context(), &cotenant.Config{DatabaseURL: address})
	if err != nil {
		t.Fatal(err)
	}
	tenancy.Close()
	tenancy.Close() // again is harmless
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var objects int
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_class WHERE oid >= 16384").Scan(&objects); err != nil || objects != 0 {
		t.Errorf("%d objects made, %v", objects, err)
	}
}

// A role that may not create schemas can neither migrate nor create tenants, is
// told so, and leaves nothing.
func TestRoleWithoutPrivileges(t *testing.T) {
	t.Parallel()

	address := testdb.New(t)
	role := testdb.Role(t, address)
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	// Before PostgreSQL 15 everybody may create in public.
	if _, err := conn.Exec(t.Context(), "REVOKE CREATE ON SCHEMA public FROM PUBLIC"); err != nil {
		t.Fatal(err)
	}
	tenancy, err := cotenant.Open(t.Context(), &cotenant.Config{DatabaseURL: role})
	if err != nil {
		t.Fatal(err)
	}
	defer tenancy.Close()
	if err := tenancy.Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), "GRANT CREATE ON SCHEMA \"public\"") || strings.Count(err.Error(), "\n") > 1 {
		t.Errorf("Migrate: %v", err)
	}

	owner, err := cotenant.Open(t.Context(), &cotenant.Config{DatabaseURL: address})
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	if err := owner.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(role)
	if err != nil {
		t.Fatal(err)
	}
	name := pgx.Identifier{u.User.Username()}.Sanitize()
	if _, err := conn.Exec(t.Context(), fmt.Sprintf("REVOKE CREATE ON DATABASE "+pgx.Identifier{conn.Config().Database}.Sanitize()+" FROM %[1]s; GRANT USAGE ON SCHEMA cotenant TO %[1]s; GRANT ALL ON ALL TABLES IN SCHEMA cotenant TO %[1]s", name)); err != nil {
		t.Fatal(err)
	}
	_, err = tenancy.Registry().Create(t.Context(), registry.CreateParams{Schema: tenant.MustParseSchema("acme")})
	if err == nil || !strings.Contains(err.Error(), "GRANT CREATE ON DATABASE") {
		t.Errorf("Create: %v", err)
	}
	var rows int
	if err := conn.QueryRow(t.Context(), "SELECT count(*) FROM cotenant.tenants").Scan(&rows); err != nil || rows != 0 {
		t.Errorf("%d rows, %v", rows, err)
	}
}

// Passwords that a hook supplies are used for every connection: the pools', those
// of cotenant itself, and the one that listens.
func TestBeforeConnect(t *testing.T) {
	t.Parallel()

	config, err := pgxpool.ParseConfig(testdb.New(t))
	if err != nil {
		t.Fatal(err)
	}
	password := config.ConnConfig.Password
	config.ConnConfig.Password = "expired"
	config.BeforeConnect = func(_ context.Context, c *pgx.ConnConfig) error {
		c.Password = password
		return nil
	}
	log := make(chan string, 100)
	tenancy, err := cotenant.Open(t.Context(), &cotenant.Config{Pool: config, Logger: slog.New(warnings{messages: log})})
	if err != nil {
		t.Fatal(err)
	}
	defer tenancy.Close()
	if err := tenancy.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := tenancy.DB().Ping(tenant.Public(t.Context())); err != nil {
		t.Error(err)
	}
	select {
	case message := <-log:
		t.Errorf("logged: %s", message)
	default:
	}
}

// warnings is a slog.Handler that passes on what is serious.
type warnings struct {
	slog.Handler
	messages chan<- string
}

func (w warnings) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

func (w warnings) Handle(_ context.Context, r slog.Record) error {
	w.messages <- r.Message
	return nil
}

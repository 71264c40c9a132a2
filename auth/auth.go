package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/tenant"
)

// DB is what Auth needs of a database. A *pgxtenant.DB has it, and so has a pgx.Tx.
type DB interface {
	Begin(ctx context.Context) (pgx.Tx, error)
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Where says in which schema the users of a tenant are looked for.
type Where int

// The places. Own is the tenant's own schema, and nothing else. Shared is public: every
// user of it is a user of every tenant, with the same password and flags. OwnThenShared is
// the tenant's and, for a name that is not there, public's; new users are the tenant's, and
// only those are changed in its context: users of public are changed with tenant.Public(ctx).
const (
	Own Where = iota
	Shared
	OwnThenShared
)

// Config has the settings of Auth. Nil and the zero value mean the defaults.
type Config struct {
	// AddressFailures is how many failed attempts one client address may make, over all
	// user names, before it has to wait between them. Defaults to 50.
	AddressFailures int
	// Argon2id are the parameters of new hashes; Memory is in KiB. Hashes made with
	// others are made anew at the next login. Defaults to 19 MiB, two passes, one
	// thread (OWASP Password Storage Cheat Sheet, "Argon2id").
	Argon2id *argon2id.Params
	// Failures is how many failed attempts a client address may make for one user name
	// before it has to wait: a second, then twice as long after each further one, up to
	// MaxDelay. Defaults to 5.
	Failures int
	// MaxDelay is the longest wait between two attempts. Defaults to 15 minutes.
	MaxDelay time.Duration
	// MaxHashes is how many hashes are computed at a time; others wait, under their
	// ctx. Each takes the memory that Argon2id says. Defaults to 4.
	MaxHashes int
	// MinPasswordLength is the least number of characters of a new password. Defaults
	// to 15, as where the password is the only factor (NIST SP 800-63B-4, 3.1.1.2);
	// with a second factor, 8 is enough. Less is asked of shorter ones; see CheckPassword.
	MinPasswordLength int
	// RefusePassword returns why a new password that is good otherwise is refused, in words
	// for who chose it: it is on a list of yours, or among those that leaked (Have I Been
	// Pwned). It is called from several goroutines. Defaults to nothing.
	RefusePassword func(password string) error
	// Where users are looked for. Defaults to Own.
	Where Where
}

func (c *Config) withDefaults() (Config, error) {
	var r Config
	if c != nil {
		r = *c
	}
	for name, n := range map[string]*int{"AddressFailures": &r.AddressFailures, "Failures": &r.Failures, "MaxHashes": &r.MaxHashes, "MinPasswordLength": &r.MinPasswordLength} {
		if *n < 0 {
			return r, fmt.Errorf("%s is %d (leave it out, or give it 1 or more)", "Config."+name, *n)
		}
		if *n == 0 {
			*n = map[string]int{"AddressFailures": 50, "Failures": 5, "MaxHashes": 4, "MinPasswordLength": 15}[name]
		}
	}
	switch {
	case r.MaxDelay < 0:
		return r, fmt.Errorf("Config.MaxDelay is %v (leave it out, or give it more than 0)", r.MaxDelay)
	case r.MaxDelay == 0:
		r.MaxDelay = 15 * time.Minute
	}
	if r.MinPasswordLength > maxPasswordLength {
		return r, fmt.Errorf("Config.MinPasswordLength is %d (passwords have at most %d bytes)", r.MinPasswordLength, maxPasswordLength)
	}
	if r.Where < Own || r.Where > OwnThenShared {
		return r, fmt.Errorf("Config.Where is %d (use Own, Shared or OwnThenShared)", r.Where)
	}
	if r.Argon2id == nil {
		r.Argon2id = &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}
	}
	p := *r.Argon2id // the caller may change his
	if p.Memory < 8 || p.Memory > maxMemory || p.Iterations < 1 || p.Parallelism < 1 || p.SaltLength < 8 || p.SaltLength > 64 || p.KeyLength < 16 || p.KeyLength > 64 {
		return r, fmt.Errorf("Config.Argon2id: %+v is no set of parameters (give it 8 to %d KiB of memory, 1 or more passes and threads, salts of 8 to 64 bytes, keys of 16 to 64)", p, maxMemory)
	}
	r.Argon2id = &p
	return r, nil
}

// Auth is the users of every tenant: each call is about those of the tenant in its
// context. It is safe for concurrent use.
type Auth struct {
	db     DB
	config Config
	hasher *hasher
}

// ErrNotInstalled says that the schema has no tables of the app.
var ErrNotInstalled = errors.New("the tables of the app auth are not there")

// New returns the users in db, a *pgxtenant.DB. The error says which setting is wrong.
func New(db DB, config *Config) (*Auth, error) {
	c, err := config.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	if db == nil {
		return nil, errors.New("auth: there is no database (give it Tenancy.DB())")
	}
	return &Auth{db: db, config: c, hasher: newHasher(&c)}, nil
}

// With returns the same users within tx, which stays the caller's to end: in
// OnTenantCreated, the first user of a tenant together with the tenant. It is not for
// Authenticate: failures would be counted only once tx is committed, and not at all if it is
// rolled back.
func (a *Auth) With(tx pgx.Tx) *Auth { return &Auth{tx, a.config, a.hasher} }

// home is the schema in which sessions, attempts and new users of the tenant in ctx are.
func (a *Auth) home(ctx context.Context) (tenant.Schema, error) {
	t, err := tenant.FromContext(ctx)
	if err != nil {
		return tenant.Schema{}, err
	}
	if a.config.Where == Shared {
		return tenant.PublicSchema(), nil
	}
	return t.Schema, nil
}

// schemas are those in which users of the tenant in ctx are looked for, in that order.
func (a *Auth) schemas(ctx context.Context) ([]tenant.Schema, error) {
	home, err := a.home(ctx)
	if err != nil || home.IsPublic() || a.config.Where != OwnThenShared {
		return []tenant.Schema{home}, err
	}
	return []tenant.Schema{home, tenant.PublicSchema()}, nil
}

// table names a table of a schema. A bare name would be looked for in public, too.
func table(schema tenant.Schema, name string) string { return searchpath.Qualify(schema, name) }

// missing says of err, if it is about a table that is not there, what to do.
func missing(schema tenant.Schema, err error) error {
	if dberr.Code(err) != dberr.UndefinedTable {
		return err
	}
	list := "TenantApps"
	if schema.IsPublic() {
		list = "SharedApps"
	}
	return fmt.Errorf("schema %q: %w (put the app auth into %s, and migrate)", schema, ErrNotInstalled, list)
}

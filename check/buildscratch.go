package check

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/internal/catalog"
	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/internal/searchpath"
)

// scratchPrefix begins the names of all databases and roles that are made to build in.
const scratchPrefix = "cotenant_check_"

// cleanupTimeout bounds what is done after the caller has given up.
const cleanupTimeout = 30 * time.Second

// scratch makes databases to build in, beside the one that pool leads to, and takes them
// away again. They are databases, and not schemas of that one, so that shared apps find a
// public of their own, extensions and indexes can be made as in production, and whatever
// a file does to its database is done to one that is dropped. It is safe for concurrent
// use.
type scratch struct {
	pool    *pgxpool.Pool
	logger  *slog.Logger
	stem    string // of the names
	options string // of CREATE DATABASE

	mu   sync.Mutex
	made map[string]*database // by name; nil if it cannot be used
}

// database is one that was made to build in.
type database struct {
	name string
	pool *pgxpool.Pool
	// reader is for the catalog and for rows. Runs leave nothing of the session on
	// connections of the pool.
	reader *pgx.Conn
}

// disconnect closes the connections.
func (d *database) disconnect(ctx context.Context) {
	if d.reader != nil {
		_ = d.reader.Close(ctx)
	}
	d.pool.Close()
}

// newScratch looks at the server, and drops what a crash has left there.
func newScratch(ctx context.Context, pool *pgxpool.Pool, template string, logger *slog.Logger) (*scratch, error) {
	s := &scratch{pool: pool, logger: logger, made: map[string]*database{}}
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, dberr.Connect(pool.Config().ConnConfig, err)
	}
	defer conn.Release()
	var now time.Time
	if err := conn.QueryRow(ctx, "SELECT pg_catalog.now()").Scan(&now); err != nil {
		return nil, fmt.Errorf("look at the server: %w", err)
	}
	s.stem = scratchPrefix + now.UTC().Format(stampForm) + "_" + strings.ToLower(rand.Text()[:8])
	if s.options, err = createOptions(ctx, conn, template); err != nil {
		return nil, fmt.Errorf("look at the database: %w", err)
	}
	return s, s.dropLeftovers(ctx, conn, now)
}

// createOptions has a new database be as the one of the connection, and empty; or as its
// template is.
func createOptions(ctx context.Context, conn *pgxpool.Conn, template string) (string, error) {
	if template != "" {
		return " TEMPLATE " + pgx.Identifier{template}.Sanitize(), nil
	}
	var encoding, collate, ctype, provider, locale, rules string
	// Which columns there are depends on the version.
	err := conn.QueryRow(ctx, `SELECT pg_catalog.pg_encoding_to_char(d.encoding), d.datcollate, d.datctype, coalesce(j ->> 'datlocprovider', 'c'),
			coalesce(j ->> 'datlocale', j ->> 'daticulocale', ''), coalesce(j ->> 'daticurules', '')
		FROM pg_catalog.pg_database AS d, pg_catalog.to_jsonb(d) AS j WHERE d.datname = pg_catalog.current_database()`).
		Scan(&encoding, &collate, &ctype, &provider, &locale, &rules)
	if err != nil {
		return "", err
	}
	options := " TEMPLATE template0 ENCODING " + searchpath.Literal(encoding) + " LC_COLLATE " + searchpath.Literal(collate) + " LC_CTYPE " + searchpath.Literal(ctype)
	switch provider {
	case "i":
		options += " LOCALE_PROVIDER icu ICU_LOCALE " + searchpath.Literal(locale)
	case "b":
		options += " LOCALE_PROVIDER builtin BUILTIN_LOCALE " + searchpath.Literal(locale)
	}
	if rules != "" {
		options += " ICU_RULES " + searchpath.Literal(rules)
	}
	return options, nil
}

// database makes a database and connects to it. Each name is for one.
func (s *scratch) database(ctx context.Context, name string) (*database, error) {
	name = s.stem + "_" + name
	s.mu.Lock()
	s.made[name] = nil // it may be there, whatever comes of the statement
	s.mu.Unlock()
	// One that is interrupted could be there a moment after it was looked for.
	lasting, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	if _, err := s.pool.Exec(lasting, "CREATE DATABASE "+name+s.options, pgx.QueryExecModeSimpleProtocol); err != nil {
		return nil, s.explain(lasting, err)
	}
	config := s.pool.Config()
	config.ConnConfig.Database = name
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec // runs end with DISCARD ALL
	config.MaxConns, config.MinConns, config.MinIdleConns = scratchConns, 0, 0
	config.PrepareConn, config.AfterRelease = nil, nil
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("database %q: %w", name, err)
	}
	d := &database{name: name, pool: pool}
	s.mu.Lock()
	s.made[name] = d
	s.mu.Unlock()
	if d.reader, err = newReader(ctx, config); err != nil {
		return nil, fmt.Errorf("%w: it was made a moment ago (does the URL lead to a pooler? name the server itself)", err)
	}
	return d, nil
}

// newReader connects to a database. The query of the catalog is planned once.
func newReader(ctx context.Context, config *pgxpool.Config) (*pgx.Conn, error) {
	cc := config.ConnConfig.Copy()
	if config.BeforeConnect != nil { // passwords that are made for the moment
		if err := config.BeforeConnect(ctx, cc); err != nil {
			return nil, err
		}
	}
	conn, err := pgx.ConnectConfig(ctx, cc)
	if err != nil {
		return nil, dberr.Connect(cc, err)
	}
	if _, err := conn.Exec(ctx, "SET plan_cache_mode = force_generic_plan"); err != nil {
		_ = conn.Close(ctx)
		return nil, err
	}
	return conn, pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return catalog.Prepare(ctx, tx) })
}

// scratchConns is what a fleet needs.
const scratchConns = 4

// ErrMayNotBuild says that the login may not create databases.
var ErrMayNotBuild = errors.New("the login may not create databases, and what the files build is looked at in some of its own")

// explain says of a database that was not made what is to be done.
func (s *scratch) explain(ctx context.Context, err error) error {
	switch dberr.Code(err) {
	case dberr.InsufficientPrivilege:
		login := s.pool.Config().ConnConfig.User
		_ = s.pool.QueryRow(ctx, "SELECT current_user").Scan(&login)
		return fmt.Errorf("login %q: %w: %w (let an administrator: ALTER ROLE %s CREATEDB; or name another server for this: check_url)",
			login, ErrMayNotBuild, err, pgx.Identifier{login}.Sanitize())
	case dberr.InvalidCatalogName:
		return fmt.Errorf("create a database to build in: %w (create the template, or correct its name)", err)
	}
	return fmt.Errorf("create a database to build in: %w", err)
}

// drop drops a database that was made.
func (s *scratch) drop(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	s.mu.Lock()
	d := s.made[name]
	delete(s.made, name)
	s.mu.Unlock()
	if d != nil {
		d.disconnect(ctx)
	}
	if _, err := s.pool.Exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)", pgx.QueryExecModeSimpleProtocol); err != nil {
		return fmt.Errorf("database %q is left: %w (DROP DATABASE %[1]s)", name, err)
	}
	return nil
}

// close drops all databases that are left, also where ctx has ended.
func (s *scratch) close(ctx context.Context) error {
	s.mu.Lock()
	names := slices.Collect(maps.Keys(s.made))
	s.mu.Unlock()
	var errs []error
	for _, name := range names {
		errs = append(errs, s.drop(ctx, name))
	}
	return errors.Join(errs...)
}

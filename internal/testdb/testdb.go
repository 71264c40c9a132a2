// Package testdb gives each test a PostgreSQL database of its own.
//
// The server runs from the directory that COTENANT_TEST_POSTGRES names, if that is
// set: one with postgres and initdb, of another version than the system's. Else it
// is DATABASE_URL's if that is set. There, only databases and roles named
// cotenant_test_… are touched: those made here. Otherwise a server of package devpg
// is started when the first test asks for a database, one for each test binary; it
// ends with the test binary, however that ends.
package testdb

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"

	"github.com/cotenant/cotenant/internal/devpg"
)

// timeout is for what takes a second on an idle machine.
const timeout = 2 * time.Minute

// postgresEnv names a directory with the programs of the server to test on, such as
// the one that "make pg18" fills.
const postgresEnv = "COTENANT_TEST_POSTGRES"

// namePrefix starts the names of all that we make on a server.
const namePrefix = "cotenant_test_"

// shared is the server of this test binary.
var shared struct {
	sync.Mutex
	server *devpg.Server
	err    error
	ours   bool                // started here, not DATABASE_URL's
	roles  map[string][]string // by database: those to drop after it
}

// server returns the server of this test binary and starts it if need be.
func server() (*devpg.Server, error) {
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil && shared.err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		shared.ours = os.Getenv(postgresEnv) != "" || os.Getenv("DATABASE_URL") == ""
		shared.server, shared.err = devpg.Start(ctx, &devpg.Options{
			BinDir:   os.Getenv(postgresEnv),
			Fast:     true,
			Settings: map[string]string{"max_connections": "200"},
		})
	}
	return shared.server, shared.err
}

// Main runs the tests and exits: it is the body of TestMain. If they pass,
// goroutines that are left over, except those that ignore describes, fail the run.
func Main(m *testing.M, ignore ...goleak.Option) {
	end(m.Run(), ignore...)
}

// end stops the server, if there is one, looks at what is left over, and exits.
func end(code int, ignore ...goleak.Option) {
	shared.Lock()
	if shared.server != nil {
		if err := shared.server.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, "testdb:", err)
			code = max(code, 1)
		}
	}
	if code == 0 {
		if err := goleak.Find(ignore...); err != nil {
			fmt.Fprintln(os.Stderr, "testdb:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// New returns the URL of a fresh, empty database. When the test ends, it is
// dropped, with whatever is still connected to it. New is safe for concurrent use,
// so for parallel tests.
func New(tb testing.TB) string {
	tb.Helper()
	s, err := server()
	if err != nil {
		tb.Fatalf("testdb: %v", err)
	}
	name, address, err := create(s)
	if err != nil {
		tb.Fatalf("testdb: %v", err)
	}
	tb.Cleanup(func() {
		if err := drop(s, name); err != nil {
			tb.Errorf("testdb: drop database: %v", err)
		}
	})
	return address
}

// create makes a fresh, empty database and returns its name and URL.
func create(s *devpg.Server) (name, address string, err error) {
	name = randomName()
	address, err = withDatabase(s.URL(), name)
	if err != nil {
		return "", "", fmt.Errorf("DATABASE_URL: %w", err)
	}
	if err := execute(s.URL(), "CREATE DATABASE "+name+createOptions(s)); err != nil {
		return "", "", fmt.Errorf("create database: %w", err)
	}
	return name, address, nil
}

// createOptions returns how to make a database quickly.
func createOptions(s *devpg.Server) string {
	// Nobody can connect to template0, so databases can be made from it in parallel.
	options := " TEMPLATE template0"
	if shared.ours && !strings.HasPrefix(s.Version(), "14") {
		options += " STRATEGY file_copy" // without fsync twice as fast as the default, which 14 does not have
	}
	return options
}

// drop drops the database and then its roles, which own nothing any more.
func drop(s *devpg.Server, database string) error {
	shared.Lock()
	statements := []string{"DROP DATABASE IF EXISTS " + database + " WITH (FORCE)"}
	for _, role := range shared.roles[database] {
		statements = append(statements, "DROP ROLE IF EXISTS "+role)
	}
	delete(shared.roles, database)
	shared.Unlock()
	return execute(s.URL(), statements...)
}

// randomName returns the name of a database or role that nobody else has; it needs
// no quoting.
func randomName() string {
	return namePrefix + strings.ToLower(rand.Text())
}

// execute runs statements, one after the other, on a connection of its own.
func execute(address string, statements ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

// withDatabase returns address, a URL or a keyword/value string, with another database.
func withDatabase(address, name string) (string, error) {
	if !strings.Contains(address, "://") {
		return address + " dbname=" + name, nil // the last one counts
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	u.Path, u.RawPath = "/"+name, ""
	query := u.Query()
	query.Del("dbname") // would count more than the path
	query.Del("database")
	u.RawQuery = query.Encode()
	return u.String(), nil
}

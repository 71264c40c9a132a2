// Package devpg provides a PostgreSQL server to people who have none running: for
// "cotenant demo" and for our tests. It is no part of what an application imports.
//
// [Start] takes the first of these:
//
//  1. BinDir, if given: a server of those binaries.
//  2. DATABASE_URL, if set: the server it names, used as it is and never stopped.
//  3. Server binaries on PATH or where the usual packages put them, the newest first, PostgreSQL 14 or later.
//  4. Binaries that fergusstrange/embedded-postgres downloads, once, into the user's cache.
//
// A server that Start starts listens on loopback only, under a random password, as
// an ordinary user even when we are root. It ends with Stop, or when the process
// that started it is gone for whatever reason, SIGKILL included; a directory that
// was not asked for goes with it.
package devpg

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/dberr"
)

// Options says which server to start and how. The zero value is a temporary server
// with PostgreSQL's own settings.
type Options struct {
	// BinDir is the directory of the binaries (postgres, initdb) to use,
	// whatever DATABASE_URL says. Defaults to the search that the package
	// comment describes.
	BinDir string

	// Dir is a directory to keep the data in between runs, made if it is
	// missing; see [KeptDir]. One process at a time may use it. It is of no
	// effect where DATABASE_URL is used. Defaults to a temporary directory that
	// is removed by Stop.
	Dir string

	// Fast turns off fsync, synchronous_commit and full_page_writes: for tests,
	// and for data that need not outlive a crash of the machine.
	Fast bool

	// Logger is told what takes long, such as a download. Defaults to none.
	Logger *slog.Logger

	// Settings are server settings by name, such as "max_connections": "200".
	// Those that decide who can reach the server cannot be given.
	Settings map[string]string

	hooks hooks
}

// hooks are for tests: they stand in for what a test cannot arrange from outside.
type hooks struct {
	repository string          // URL of the repository to download from, the library's own if empty
	search     func() []string // directories to look for binaries in
	cache      string          // directory of downloads
	shell      string          // runs the supervisor
	portChosen func(port int)  // called between the choice of a port and the start
}

// Server is a PostgreSQL server to connect to. Its methods are safe for concurrent use.
type Server struct {
	url     string
	version string
	source  string
	stop    func() error
}

// URL returns the address of the database "postgres" as a superuser of ours, or
// DATABASE_URL as it is.
func (s *Server) URL() string { return s.url }

// Version returns the version of the server as it gives it itself, such as "15.18"
// or "18beta1".
func (s *Server) Version() string { return s.version }

// Source says in words which server it is: "PostgreSQL 15.18 from
// /usr/lib/postgresql/15/bin".
func (s *Server) Source() string { return s.source }

// Stop ends the server and returns when all its processes are gone, and its
// directory too unless it was to be kept. It waits for no client. Later calls
// return what the first returned. A server that was there before us is left alone.
func (s *Server) Stop() error { return s.stop() }

// Start finds or starts a server and returns once it answers. If ctx ends before
// that, or anything else fails, nothing that was started is left. Once Start has
// returned, ctx no longer matters. A nil opts means the defaults.
func Start(ctx context.Context, opts *Options) (*Server, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if err := validateSettings(o.Settings); err != nil {
		return nil, err
	}
	if address := os.Getenv("DATABASE_URL"); address != "" && o.BinDir == "" {
		return useExisting(ctx, address)
	}
	return startLocal(ctx, &o)
}

// useExisting returns the server at address, which is not ours to stop.
func useExisting(ctx context.Context, address string) (*Server, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	config, err := pgx.ParseConfig(address)
	if err != nil || dberr.Misread(address, config.Host) {
		return nil, dberr.Parse("DATABASE_URL")
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w; without DATABASE_URL a server is started for you", dberr.Connect(config, err))
	}
	version, _, _ := strings.Cut(conn.PgConn().ParameterStatus("server_version"), " ")
	if err := conn.Close(ctx); err != nil {
		return nil, fmt.Errorf("server of DATABASE_URL: close connection: %w", err)
	}
	return &Server{
		url:     address,
		version: version,
		source:  fmt.Sprintf("PostgreSQL %s of DATABASE_URL", version),
		stop:    func() error { return nil },
	}, nil
}

var settingName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)

// validateSettings refuses what would let others reach the server, or keep us from
// reaching it.
func validateSettings(settings map[string]string) error {
	for name := range settings {
		switch strings.ToLower(name) { // as PostgreSQL reads them
		case "config_file", "data_directory", "external_pid_file", "hba_file", "ident_file", "listen_addresses", "logging_collector", "log_destination", "port",
			"unix_socket_directories":
			return fmt.Errorf("setting %q: it is devpg's own (remove it from Settings)", name)
		}
		if !settingName.MatchString(name) {
			return fmt.Errorf("setting %q: not the name of a server setting", name)
		}
	}
	return nil
}

// serverURL returns the address of a server of ours.
func serverURL(port int, password string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword("postgres", password),
		Host:     fmt.Sprintf("127.0.0.1:%d", port),
		Path:     "/postgres",
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

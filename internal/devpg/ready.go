//go:build linux || darwin || freebsd

package devpg

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// ready returns when the server answers at address, or why it does not.
func (s *supervisor) ready(ctx context.Context, address string) error {
	const limit = 2 * time.Minute // crash recovery of kept data takes its time
	timeout := time.NewTimer(limit)
	defer timeout.Stop()
	pings, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-s.ended: // somebody else's port: there may be no answer to a ping at all
			cancel()
		case <-pings.Done():
		}
	}()
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		err := ping(pings, address)
		if err == nil {
			return nil
		}
		var refusal *pgconn.PgError
		if errors.As(err, &refusal) && refusal.Code == "28P01" && postmasterLine(s.top, 8) == "ready" {
			return fmt.Errorf("data directory %s: the user postgres no longer has the password of facts.json (put the new one there)", filepath.Dir(s.top))
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return fmt.Errorf("start PostgreSQL: %w", context.Cause(ctx))
		case <-s.ended:
			return s.failure()
		case <-timeout.C:
			return fmt.Errorf("start PostgreSQL: no connection after %v: %w; its log ends:\n%s", limit, err, s.log.lines(10))
		}
	}
}

// failure says why the server ended by itself.
func (s *supervisor) failure() error {
	text := s.log.lines(20)
	if strings.Contains(text, "could not create any TCP/IP sockets") && strings.Contains(text, "Address already in use") {
		return errPortTaken
	}
	if strings.Contains(text, `lock file "postmaster.pid" already exists`) {
		pid, path := postmaster(s.top), filepath.Join(s.top, "data", "postmaster.pid")
		return fmt.Errorf("data directory %s: process %d seems to be a server that runs on it (kill -INT %[2]d; if it is something else, remove %s)",
			filepath.Dir(s.top), pid, path)
	}
	return fmt.Errorf("start PostgreSQL: it ended; its log ends:\n%s", s.log.lines(10))
}

// ping connects to the server at address and leaves again.
func ping(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

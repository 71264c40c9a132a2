//go:build linux || darwin || freebsd

package devpg

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
)

// errPortTaken says that somebody else got the port after we had found it free.
var errPortTaken = errors.New("somebody took the port that was free a moment ago")

// place is where a server lives: a temporary directory or a kept one.
type place struct {
	base string // of temporary directories
	kept *kept  // or nil
}

// startLocal starts a server of ours.
func startLocal(ctx context.Context, o *Options) (*Server, error) {
	a, err := serverAccount()
	if err != nil {
		return nil, err
	}
	var p place
	if o.Dir == "" {
		if p.base, err = temporaryBase(a); err != nil {
			return nil, err
		}
		sweep(p.base, a)
	} else if p.kept, err = openKept(ctx, o.Dir, a); err != nil {
		return nil, err
	}
	s, err := startIn(ctx, o, a, &p)
	if err != nil && p.kept != nil {
		err = errors.Join(err, p.kept.close())
	}
	return s, err
}

// startIn starts a server at the place.
func startIn(ctx context.Context, o *Options, a *account, p *place) (*Server, error) {
	major := 0
	if p.kept != nil {
		var err error
		if major, err = p.kept.major(); err != nil {
			return nil, err
		}
	}
	bin, err := chooseBinaries(ctx, o, a, major)
	if err != nil {
		return nil, err
	}
	if major != 0 && bin.major != major {
		return nil, fmt.Errorf("data directory %s: made by PostgreSQL %d, and here is only %s (install PostgreSQL %[2]d, or remove the directory to start anew)",
			p.kept.dir, major, bin)
	}
	if p.kept != nil {
		p.kept.settle(ctx)
	}
	const attempts = 10
	for n := range attempts {
		var s *Server
		s, err = launch(ctx, o, a, p, bin, n == 0)
		if !errors.Is(err, errPortTaken) {
			return s, err
		}
	}
	return nil, fmt.Errorf("start PostgreSQL: %d times, %w", attempts, err)
}

// launch starts a server on a port that is free: the last one of kept data, if samePort.
func launch(ctx context.Context, o *Options, a *account, p *place, bin *binaries, samePort bool) (*Server, error) {
	j := job{account: a, bin: bin.dir, shell: o.hooks.shell}
	port := 0
	if p.kept == nil {
		j.top, j.temporary, j.password = filepath.Join(p.base, temporaryPrefix+rand.Text()), true, rand.Text()
	} else {
		j.top, j.lock, j.password = p.kept.top(), p.kept.lock, p.kept.facts.Password
		if samePort {
			port = p.kept.facts.Port
		}
	}
	if j.temporary || o.Fast {
		j.initdb = "--no-sync"
	}
	port, err := freePort(ctx, port)
	if err != nil {
		return nil, err
	}
	if o.hooks.portChosen != nil {
		o.hooks.portChosen(port)
	}
	j.parameters = parameters(o, port)
	sup, err := supervise(&j)
	if err != nil {
		return nil, err
	}
	address := serverURL(port, j.password)
	if err := sup.ready(ctx, address); err != nil {
		return nil, errors.Join(err, sup.stop())
	}
	stop := sup.stop
	if p.kept == nil {
		sup.claim = claim(j.top)
	} else {
		stop = func() error {
			if err := sup.stop(); err != nil {
				return err // whatever is still there, the lock keeps others off it
			}
			return p.kept.close()
		}
		p.kept.facts.Port = port
		if err := p.kept.writeFacts(); err != nil {
			return nil, errors.Join(err, sup.stop())
		}
	}
	return &Server{url: address, version: bin.version, source: bin.String(), stop: sync.OnceValue(stop)}, nil
}

// parameters returns the arguments of postgres.
func parameters(o *Options, port int) []string {
	settings := map[string]string{}
	if o.Fast {
		settings = map[string]string{"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
	}
	maps.Copy(settings, o.Settings)
	maps.Copy(settings, map[string]string{
		"listen_addresses":        "127.0.0.1",
		"log_destination":         "stderr",
		"logging_collector":       "off",
		"port":                    strconv.Itoa(port),
		"unix_socket_directories": "",
	})
	var args []string
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		args = append(args, "-c", name+"="+settings[name])
	}
	return args
}

// freePort returns a port of the loopback interface that nobody listens on, for
// now: the wanted one if possible, 0 meaning any.
func freePort(ctx context.Context, wanted int) (int, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp4", fmt.Sprintf("127.0.0.1:%d", wanted))
	if err != nil && wanted != 0 {
		return freePort(ctx, 0)
	}
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}

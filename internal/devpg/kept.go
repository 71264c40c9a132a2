//go:build linux || darwin || freebsd

package devpg

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// kept is a directory whose data outlive the server. It is locked.
//
//	lock         who uses it
//	facts.json   what the next run needs to know
//	server/data  the data directory; "server" is the account's, the rest ours
type kept struct {
	dir   string
	made  bool // dir was missing
	lock  *lockFile
	facts facts
}

// facts are what a kept directory's next run needs to know.
type facts struct {
	Password string `json:"password"`
	Port     int    `json:"port"` // the last one: whoever has noted the URL will use it again
}

// openKept locks the kept directory and makes what is missing of it. The caller
// must call close.
func openKept(ctx context.Context, dir string, a *account) (*kept, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	mode := fs.FileMode(0o700)
	if a != nil {
		mode = 0o711 // the account has to get at its own directory in it
	}
	k := &kept{dir: dir}
	if k.made, err = makeDir(dir, mode); err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	if err := k.open(ctx, a); err != nil {
		return nil, errors.Join(fmt.Errorf("data directory %s: %w", dir, err), k.close())
	}
	return k, nil
}

func (k *kept) open(ctx context.Context, a *account) error {
	if real, err := filepath.EvalSymlinks(k.dir); err != nil {
		return err
	} else if b := a.barrier(real); b != "" {
		return fmt.Errorf("user %q, who runs PostgreSQL for root, may not enter %s (choose a directory elsewhere)", a.name, b)
	} else if err := checkOwned(real); err != nil {
		return err
	}
	if err := k.checkOurs(); err != nil {
		return err
	}
	// A holder that was killed leaves a shell that takes a moment to stop the server.
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var err error
	if k.lock, err = lock(ctx, filepath.Join(k.dir, "lock"), false); err != nil {
		if held := (heldError{}); errors.As(err, &held) {
			return fmt.Errorf("%w (stop that first)", err)
		}
		return err
	}
	if err := k.readFacts(); err != nil {
		return err
	}
	return a.own(k.top())
}

// checkOurs returns an error if the directory holds things but was not made by us.
func (k *kept) checkOurs() error {
	entries, err := os.ReadDir(k.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == "lock" || e.Name() == "facts.json" {
			return nil
		}
	}
	if len(entries) > 0 {
		return errors.New("not empty, and not one of cotenant's (choose another)")
	}
	return nil
}

// top returns the server's own directory.
func (k *kept) top() string { return filepath.Join(k.dir, "server") }

// major returns the major version that the data are of, 0 if there are none yet.
func (k *kept) major() (int, error) {
	text, err := os.ReadFile(filepath.Join(k.top(), "data", "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// settle waits a while for the server of a run that was killed, if it is still
// there: not ended yet, or ended but not yet taken note of by init. PostgreSQL
// would refuse to start. It will say so itself if that lasts.
func (k *kept) settle(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, 200*time.Millisecond) {
		if pid := postmaster(k.top()); pid <= 0 || !alive(pid) {
			return
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}

// readFacts reads the facts, or makes them up for data that are yet to be made.
func (k *kept) readFacts() error {
	unfinished, _ := filepath.Glob(filepath.Join(k.dir, "facts-*"))
	for _, path := range unfinished { // by somebody who was killed: we have the lock
		_ = os.Remove(path)
	}
	path := filepath.Join(k.dir, "facts.json")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if major, err := k.major(); major != 0 || err != nil {
			return errors.Join(errors.New("facts.json, with the password of the data, is missing (remove the directory to start anew)"), err)
		}
		k.facts.Password = rand.Text()
		return k.writeFacts()
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &k.facts); err != nil || k.facts.Password == "" {
		return fmt.Errorf("%s: damaged (restore it, or remove the directory to start anew)", path)
	}
	return nil
}

// writeFacts replaces the facts at once: a crash leaves the old ones or the new ones.
func (k *kept) writeFacts() error {
	text, err := json.Marshal(k.facts) //nolint:gosec // the password is what the file, of mode 0600, is for
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(k.dir, "facts-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(k.dir, "facts.json"))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// close gives the directory up. If there are no data, it leaves nothing of ours.
func (k *kept) close() error {
	if k.lock == nil {
		if k.made {
			_ = os.Remove(k.dir) // somebody else may be in it by now
		}
		return nil
	}
	var errs []error
	if major, err := k.major(); major == 0 && err == nil {
		errs = append(errs, os.RemoveAll(k.top()))
		if err := os.Remove(filepath.Join(k.dir, "facts.json")); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
		errs = append(errs, os.Remove(k.lock.Name()))
		if k.made {
			_ = os.Remove(k.dir)
		}
	}
	return errors.Join(append(errs, k.lock.release())...)
}

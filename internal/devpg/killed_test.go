//go:build linux || darwin || freebsd

package devpg_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cotenant/cotenant/internal/devpg"
)

func TestParentKilled(t *testing.T) {
	t.Parallel()
	h := startHelper(t, devpg.Options{})
	data := query(t, h.url(t), `SHOW data_directory`)
	if !strings.HasPrefix(data, h.temp) {
		t.Fatalf("data directory %s is not in %s", data, h.temp)
	}
	h.kill(t)
	h.checkGone(t)
}

func TestParentKilledDuringInitdb(t *testing.T) {
	t.Parallel()
	fake := newSlowInitdb(t)
	h := startHelper(t, devpg.Options{BinDir: fake.bin})
	data := fake.waitRunning(t)
	if !strings.HasPrefix(data, h.temp) {
		t.Fatalf("data directory %s is not in %s", data, h.temp)
	}
	h.kill(t)
	h.checkGone(t)
	if left := processes(t, fake.bin); left != nil {
		t.Errorf("processes of initdb: %q", left)
	}
}

// The moment of death is the input here: from before the shell has read a line to
// after the server is ready.
func TestParentKilledAnyTime(t *testing.T) {
	t.Parallel()
	for n := range 12 {
		after := time.Duration(n) * 70 * time.Millisecond
		t.Run(after.String(), func(t *testing.T) {
			t.Parallel()
			h := startHelper(t, devpg.Options{Fast: n%2 == 0})
			<-time.After(after)
			h.kill(t)
			h.checkGone(t)
		})
	}
}

func TestInterruptIsForParent(t *testing.T) {
	t.Parallel()
	h := startHelper(t, devpg.Options{Fast: true})
	address := h.url(t)
	if err := syscall.Kill(-h.Process.Pid, syscall.SIGINT); err != nil { // what Ctrl-C in a terminal does
		t.Fatal(err)
	}
	if got := query(t, address, `SELECT 'here'`); got != "here" {
		t.Errorf("server says %q", got)
	}
	if err := h.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if err := h.Wait(); err != nil {
		t.Error(err)
	}
	h.checkGone(t)
}

// A container that is stopped takes the supervisor along. The next to come cleans up.
func TestLeftoversAreSwept(t *testing.T) {
	t.Parallel()
	dead := startHelper(t, devpg.Options{Fast: true})
	lives := startHelperIn(t, dead.temp, devpg.Options{Fast: true})
	tops := make(map[*helper]string)
	for _, h := range []*helper{dead, lives} {
		tops[h] = filepath.Dir(query(t, h.url(t), `SHOW data_directory`))
	}
	killAll(t, dead, tops[dead])
	hourAgo := time.Now().Add(-time.Hour)
	for _, top := range tops {
		if err := os.Chtimes(top, hourAgo, hourAgo); err != nil {
			t.Fatal(err)
		}
	}
	startHelperIn(t, dead.temp, devpg.Options{Fast: true}).url(t)
	if !missing(tops[dead]) {
		t.Errorf("%s, of a dead server, is still there", tops[dead])
	}
	if missing(tops[lives]) {
		t.Errorf("%s, of a server that lives, is gone", tops[lives])
	}
}

// killAll kills a helper, its supervisor and its server at once, as far as one can.
func killAll(t *testing.T, h *helper, top string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(top, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	server := 0
	if _, err := fmt.Sscan(string(text), &server); err != nil {
		t.Fatal(err)
	}
	for _, pid := range []int{parent(t, server), server} {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	h.kill(t)
	eventually(t, "no process", func() string { return strings.Join(processes(t, top), "\n") })
}

// slowInitdb is a directory of binaries whose initdb does not come to its end.
type slowInitdb struct{ bin, running string }

func newSlowInitdb(t *testing.T) *slowInitdb {
	t.Helper()
	dir := openDir(t)
	fake := &slowInitdb{bin: filepath.Join(dir, "bin"), running: filepath.Join(dir, "running")}
	write(t, filepath.Join(fake.bin, "postgres"), "#!/bin/sh\necho 'postgres (PostgreSQL) 17.1'\n")
	write(t, filepath.Join(fake.bin, "initdb"), strings.ReplaceAll(`#!/bin/sh
mkdir "$2" && echo half >"$2/half"
mkfifo 'RUNNING.block'
echo "$2" >'RUNNING.new' && mv 'RUNNING.new' 'RUNNING'
read -r never <'RUNNING.block'
`, "RUNNING", fake.running))
	return fake
}

// waitRunning returns the data directory that initdb is making when it is at it.
func (f *slowInitdb) waitRunning(t *testing.T) string {
	t.Helper()
	data := ""
	eventually(t, "initdb running", func() string {
		text, err := os.ReadFile(f.running)
		if err != nil {
			return err.Error()
		}
		data = strings.TrimSpace(string(text))
		return ""
	})
	return data
}

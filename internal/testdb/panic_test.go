package testdb_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"regexp"
	"testing"
	"time"

	"github.com/cotenant/cotenant/internal/testdb"
)

// panics is the variable that makes TestPanics do what its name says.
const panics = "COTENANT_TESTDB_PANICS"

// A test binary that panics, as it does too when it takes too long, runs no cleanup.
func TestServerEndsWithBinary(t *testing.T) {
	t.Parallel()
	if os.Getenv("DATABASE_URL") != "" {
		t.Skip("somebody else's server")
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestPanics$", "-test.v")
	cmd.Env = append(os.Environ(), panics+"=1")
	output, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatalf("no panic:\n%s", output)
	}
	m := regexp.MustCompile(`data directory: (.+)`).FindSubmatch(output)
	if m == nil {
		t.Fatalf("no data directory:\n%s", output)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 1500 {
		if _, err := os.Stat(string(m[1])); errors.Is(err, fs.ErrNotExist) {
			return
		}
		<-tick.C
	}
	t.Errorf("%s is there half a minute after a panic", m[1])
}

func TestPanics(t *testing.T) {
	t.Parallel()
	if os.Getenv(panics) == "" {
		t.Skip("run by TestServerEndsWithBinary")
	}
	data := ""
	if err := connect(t, testdb.New(t)).QueryRow(t.Context(), `SHOW data_directory`).Scan(&data); err != nil {
		t.Fatal(err)
	}
	t.Logf("data directory: %s", data)
	done := make(chan struct{})
	go func() {
		defer close(done)
		panic("as meant")
	}()
	<-done
	select {}
}

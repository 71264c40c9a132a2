package manage_test

import (
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/internal/testdb"
)

// What is piped into run is for nobody, so it is refused; an open pipe with nothing in it,
// as programs have that are started at night, is not, nor one that has ended.
func TestRunUnread(t *testing.T) {
	t.Parallel()

	echo, err := exec.LookPath("echo")
	if err != nil {
		t.Skip(err)
	}
	address := testdb.New(t)
	dir := project(t, address, "acme", "globex")
	pipe := func(text string, open bool) *os.File {
		reader, writer, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _, _ = reader.Close(), writer.Close() })
		if _, err := io.WriteString(writer, text); err != nil {
			t.Fatal(err)
		}
		if !open {
			writer.Close()
		}
		return reader
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "empty"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for name, tt := range map[string]struct {
		stdin   *os.File
		refused string
	}{
		"a pipe":                 {pipe("INSERT INTO orders VALUES (1)\n", false), "standard input is a pipe"},
		"a pipe that is open":    {pipe("x", true), "standard input is a pipe"},
		"a socket":               {socket(t, "x"), "standard input is a socket"},
		"a file":                 {file, "standard input is a file"},
		"an empty pipe":          {pipe("", true), ""},
		"a pipe that has ended":  {pipe("", false), ""},
		"an empty socket":        {socket(t, ""), ""},
		"nothing, which is null": {nil, ""},
	} {
		cmd := cotenantIn(t, dir, address, "run", "--", echo, "here")
		if tt.stdin != nil { // which would be no nil *os.File as an io.Reader
			cmd.Stdin = tt.stdin
		}
		out, err := cmd.CombinedOutput()
		status, ran := 0, strings.Count(string(out), "here\n")
		if tt.refused != "" {
			status = 2
		}
		if cmd.ProcessState.ExitCode() != status || (ran == 2) != (tt.refused == "") || !strings.Contains(string(out), tt.refused) {
			t.Errorf("%s: %v, want status %d and %q:\n%s", name, err, status, tt.refused, out)
		}
	}
}

// socket returns one end of a connection into whose other end text was written.
func socket(t *testing.T, text string) *os.File {
	t.Helper()
	listener, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Skip(err)
	}
	defer listener.Close()
	conn, err := net.Dial("unix", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	other, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	file, err := other.(*net.UnixConn).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return file
}

package migrate_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cotenant/cotenant/migrate"
)

// childEnv is the variable that turns this test binary into a program that migrates the
// shops of a database: its value is the last migration, a space, and the URL. What is after
// that is a file more.
const childEnv = "COTENANT_MIGRATE_CHILD"

// runChild migrates, and prints the name of each schema as soon as it is done.
func runChild(value string) error {
	var last int
	var url string
	if _, err := fmt.Sscan(value, &last, &url); err != nil {
		return err
	}
	fsys := shopFiles(last)
	if _, more, ok := strings.Cut(value, "\n"); ok {
		fsys["shop/migrations/9999_more.sql"] = &fstest.MapFile{Data: []byte(more)}
	}
	m, err := migrate.New(&migrate.Config{TenantApps: migrate.Dirs(fsys, "shop")})
	if err != nil {
		return err
	}
	ctx := context.Background()
	pool, err := newPool(ctx, url)
	if err != nil {
		return err
	}
	defer pool.Close()
	_, err = m.Fleet(pool).Migrate(ctx, &migrate.MigrateOptions{RunOptions: migrate.RunOptions{
		// The lines are long, so that it does not run ahead of whoever reads them.
		OnResult: func(r migrate.Result) { fmt.Println(r.Schema, r.Err, strings.Repeat(".", 1<<14)) },
	}})
	return err
}

// child is a program that migrates shops.
type child struct {
	*exec.Cmd
	results *bufio.Scanner
}

// start starts a program that migrates to the last migration, and then runs the files
// that are given.
func (s *shops) start(t *testing.T, last int, more ...string) *child {
	t.Helper()
	c := &child{Cmd: exec.CommandContext(t.Context(), os.Args[0])}
	c.Env = append(os.Environ(), childEnv+"="+strings.Join(append([]string{strconv.Itoa(last) + " " + s.url}, more...), "\n"))
	c.Stderr = new(bytes.Buffer)
	output, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.results = bufio.NewScanner(output)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

// killAfter kills the program when it has told of n schemas.
func (c *child) killAfter(t *testing.T, n int) {
	t.Helper()
	for range n {
		if !c.results.Scan() {
			t.Fatalf("the program ended early: %v", c.results.Err())
		}
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err == nil {
		t.Error("the program ended before it was killed")
	}
}

// A program that is killed leaves every schema as it was before a migration or behind
// it, and the next run does the rest.
func TestProgramKilled(t *testing.T) {
	t.Parallel()

	s := newShops(t, many(500))
	for _, part := range []int{s.n / 10, s.n / 3, 1, s.n / 4} {
		s.start(t, 4).killAfter(t, part)
	}
	report := s.migrate(t, 4)
	if report.Done == 0 && !testing.Short() || report.Done+report.Current != s.n+1 || report.Failed+report.Untouched != 0 {
		t.Errorf("last run: %v", report)
	}
	s.check(t, 4)
}

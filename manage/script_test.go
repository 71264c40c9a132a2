package manage_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/tenant"
)

// Each script has a database of its own, at DATABASE_URL, and cotenant on its PATH.
// Beside the commands of testscript there are
//
//	exits STATUS PROGRAM ARGS…   runs it and compares the status that it ends with
//	sql STATEMENT…               prints what the statements return, a line a row
//	runs FILE                    runs it as psql would
//	login                        has the script go on as a role that may create schemas alone
//	admin STATEMENT…             does as sql, also behind login, as who was there before
//	locked TABLE                 locks it in a session that calls itself psql, until unlocked
//	tenants NAME…                makes tenants with empty schemas
func TestScripts(t *testing.T) {
	t.Parallel()

	bin := programs(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			tb := env.T().(testing.TB)
			url := testdb.New(tb)
			env.Setenv("DATABASE_URL", url)
			env.Values[adminKey{}], env.Values[lockKey{}] = url, new(*pgx.Conn)
			env.Setenv("PATH", bin+string(filepath.ListSeparator)+env.Getenv("PATH"))
			env.Values[testKey{}] = tb
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"admin": admin, "exits": exits, "locked": locked, "login": login, "runs": runs, "sql": query, "tenants": tenants, "unlocked": unlocked,
		},
	})
}

// programs returns a folder with the programs that this binary is.
func programs(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	for _, name := range []string{"cotenant", "shopctl"} {
		if err := os.Symlink(self, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	return bin
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS PROGRAM ARGS…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%s ended with status %d, want %d", args[1], got, want)
	}
}

// testKey is where a script has its test.
type testKey struct{}

func login(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Setenv("DATABASE_URL", testdb.Role(ts.Value(testKey{}).(testing.TB), ts.Getenv("DATABASE_URL")))
}

// adminKey is where a script has the address that it began with.
type adminKey struct{}

func admin(ts *testscript.TestScript, _ bool, statements []string) {
	url := ts.Getenv("DATABASE_URL")
	defer ts.Setenv("DATABASE_URL", url)
	ts.Setenv("DATABASE_URL", ts.Value(adminKey{}).(string))
	query(ts, false, statements)
}

// lockKey is where a script has the session that holds its lock, a *pgx.Conn.
type lockKey struct{}

func locked(ts *testscript.TestScript, _ bool, args []string) {
	ctx := context.Background()
	config, err := pgx.ParseConfig(ts.Getenv("DATABASE_URL"))
	ts.Check(err)
	config.RuntimeParams["application_name"] = "psql"
	conn, err := pgx.ConnectConfig(ctx, config)
	ts.Check(err)
	*ts.Value(lockKey{}).(**pgx.Conn) = conn
	ts.Defer(func() { unlocked(ts, false, nil) })
	_, err = conn.Exec(ctx, "BEGIN; LOCK TABLE "+args[0])
	ts.Check(err)
}

func unlocked(ts *testscript.TestScript, _ bool, _ []string) {
	conn := *ts.Value(lockKey{}).(**pgx.Conn)
	ts.Check(conn.Close(context.Background()))
}

func query(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("! sql is not supported")
	}
	for _, sql := range args {
		for _, row := range ask(ts, sql) {
			fmt.Fprintln(ts.Stdout(), row)
		}
	}
}

func runs(ts *testscript.TestScript, neg bool, args []string) {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, ts.Getenv("DATABASE_URL"))
	ts.Check(err)
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, ts.ReadFile(args[0]), pgx.QueryExecModeSimpleProtocol)
	if !neg {
		ts.Check(err)
	} else if err == nil {
		ts.Fatalf("%s: it runs", args[0])
	}
}

func tenants(ts *testscript.TestScript, _ bool, names []string) {
	for _, name := range names {
		schema := tenant.MustParseSchema(name).String()
		ask(ts, "INSERT INTO cotenant.tenants (schema_name) VALUES ('"+schema+"')")
		ask(ts, "CREATE SCHEMA "+pgx.Identifier{schema}.Sanitize())
	}
}

// ask returns the rows that sql returns, their columns separated by spaces.
func ask(ts *testscript.TestScript, sql string) []string {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, ts.Getenv("DATABASE_URL"))
	ts.Check(err)
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, sql)
	ts.Check(err)
	lines, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		values, err := row.Values()
		texts := make([]string, len(values))
		for i, v := range values {
			texts[i] = fmt.Sprint(v)
		}
		return strings.Join(texts, " "), err
	})
	ts.Check(err)
	return lines
}

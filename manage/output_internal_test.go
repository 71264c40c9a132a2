package manage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

// command returns the command sync with what it prints.
func command() (cmd *cobra.Command, stdout, stderr *bytes.Buffer) {
	stdout, stderr = new(bytes.Buffer), new(bytes.Buffer)
	root := New(Config{Stdout: stdout, Stderr: stderr})
	cmd, _, _ = root.Find([]string{"sync"})
	return cmd, stdout, stderr
}

func schema(name string) tenant.Schema { return tenant.MustParseSchema(name) }

// run plays a run with one failure, two schemas that differ alike, and two apps left.
func play(show reporter) {
	ran := []migrate.Applied{{App: "shop", Name: "schema.sql"}, {App: "shop", Name: "0002_tax"}}
	lost := errors.New("the disk is full")
	show.start(2)
	show.result(migrate.Result{Schema: schema("acme"), Applied: ran, Duration: 12 * time.Millisecond, Differs: []string{"table orders: column id is text"}})
	show.result(migrate.Result{Schema: schema("globex"), Err: lost})
	show.start(1)
	show.result(migrate.Result{Schema: schema("initech"), Differs: []string{"table orders: column id is text"}})
	show.end()
	reasons := []migrate.Reason{{Count: 1, Err: lost, Schemas: []tenant.Schema{schema("globex")}}}
	show.finish(&migrate.Report{Done: 2, Failed: 3, Reasons: reasons, Untouched: 1, Current: 994, LeftToMigrate: []string{"blog"}, LeftToSync: []string{"wiki"}, Orphans: []string{"left"}, Unguarded: "no role"},
		errors.New("it failed"), 1440*time.Millisecond)
}

func TestText(t *testing.T) {
	t.Parallel()

	const outcome = `what schema.sql has otherwise, and needs a migration:
  table orders: column id is text (acme and 1 more)
with migrations, and left to cotenant migrate (or use --migrate): blog
without migrations, and left to cotenant sync: wiki
sync: 2 done, 3 failed, 1 untouched, 994 up to date (1.4s)
`
	const failed = "cotenant: schema \"globex\": the disk is full\n"
	const more = "cotenant: 2 schemas more failed, for other reasons (--json tells of each)\n"
	const warnings = "cotenant: without the migrator role: no role\n" +
		"cotenant: schema \"left\": it has a history and no tenant, and was left alone (insert its row into cotenant.tenants, or drop it)\n"
	for verbosity, want := range []struct{ stdout, stderr string }{
		{"", failed + more},
		{outcome, failed + more + warnings},
		{
			"acme: shop/schema.sql, shop/0002_tax (12ms)\ninitech: nothing to do (0s)\n" + outcome,
			failed + more + warnings,
		},
	} {
		cmd, stdout, stderr := command()
		play(newTextReporter(cmd, verbosity))
		if stdout.String() != want.stdout || stderr.String() != want.stderr {
			t.Errorf("verbosity %d: stdout\n%s\nstderr\n%s", verbosity, stdout, stderr)
		}
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()

	cmd, stdout, stderr := command()
	play(newReporter(cmd, &outputFlags{json: true}))
	const want = `{"type":"start","schemas":2}
{"type":"schema","schema":"acme","applied":[{"app":"shop","name":"schema.sql"},{"app":"shop","name":"0002_tax"}],"differs":["table orders: column id is text"],"seconds":0.012}
{"type":"schema","schema":"globex","seconds":0,"error":"the disk is full"}
{"type":"start","schemas":1}
{"type":"schema","schema":"initech","differs":["table orders: column id is text"],"seconds":0}
{"type":"summary","done":2,"failed":3,"untouched":1,"current":994,"left_to_migrate":["blog"],"left_to_sync":["wiki"],"orphans":["left"],"unguarded":"no role","seconds":1.44,"error":"it failed"}
`
	if stdout.String() != want || stderr.Len() != 0 {
		t.Errorf("stdout\n%s\nstderr\n%s", stdout, stderr)
	}
}

// Of thousands of failures with one reason the first is shown, and the others are counted.
func TestManyFailures(t *testing.T) {
	t.Parallel()

	cmd, _, stderr := command()
	show := newTextReporter(cmd, 1)
	show.start(502)
	full := migrate.Reason{Count: 500}
	for i := range 500 {
		r := migrate.Result{Schema: schema(fmt.Sprintf("t%d", i)), Err: fmt.Errorf("schema \"t%d\": it is full", i)}
		show.result(r)
		if i < 100 {
			full.Schemas = append(full.Schemas, r.Schema)
		}
		if i == 0 {
			full.Err = r.Err
			show.result(migrate.Result{Schema: schema("acme"), Err: errors.New("it is locked")})
		}
	}
	show.result(migrate.Result{Schema: schema("last"), Err: fmt.Errorf("schema %q: %w", "last", migrate.ErrInterrupted)})
	show.end()
	report := &migrate.Report{Failed: 501 + 3, Reasons: []migrate.Reason{
		full,
		{Count: 1, Err: errors.New("it is locked"), Schemas: []tenant.Schema{schema("acme")}},
		{Count: 2, Err: errors.New(`schema "x": it is lost`), Schemas: []tenant.Schema{schema("x"), schema("y")}}, // was not shown
	}}
	show.finish(report, nil, time.Second)
	const want = `cotenant: schema "t0": it is full
cotenant: schema "acme": it is locked
cotenant: 500 schemas failed as "t0" did: t0, t1, t2, t3, t4 and 495 more
cotenant: it is lost
	2 schemas: x, y
cotenant: 1 schema more failed, for other reasons (--json tells of each)
`
	if stderr.String() != want || show.failed != 501 {
		t.Errorf("%d failed:\n%s", show.failed, stderr)
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()

	cmd, _, _ := command()
	show := newTextReporter(cmd, 1)
	show.start(1000)
	show.end()
	show.begun = time.Now().Add(-10 * time.Second)
	show.worked, show.failed = 249, 3
	if got := show.text(); got != "249 of 1000 schemas, 3 failed, 24.9/s, about 30s left" {
		t.Error(got)
	}
}

func TestOutcome(t *testing.T) {
	t.Parallel()

	ended, other := errors.New("the run was ended"), errors.New("no such schema")
	for _, tt := range []struct {
		err    error
		failed int
		want   string
	}{
		{nil, 0, ""},
		{other, 0, "no such schema"},
		{&migrate.RunError{}, 1, "1 schema failed (see above); the same command again does what is left"},
		{&migrate.RunError{Err: ended}, 0, "the run was ended"},
		{&migrate.RunError{Err: ended}, 2, "the run was ended; 2 schemas failed (see above); the same command again does what is left"},
		{&migrate.RunError{Err: migrate.ErrStopped}, 0, "the run was stopped; the same command again does what is left"},
		{&migrate.RunError{Err: fmt.Errorf("%w: %w", migrate.ErrInterrupted, context.Canceled)}, 0, "interrupted: the same command again does what is left"},
	} {
		got := ""
		if err := outcome(&migrate.Report{Failed: tt.failed}, tt.err); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

func TestPlanText(t *testing.T) {
	t.Parallel()

	steps := []migrate.Step{
		{Action: migrate.Build, App: "shop", Name: "schema.sql", SQL: []string{"CREATE TABLE orders (\n\tid int\n);\n"}},
		{Action: migrate.Fake, App: "shop", Name: "0001_initial"},
	}
	tenants := []tenant.Schema{schema("a"), schema("b"), schema("c"), schema("d"), schema("e"), schema("f")}
	plan := &migrate.Plan{Groups: []migrate.PlanGroup{
		{Count: 1, Schemas: []tenant.Schema{tenant.PublicSchema()}},
		{Count: 2006, Schemas: tenants, Steps: steps},
		{Count: 1, Schemas: tenants[:1], Err: errors.New("0001_initial has changed")},
	}}
	var text bytes.Buffer
	if err := writePlan(&text, plan, false, true); err != nil {
		t.Fatal(err)
	}
	const want = `public
  up to date
2006 schemas: a, b, c, d, e and 2001 more
  build    shop/schema.sql
      CREATE TABLE orders (
      	id int
      );
  fake     shop/0001_initial
a
  stuck: 0001_initial has changed
`
	if text.String() != want {
		t.Errorf("%s", &text)
	}
	text.Reset()
	if err := writePlan(&text, &migrate.Plan{Groups: plan.Groups[1:2]}, true, false); err != nil {
		t.Fatal(err)
	}
	if want := `{"type":"plan","count":2006,"schemas":["a","b","c","d","e","f"],"steps":[{"action":"build","app":"shop","name":"schema.sql"},{"action":"fake","app":"shop","name":"0001_initial"}]}` + "\n"; text.String() != want {
		t.Errorf("%s", &text)
	}
}

func TestListText(t *testing.T) {
	t.Parallel()

	got := listText(&migrate.Listed{Schema: schema("acme"), Migrations: []migrate.ListedMigration{
		{App: "shop", Name: "0001_initial", Applied: true, Faked: true},
		{App: "shop", Name: "0002_tax", Applied: true},
		{App: "shop", Name: "0003_more"},
		{App: "blog", Name: "0009_gone", Applied: true, Unknown: true},
	}})
	const want = `acme
  shop
    [F] 0001_initial
    [X] 0002_tax
    [ ] 0003_more
  blog
    [?] 0009_gone
`
	if got != want {
		t.Errorf("%s", got)
	}
}

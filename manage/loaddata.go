package manage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/fixture"
	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

// loadFlags are the flags of loaddata.
type loadFlags struct {
	fanFlags
	apps          []string
	dryRun        bool
	excludeTables []string
	format        string
	ignore        bool
	table         string
}

func (p *program) loadDataCommand() *cobra.Command {
	name := p.config.name()
	f := loadFlags{fanFlags: fanFlags{atOnce: true}}
	cmd := &cobra.Command{
		Use:     "loaddata [FIXTURE…]",
		Aliases: []string{"load-data"},
		GroupID: tenantsGroup,
		Short:   "Load rows from files into the schemas",
		Long: `Loaddata loads fixtures, files with rows, into public and then into the schema of every
tenant, or into those that are selected. A schema is loaded in one transaction: all of it, or
nothing, also where it is interrupted.

Without a name it is all files in the folders fixtures of the apps, such as
apps/shop/fixtures/01_products.json, in the order of the apps and of the names: those of
tenant apps into the tenants' schemas, those of shared apps into public. A name, with its
ending or without, is looked for there; else it is a file, which goes into each schema
that is selected. - is standard input, for one schema.

  .json          records as Django's dumpdata writes them:
                 [{"model": "products", "pk": 1, "fields": {"name": "Comb"}}]
  .jsonl         one record a line
  .csv           rows of the table that the file is named after, 02_products.csv; its first
                 line names the columns
  .sql           statements, held to what a migration of the schema is
  .json.gz …     any of these, compressed

A row whose primary key is there already is overwritten, but for columns that the record
does not name. The order of records does not matter. What cannot be loaded is told by
file, line and record.`,
		Example: fmt.Sprintf(`  %[1]s loaddata                                     all fixtures of the apps
  %[1]s loaddata 01_products --schema=acme
  %[1]s loaddata ./export/products.csv.gz --schema='eu_*' --jobs=4
  %[1]s loaddata --dry-run -v
  %[1]s tenant_command loaddata --schema=customer1
  gen | %[1]s loaddata - --format=jsonl --schema=acme`, name),
		RunE: func(cmd *cobra.Command, args []string) error { return p.loadData(cmd, &f, args) },
	}
	what := newGroup("What is loaded, and how")
	what.flags.StringArrayVar(&f.apps, "app", nil, "only fixtures of this `app` (repeatable)")
	what.flags.BoolVar(&f.dryRun, "dry-run", false, "load, and roll back")
	what.flags.StringArrayVar(&f.excludeTables, "exclude-table", nil, "leave out the records of this `table` (repeatable)")
	what.flags.StringVar(&f.format, "format", "", "`format` of standard input, and of files (default what their names say): json, jsonl, csv, sql, json.gz …")
	what.flags.BoolVarP(&f.ignore, "ignorenonexistent", "i", false, "leave out tables and columns that are not there")
	what.flags.StringVar(&f.table, "table", "", "the `table` of CSV whose name does not say it")
	addGroups(cmd, loadLines, append([]flagGroup{what}, f.groups(p.config.Project)...)...)
	p.completeSchemas(cmd, &f.databaseFlags, 0)
	cmd.ValidArgsFunction = p.completeFixtures(&f)
	return cmd
}

// loadLines are the lines of --json, at the end of the help.
const loadLines = `
With --json there is a line for each schema:
  {"type":"loaded","schema":"…","rows":N,"statements":N,"dry_run":true,
   "tables":[{"table":"…","rows":N}],"left_out":["table","table.column"]}
`

// check refuses flags that cannot be meant.
func (f *loadFlags) check(cmd *cobra.Command) error {
	if err := f.fanFlags.check(cmd); err != nil {
		return err
	}
	if f.format != "" {
		if _, _, err := fixture.ParseFormat(f.format); err != nil {
			return usagef("--format: %v", err)
		}
	}
	return nil
}

// loadData loads.
func (p *program) loadData(cmd *cobra.Command, f *loadFlags, args []string) error {
	if err := f.check(cmd); err != nil {
		return err
	}
	config, err := p.tenancyConfig(cmd, &f.databaseFlags)
	if err != nil {
		return err
	}
	found, err := f.find(config, args, cmd.InOrStdin())
	if err != nil {
		return err
	}
	if len(found.list) == 0 {
		f.say(cmd, "there are no fixtures: they are looked for in the folder %s of each app, apps/NAME/%[1]s", fixturesDir)
		return nil
	}
	f.publicToo = found.shared()
	return p.withTenancy(cmd, &f.tenantFlags, func(ctx context.Context, tenancy *cotenant.Tenancy) error {
		if found.stdin {
			if n, err := f.selected(ctx, tenancy); err != nil {
				return err
			} else if n > 1 {
				return usagef("standard input can be loaded into one schema, and %d are selected (give --schema=NAME)", n)
			}
		}
		if f.json {
			f.verbosity = 0
		}
		if public := tenant.PublicSchema().String(); len(found.of(true)) == 0 && !slices.Contains(f.selection.Schemas, public) {
			f.selection.SkipPublic = true // there is nothing for it
		}
		load := &loadRun{flags: f, found: found}
		err := forTenants(ctx, cmd, tenancy, &f.fanFlags, load.tenant)
		if err == nil && load.schemas == 0 {
			err = errors.New("the fixtures are of other apps than the schemas that are selected have: those of tenant apps are for tenants, those of shared apps for public (select others with --schema)")
		}
		if load.schemas > 1 {
			f.say(cmd, "%s into %s%s", rowsText(load.rows), schemas(load.schemas), f.suffix())
		}
		return err
	})
}

// suffix says that nothing stays.
func (f *loadFlags) suffix() string {
	if f.dryRun {
		return ", and rolled back"
	}
	return ""
}

// loadRun loads into many schemas.
type loadRun struct {
	flags *loadFlags
	found *fixtures

	mu      sync.Mutex
	rows    int64
	schemas int // that fixtures were loaded into
}

// errDryRun has a transaction be rolled back.
var errDryRun = errors.New("dry run")

// loadedLine is a line of --json.
type loadedLine struct {
	Type       string          `json:"type"`
	Schema     string          `json:"schema"`
	Rows       int64           `json:"rows"`
	Statements int64           `json:"statements"`
	DryRun     bool            `json:"dry_run,omitempty"`
	Tables     []tableRowsLine `json:"tables"`
	LeftOut    []string        `json:"left_out,omitempty"`
}

// tableRowsLine is a table of a line.
type tableRowsLine struct {
	Table string `json:"table"`
	Rows  int64  `json:"rows"`
}

// tenant loads into the schema of one.
func (l *loadRun) tenant(ctx context.Context, call *TenantCall) error {
	f := l.flags
	schema := call.Tenant.Schema
	sources := l.found.of(schema.IsPublic())
	if len(sources) == 0 {
		if f.verbosity > 0 {
			fmt.Fprintln(call.Stdout, "there are no fixtures for it")
		}
		return nil
	}
	options := &fixture.LoadOptions{
		Exclude: f.excludeTables, IgnoreUnknown: f.ignore, KeepSequences: f.dryRun,
		ParseSQL: func(name, text string) ([]fixture.Statement, error) {
			parsed, err := migrate.ParseRows(name, text, !schema.IsPublic())
			statements := make([]fixture.Statement, len(parsed))
			for i, s := range parsed {
				statements[i] = fixture.Statement{SQL: s.SQL, Line: int64(s.Line)}
			}
			return statements, err
		},
	}
	var report *fixture.Report
	err := call.Tenancy.Direct().BeginFunc(ctx, func(tx pgx.Tx) (err error) {
		report, err = fixture.Load(ctx, tx, schema, sources, options)
		if err == nil && f.dryRun {
			return errDryRun
		}
		return err
	})
	switch {
	case err == nil || errors.Is(err, errDryRun):
	case report != nil:
		return uncommitted(schema, err)
	default:
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rows += report.Rows()
	l.schemas++
	return l.say(call, report)
}

// uncommitted is the error about a transaction that was loaded, and did not end well.
func uncommitted(schema tenant.Schema, err error) error {
	if dberr.Code(err) != "" {
		return fmt.Errorf("schema %q: what was loaded was refused in the end: %w (nothing was loaded; correct that, and load again)", schema, err)
	}
	return fmt.Errorf("schema %q: the connection to the database is lost, and it is not known whether the fixtures were loaded: %w (look before you load again: records without a pk would be there twice)", schema, err)
}

// say says what was loaded.
func (l *loadRun) say(call *TenantCall, report *fixture.Report) error {
	f := l.flags
	if f.json {
		line := loadedLine{Type: "loaded", Schema: call.Tenant.Schema.String(), Rows: report.Rows(), Statements: report.Statements, DryRun: f.dryRun, LeftOut: report.LeftOut, Tables: []tableRowsLine{}}
		for _, t := range report.Tables {
			line.Tables = append(line.Tables, tableRowsLine(t))
		}
		return writeJSON(call.Stdout, line)
	}
	if f.verbosity > 1 {
		for _, t := range report.Tables {
			fmt.Fprintf(call.Stdout, "  %s: %s\n", t.Table, rowsText(t.Rows))
		}
		if left := report.LeftOut; len(left) > 0 {
			const most = 20
			shown, more := left[:min(most, len(left))], ""
			if n := len(left) - len(shown); n > 0 {
				more = fmt.Sprintf(" and %d more", n)
			}
			fmt.Fprintf(call.Stdout, "  left out, as they are not there: %s%s\n", strings.Join(shown, ", "), more)
		}
	}
	if f.verbosity > 0 {
		text := fmt.Sprintf("%s into %s", rowsText(report.Rows()), tablesText(len(report.Tables)))
		if report.Statements > 0 {
			text += fmt.Sprintf(", %s run", countText(report.Statements, "statement"))
		}
		fmt.Fprintln(call.Stdout, text+f.suffix())
	}
	return nil
}

func rowsText(n int64) string { return countText(n, "row") }

func tablesText(n int) string { return countText(int64(n), "table") }

// countText is a number of things whose plural has an s.
func countText(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

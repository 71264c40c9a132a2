package manage

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/fixture"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

// dumpFlags are the flags of dumpdata.
type dumpFlags struct {
	fanFlags
	excludeTables []string
	format        string
	indent        int
	output        string
	tables        []string

	rows       fixture.Format
	compressed bool
}

// schemaMark stands for the schema in the name of a file.
const schemaMark = "{schema}"

func (p *program) dumpDataCommand() *cobra.Command {
	name := p.config.name()
	var f dumpFlags
	cmd := &cobra.Command{
		Use:     "dumpdata [TABLE | APP…]",
		Aliases: []string{"dump-data"},
		GroupID: tenantsGroup,
		Short:   "Write the rows of a schema so that loaddata reads them",
		Long: `Dumpdata writes the rows of a schema's tables, as they are at one moment, in the form that
loaddata reads: all but cotenant's own, or those of the tables and apps that are named.
Tables that others refer to come before these, rows are ordered by their primary keys.

It is about one schema, --schema. With --output and {schema} in its name it is about every
tenant's, or those that are selected.

--output is a file, which is there when all of it is. Its end says the format: .json,
.jsonl, .csv, each also with .gz behind it. CSV has one table in a file; several tables
are written into a folder, 01_customers.csv, 02_orders.csv …, in the order to load them.

The tables of an app are those that its files create.`,
		Example: fmt.Sprintf(`  %[1]s dumpdata --schema=acme >acme.json
  %[1]s dumpdata shop --schema=acme --indent=2 --output=apps/shop/fixtures/01_demo.json
  %[1]s dumpdata orders --schema=acme --format=csv
  %[1]s dumpdata --output='backup/{schema}.jsonl.gz' --jobs=4
  %[1]s tenant_command dumpdata --schema=customer1`, name),
		RunE: func(cmd *cobra.Command, args []string) error { return p.dumpData(cmd, &f, args) },
	}
	what := newGroup("What is written, and where")
	what.flags.StringArrayVar(&f.tables, "table", nil, "the rows of this `table` (repeatable)")
	what.flags.StringArrayVar(&f.excludeTables, "exclude-table", nil, "not those of this `table` (repeatable)")
	what.flags.StringVar(&f.format, "format", "", "`format`: json, jsonl, csv, json.gz … (default what --output says, else json)")
	what.flags.IntVar(&f.indent, "indent", 0, "indent JSON by `N` spaces (default: a record a line)")
	what.flags.StringVarP(&f.output, "output", "o", "", "`file`, or for CSV of several tables folder; {schema} in it stands for the schema (default standard output)")
	addGroups(cmd, dumpLines, append([]flagGroup{what}, f.groups(p.config.Project)...)...)
	p.completeSchemas(cmd, &f.databaseFlags, 0)
	completeWords(cmd, "format", []string{"json", "jsonl", "csv", "json.gz", "jsonl.gz", "csv.gz"})
	p.completeTables(cmd, &f)
	return cmd
}

// dumpLines are the lines of --json, at the end of the help.
const dumpLines = `
With --json and --output there is a line for each schema:
  {"type":"dumped","schema":"…","output":"…","rows":N,"tables":[{"table":"…","rows":N}]}
`

// check refuses flags that cannot be meant, and completes them.
func (f *dumpFlags) check(cmd *cobra.Command) error {
	if err := f.fanFlags.check(cmd); err != nil {
		return err
	}
	if cmd.Flags().Changed("output") && f.output == "" {
		return usagef("--output is empty (name a file, or leave it out)")
	}
	var ok bool
	if f.rows, f.compressed, ok = fixture.FormatOf(f.output); !ok {
		f.rows = fixture.JSON
	}
	if f.format != "" {
		var err error
		if f.rows, f.compressed, err = fixture.ParseFormat(f.format); err != nil {
			return usagef("--format: %v", err)
		}
		f.compressed = f.compressed || isZipped(f.output)
	}
	switch {
	case f.rows == fixture.SQL:
		return usagef("rows are not written as SQL (give --format=json, jsonl or csv; or run pg_dump: %s run --schema=… -- pg_dump -a)", cmd.Root().Name())
	case f.indent < 0:
		return usagef("--indent is %d (give it 0 or more)", f.indent)
	case f.indent > 0 && f.rows != fixture.JSON:
		return usagef("--indent: only JSON is indented, and this is %s (leave it out)", f.rows)
	case f.json && f.output == "":
		return usagef("--json tells of files, and the rows go to standard output (leave it out; --format=json is the format of the rows)")
	}
	return nil
}

// dumpData dumps one schema, or those that are selected.
func (p *program) dumpData(cmd *cobra.Command, f *dumpFlags, args []string) error {
	if err := f.check(cmd); err != nil {
		return err
	}
	config, err := p.tenancyConfig(cmd, &f.databaseFlags)
	if err != nil {
		return err
	}
	dump := func(ctx context.Context, call *TenantCall) error {
		tables, err := f.tablesOf(ctx, config, call, args)
		if err != nil {
			return err
		}
		return f.dump(ctx, call, tables)
	}
	return p.withTenancy(cmd, &f.tenantFlags, func(ctx context.Context, tenancy *cotenant.Tenancy) error {
		if strings.Contains(f.output, schemaMark) {
			if f.json {
				f.verbosity = 0
			}
			return forTenants(ctx, cmd, tenancy, &f.fanFlags, dump)
		}
		if n := len(f.selection.Schemas); n > 1 || len(f.selection.Exclude) > 0 || f.selection.SkipPublic || f.jobs > 1 {
			return usagef("it is about one schema (give one --schema, or --output with %s in it)", schemaMark)
		}
		if n := f.selection.Schemas; len(n) == 1 && strings.ContainsAny(n[0], `*?[`) {
			return usagef("--schema=%s is a pattern, and the rows of one schema are written (name one; or give --output='backup/%s.json', a file for each)", n[0], schemaMark)
		}
		t, err := f.chosen(ctx, cmd, tenancy)
		if err != nil {
			return err
		}
		return dump(contextOf(ctx, t), &TenantCall{Stderr: cmd.ErrOrStderr(), Stdout: cmd.OutOrStdout(), Tenancy: tenancy, Tenant: t})
	})
}

// tablesOf returns the tables that are named, of which there are none if all are meant:
// a name is that of a table, else of an app.
func (f *dumpFlags) tablesOf(ctx context.Context, config *cotenant.Config, call *TenantCall, args []string) ([]string, error) {
	tables := slices.Clone(f.tables)
	if len(args) == 0 {
		return tables, nil
	}
	schema := call.Tenant.Schema
	there, err := fixture.Tables(ctx, call.Tenancy.Direct(), schema)
	if err != nil {
		return nil, err
	}
	for _, name := range args {
		if slices.Contains(there, name) {
			tables = append(tables, name)
			continue
		}
		app := appNamed(config, name, schema)
		if app == nil {
			shared, err := fixture.Tables(ctx, call.Tenancy.Direct(), tenant.PublicSchema())
			if err != nil {
				return nil, err
			}
			return nil, notOf(config, name, schema, there, shared)
		}
		of, err := app.Tables()
		if err != nil {
			return nil, err
		}
		of = slices.DeleteFunc(of, func(table string) bool { return !slices.Contains(there, table) })
		if len(of) == 0 {
			return nil, fmt.Errorf("app %q: its files create none of the tables of schema %q (name the tables)", name, schema)
		}
		tables = append(tables, of...)
	}
	return tables, nil
}

// appsOf are the apps whose tables a schema has, and the others.
func appsOf(config *cotenant.Config, schema tenant.Schema) (its, others []migrate.App) {
	if schema.IsPublic() {
		return config.SharedApps, config.TenantApps
	}
	return config.TenantApps, config.SharedApps
}

// appNamed returns the app of a name that a schema has, or nil.
func appNamed(config *cotenant.Config, name string, schema tenant.Schema) *migrate.App {
	apps, _ := appsOf(config, schema)
	if i := slices.IndexFunc(apps, func(app migrate.App) bool { return app.Name == name }); i >= 0 {
		return &apps[i]
	}
	return nil
}

// notOf is the error about a name that is neither that of a table that is there in a schema
// nor that of an app that it has; shared are the tables of public.
func notOf(config *cotenant.Config, name string, schema tenant.Schema, there, shared []string) error {
	its, others := appsOf(config, schema)
	switch {
	case !slices.ContainsFunc(others, func(app migrate.App) bool { return app.Name == name }):
	case schema.IsPublic():
		return fmt.Errorf("app %q: it is a tenant app, whose tables are in the tenants' schemas, and this is public (give the --schema of a tenant, or --skip-public)", name)
	default:
		return fmt.Errorf("app %q: it is a shared app, whose tables are in public, and this is schema %q (give --schema=public)", name, schema)
	}
	if of, table, ok := strings.Cut(name, "."); ok && of == schema.String() && slices.Contains(there, table) {
		return fmt.Errorf("schema %q has no table %q, and there is no such app (name the table without its schema: %s)", schema, name, table)
	}
	if table := strings.TrimPrefix(name, tenant.PublicSchema().String()+"."); !schema.IsPublic() && slices.Contains(shared, table) {
		return fmt.Errorf("table %q is in public, which all tenants share, and not in schema %q (give --schema=public)", table, schema)
	}
	known := slices.Clone(there)
	for _, app := range its {
		known = append(known, app.Name)
	}
	return fmt.Errorf("schema %q has no table %q, and there is no such app%s", schema, name, cmp.Or(didYouMean("", name, slices.Values(known)), " (name a table of the schema, or an app that it has)"))
}

// dumpedLine is a line of --json.
type dumpedLine struct {
	Type   string          `json:"type"`
	Schema string          `json:"schema"`
	Output string          `json:"output"`
	Rows   int64           `json:"rows"`
	Tables []tableRowsLine `json:"tables"`
}

// dump writes the rows of a schema to where they belong.
func (f *dumpFlags) dump(ctx context.Context, call *TenantCall, tables []string) error {
	schema := call.Tenant.Schema
	options := &fixture.DumpOptions{Exclude: f.excludeTables, Format: f.rows, Indent: f.indent, Tables: tables}
	output := strings.ReplaceAll(f.output, schemaMark, schema.String())
	var report *fixture.Report
	write := func(w io.Writer) (err error) {
		report, err = fixture.Dump(ctx, call.Tenancy.Direct(), schema, w, options)
		return err
	}
	var err error
	switch {
	case output == "":
		return notTaken(zipped(call.Stdout, f.compressed, write))
	case f.rows == fixture.CSV && isFolder(output):
		err = writeFolder(output, f.compressed, func(open func(name string) (io.WriteCloser, error)) error {
			options.Open = func(table string, n int) (io.WriteCloser, error) {
				if isPath(table) {
					return nil, fmt.Errorf("table %q: its name cannot be that of a file (leave it out, or dump it by itself to a file)", table)
				}
				return open(fmt.Sprintf("%02d_%s.csv", n, table))
			}
			return write(nil)
		})
	default:
		err = writeWhole(output, func(w io.Writer) error { return zipped(w, f.compressed, write) })
	}
	if err != nil {
		return err
	}
	if f.json {
		line := dumpedLine{Type: "dumped", Schema: schema.String(), Output: output, Rows: report.Rows(), Tables: []tableRowsLine{}}
		for _, t := range report.Tables {
			line.Tables = append(line.Tables, tableRowsLine(t))
		}
		return writeJSON(call.Stdout, line)
	}
	if f.verbosity > 0 {
		fmt.Fprintf(call.Stdout, "%s of %s into %s\n", rowsText(report.Rows()), tablesText(len(report.Tables)), output)
	}
	return nil
}

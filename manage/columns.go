package manage

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/registry"
)

// columnFlags are the flags of the columns that the user added to the tenants' table. They
// are known when the database has been asked.
type columnFlags struct {
	sets    []string // --set name=value
	columns []registry.Column
	values  map[string]*columnValue // by column
}

// columnValue is the flag of a column.
type columnValue struct {
	column registry.Column
	flag   string // as it is given: --name, or --set name
	given  []string
}

// String returns what was given.
func (v *columnValue) String() string { return strings.Join(v.given, ", ") }

// Set takes a value.
func (v *columnValue) Set(text string) error {
	v.given = append(v.given, text)
	return nil
}

// Type is that of the column, as the help shows it.
func (v *columnValue) Type() string { return v.column.Type }

func (v *columnValue) isArray() bool { return strings.HasSuffix(v.column.Type, "[]") }

// text is what was given, as PostgreSQL writes values of the type. What was given more than
// once, or not as PostgreSQL writes them, makes an array.
func (v *columnValue) text() (string, error) {
	switch {
	case v.isArray() && (len(v.given) > 1 || !strings.HasPrefix(v.given[0], "{")):
		elements := make([]string, len(v.given))
		for i, element := range v.given {
			elements[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(element) + `"`
		}
		return "{" + strings.Join(elements, ",") + "}", nil
	case len(v.given) > 1:
		return "", fmt.Errorf("it is given %d times (give it once)", len(v.given))
	}
	return v.given[0], nil
}

func (f *columnFlags) addSet(g flagGroup) {
	g.flags.StringArrayVar(&f.sets, "set", nil, "`COLUMN=VALUE`: a column whose name is that of another flag (repeatable)")
}

// add gives cmd a flag for each column, in a group of the help. Columns whose flag there is
// already are left to --set.
func (f *columnFlags) add(cmd *cobra.Command, columns []registry.Column) flagGroup {
	f.columns, f.values = columns, make(map[string]*columnValue)
	g := newGroup("Columns of the tenants' table")
	for _, c := range columns {
		v := &columnValue{column: c, flag: "--set " + c.Name}
		f.values[c.Name] = v
		if cmd.Flags().Lookup(c.Name) != nil || g.flags.Lookup(hyphens(c.Name)) != nil || strings.ContainsAny(c.Name, "= \t") {
			continue
		}
		usage := c.Comment
		switch {
		case len(c.Labels) > 0:
			usage = strings.TrimSpace(usage + " " + strings.Join(c.Labels, ", "))
		case v.isArray():
			usage = strings.TrimSpace(usage + " (repeatable)")
		}
		switch {
		case c.Required:
			usage = strings.TrimSpace(usage + " (required)")
		case defaultText(c) != "":
			usage = strings.TrimSpace(usage + " (default " + defaultText(c) + ")")
		}
		v.flag = "--" + hyphens(c.Name)
		flag := g.flags.VarPF(v, hyphens(c.Name), "", usage)
		if c.Type == "boolean" {
			flag.NoOptDefVal = "true"
		}
	}
	return g
}

// hyphens is a name as flags are written.
func hyphens(name string) string { return strings.ReplaceAll(name, "_", "-") }

// fold takes what --set gives as if the columns' own flags gave it.
func (f *columnFlags) fold() error {
	for _, set := range f.sets {
		name, value, ok := strings.Cut(set, "=")
		if !ok {
			return usagef("--set %q has no value (write --set %s=…)", set, name)
		}
		v, known := f.values[name]
		if !known {
			return usagef("--set: the tenants' table has no column %q that can be set%s", name, didYouMean("", name, f.names))
		}
		v.given = append(v.given, value)
	}
	f.sets = nil
	return nil
}

// fields returns the values that were given, by column, after PostgreSQL has looked at each.
func (f *columnFlags) fields(ctx context.Context, r *registry.Registry) (map[string]any, error) {
	fields := make(map[string]any)
	for _, c := range f.columns {
		v := f.values[c.Name]
		if len(v.given) == 0 {
			continue
		}
		text, err := v.text()
		if err == nil {
			err = r.CheckValue(ctx, c, text)
		}
		if err != nil {
			return nil, usagef("%s: %v (the column is %s)", v.flag, err, c.Type)
		}
		fields[c.Name] = text
	}
	return fields, nil
}

func (f *columnFlags) names(yield func(string) bool) {
	for _, c := range f.columns {
		if !yield(c.Name) {
			return
		}
	}
}

// missing are the columns that need a value and have none, as flags.
func (f *columnFlags) missing() []string {
	var flags []string
	for _, c := range f.columns {
		if c.Required && len(f.values[c.Name].given) == 0 {
			flags = append(flags, f.values[c.Name].flag)
		}
	}
	return flags
}

// ask asks for the columns that were not given. An empty answer is the default, or NULL.
func (f *columnFlags) ask(ctx context.Context, p *prompter, r *registry.Registry) error {
	for _, c := range f.columns {
		v := f.values[c.Name]
		if len(v.given) > 0 || c.Name == "status" {
			continue
		}
		answer, err := p.until(question(c), func(answer string) error {
			switch {
			case answer == "" && c.Required:
				return fmt.Errorf("%s needs a value", c.Name)
			case answer == "":
				return nil
			}
			text, err := (&columnValue{column: c, given: []string{answer}}).text()
			if err != nil {
				return err
			}
			return r.CheckValue(ctx, c, text)
		})
		if err != nil {
			return err
		}
		if answer != "" {
			v.given = []string{answer}
		}
	}
	return nil
}

// refused are the columns whose values the tenants' table did not take, if the error says so:
// a CHECK, a key or a unique index that they are part of, or NOT NULL.
func (f *columnFlags) refused(err error) (columns []string) {
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return nil
	}
	for _, c := range f.columns {
		_, constrained := c.Constraints[pgErr.ConstraintName]
		about := pgErr.ColumnName == c.Name || constrained || strings.HasPrefix(pgErr.Detail, "Key ("+c.Name+")=")
		if about && len(f.values[c.Name].given) > 0 && (pgx.Identifier{pgErr.SchemaName, pgErr.TableName}).Sanitize() == c.Table {
			columns = append(columns, c.Name)
		}
	}
	return columns
}

// asUsage names the flags whose values the tenants' table did not take, and its rule.
func (f *columnFlags) asUsage(err error) error {
	columns := f.refused(err)
	if len(columns) == 0 {
		return err
	}
	flags := make([]string, len(columns))
	for i, name := range columns {
		flags[i] = f.values[name].flag
	}
	pgErr, _ := errors.AsType[*pgconn.PgError](err)
	why := pgErr.Message
	switch pgErr.Code {
	case dberr.CheckViolation: // whose detail is the whole row
		why += ": " + f.values[columns[0]].column.Constraints[pgErr.ConstraintName]
	default:
		why += ": " + strings.TrimSuffix(pgErr.Detail, ".")
	}
	return usagef("%s: %s (SQLSTATE %s)", strings.Join(flags, " and "), strings.TrimSuffix(why, ": "), pgErr.Code)
}

// question asks for a column: "paid_until (date): ", "plan (free, pro) [free]: ".
func question(c registry.Column) string {
	what := c.Type
	if len(c.Labels) > 0 {
		what = strings.Join(c.Labels, ", ")
	}
	if text := defaultText(c); text != "" {
		return fmt.Sprintf("%s (%s) [%s]: ", c.Name, what, text)
	}
	return fmt.Sprintf("%s (%s): ", c.Name, what)
}

// literal is a default that is a text, as PostgreSQL writes it: 'free'::plan.
var literal = regexp.MustCompile(`^'([^']*)'::[\w ".]+$`)

// defaultText is the default of a column as people read it.
func defaultText(c registry.Column) string {
	if text := literal.FindStringSubmatch(c.Default); text != nil {
		return text[1]
	}
	return c.Default
}

// withColumns calls do with the tenancy and the arguments of a command that has a flag for
// each column. These are known when the database has been asked, so its flags are parsed
// twice: first those that lead there, then all. Help shows them too, if the database answers.
func (p *program) withColumns(cmd *cobra.Command, args []string, groups []flagGroup, f *tenantFlags, c *columnFlags, do func(tenancy *cotenant.Tenancy, rest []string) error) error {
	help, err := parseKnown(cmd, args)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	if help { // which is shown soon, also where no server answers
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, completionTimeout)
		defer cancel()
	}
	var columns []registry.Column
	tenancy, err := p.connect(ctx, cmd, &runFlags{databaseFlags: f.databaseFlags, outputFlags: outputFlags{verbosity: 1}}, "", cmd.ErrOrStderr())
	if err == nil {
		defer tenancy.Close()
		columns, err = tenancy.Registry().Columns(ctx)
		err = noTenancy(cmd, tenancy, err)
	}
	added := c.add(cmd, columns)
	if err != nil {
		added.title += " are not known: " + err.Error()
	}
	addGroups(cmd, "", slices.Insert(slices.Clone(groups), 1, added)...)
	switch {
	case help:
		return cmd.Help()
	case err != nil:
		return err
	}
	reset(cmd.Flags())
	if err := cmd.Flags().Parse(args); err != nil {
		return flagError(cmd, err)
	}
	if err := c.fold(); err != nil {
		return err
	}
	return do(tenancy, cmd.Flags().Args())
}

// parseKnown parses the flags that cmd has, and leaves out those that it does not have, with
// what may be their values. It reports whether help was asked for.
func parseKnown(cmd *cobra.Command, args []string) (help bool, err error) {
	var known []string
	for i := 0; i < len(args) && args[i] != "--"; i++ {
		flag, valued := flagOf(cmd.Flags(), args[i])
		if flag == nil {
			continue
		}
		known = append(known, args[i])
		if !valued && flag.NoOptDefVal == "" && i+1 < len(args) {
			i++
			known = append(known, args[i])
		}
	}
	if err := cmd.Flags().Parse(known); err != nil {
		return false, flagError(cmd, err)
	}
	return cmd.Flags().GetBool("help")
}

// reset takes back what has been parsed.
func reset(flags *pflag.FlagSet) {
	flags.VisitAll(func(flag *pflag.Flag) {
		if !flag.Changed {
			return
		}
		if list, ok := flag.Value.(pflag.SliceValue); ok {
			_ = list.Replace(nil)
		} else {
			_ = flag.Value.Set(flag.DefValue)
		}
		flag.Changed = false
	})
}

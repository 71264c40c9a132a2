package manage

import (
	"path"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant/migrate"
)

// selectFlags are the flags that choose schemas.
type selectFlags struct{ selection migrate.Selection }

func (f *selectFlags) group() flagGroup {
	g := newGroup("Which schemas (default all: public with the shared apps, then every tenant's)")
	s := &f.selection
	g.flags.StringArrayVar(&s.Schemas, "schema", nil, "only the schemas of this `name` or pattern, such as 'acme*' (repeatable; public is the shared apps)")
	g.flags.StringArrayVar(&s.Exclude, "exclude", nil, "not the schemas of this `name` or pattern (repeatable)")
	g.flags.BoolVar(&s.Shared, "shared", false, "only public, and so the shared apps (the same as --schema=public)")
	g.flags.BoolVar(&s.Tenant, "tenant", false, "only the tenants' schemas, and so the tenant apps")
	g.flags.BoolVar(&s.SkipPublic, "skip-public", false, "not public: what is left are the tenants' schemas")
	return g
}

// check refuses flags that cannot be meant.
func (f *selectFlags) check(cmd *cobra.Command) error {
	for _, c := range []conflict{
		{"shared", "tenant", "together they are all schemas: leave both out"},
		{"shared", "schema", "--schema=public is the same as --shared"},
		{"shared", "skip-public", "nothing would be left"},
	} {
		if err := c.check(cmd); err != nil {
			return err
		}
	}
	for flag, patterns := range map[string]*[]string{"schema": &f.selection.Schemas, "exclude": &f.selection.Exclude} {
		*patterns = splitted(*patterns)
		for _, pattern := range *patterns {
			if pattern == "" {
				return usagef("--%s is empty (give it a name or a pattern, or leave it out)", flag)
			}
			if _, err := path.Match(pattern, ""); err != nil {
				return usagef("--%s %q is no pattern (* stands for any characters, ? for one, [ab] for one of two)", flag, pattern)
			}
		}
	}
	return nil
}

// splitted takes lists of names apart: no schema has a comma in its name.
func splitted(lists []string) []string {
	var names []string
	for _, list := range lists {
		for name := range strings.SplitSeq(list, ",") {
			names = append(names, strings.TrimSpace(name))
		}
	}
	return names
}

// conflict is two flags that cannot be given together, and what to do.
type conflict struct{ a, b, cure string }

func (c conflict) check(cmd *cobra.Command) error {
	if cmd.Flags().Changed(c.a) && cmd.Flags().Changed(c.b) {
		return usagef("--%s and --%s exclude each other (%s)", c.a, c.b, c.cure)
	}
	return nil
}

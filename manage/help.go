package manage

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// flagGroup is flags that stand together in the help, under a title.
type flagGroup struct {
	title string
	flags *pflag.FlagSet
}

// newGroup returns an empty group, in which flags keep their order.
func newGroup(title string) flagGroup {
	g := flagGroup{title, pflag.NewFlagSet(title, pflag.ContinueOnError)}
	g.flags.SortFlags = false
	return g
}

// addGroups gives cmd the flags of the groups, and a help that shows them so, with a text
// at the end.
func addGroups(cmd *cobra.Command, end string, groups ...flagGroup) {
	cmd.Flags().SortFlags = false
	for _, g := range groups {
		g.flags.VisitAll(plainUsage)
		cmd.Flags().AddFlagSet(g.flags)
	}
	cmd.InitDefaultHelpFlag()
	other := newGroup("Other flags")
	other.flags.AddFlag(cmd.Flags().Lookup("help"))
	groups = append(groups, other)
	cmd.SetUsageFunc(func(cmd *cobra.Command) error { return usage(cmd, groups, end) })
}

// quotedUsage is where a flag has its usage with the `name` of its value.
const quotedUsage = "cotenant:usage"

// plainUsage has a flag's usage be as shells show it beside a completion.
func plainUsage(flag *pflag.Flag) {
	_, plain := pflag.UnquoteUsage(flag)
	if plain == flag.Usage {
		return
	}
	if flag.Annotations == nil {
		flag.Annotations = map[string][]string{}
	}
	flag.Annotations[quotedUsage] = []string{flag.Usage}
	flag.Usage = plain
}

// usages are the flags as the help shows them.
func (g flagGroup) usages() string {
	shown := newGroup(g.title)
	g.flags.VisitAll(func(flag *pflag.Flag) {
		f := *flag
		if quoted := f.Annotations[quotedUsage]; len(quoted) > 0 {
			f.Usage = quoted[0]
		}
		shown.flags.AddFlag(&f)
	})
	return shown.flags.FlagUsages()
}

// usage is cobra's, with the flags in groups, and a text at the end.
func usage(cmd *cobra.Command, groups []flagGroup, end string) error {
	w := cmd.OutOrStderr()
	fmt.Fprintf(w, "Usage:\n  %s\n", cmd.UseLine())
	if len(cmd.Aliases) > 0 {
		fmt.Fprintf(w, "\nAliases:\n  %s\n", strings.Join(cmd.Aliases, ", "))
	}
	if cmd.HasExample() {
		fmt.Fprintf(w, "\nExamples:\n%s\n", cmd.Example)
	}
	for _, g := range groups {
		fmt.Fprintf(w, "\n%s:\n%s", g.title, g.usages())
	}
	if cmd.HasAvailableInheritedFlags() {
		fmt.Fprintf(w, "\nGlobal flags:\n%s", cmd.InheritedFlags().FlagUsages())
	}
	_, err := io.WriteString(w, end)
	return err
}

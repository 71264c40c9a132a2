package manage

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// operand is something that a command is about: an argument, or the value of the flag that
// django-tenants has for it.
type operand struct {
	what  string // the schema of a tenant
	flag  string // schema
	value string
}

// operands are those of a command, in the order of its arguments.
type operands []*operand

// add gives them their flags.
func (o operands) add(g flagGroup) {
	for _, operand := range o {
		g.flags.StringVar(&operand.value, operand.flag, "", "`"+strings.ToUpper(operand.flag[strings.LastIndex(operand.flag, "-")+1:])+"`: "+operand.what+", in place of the argument")
	}
}

// take takes the arguments for those whose flag was not given.
func (o operands) take(cmd *cobra.Command, args []string) error {
	var open operands
	var whats []string
	for _, operand := range o {
		if cmd.Flags().Changed(operand.flag) {
			if operand.value == "" {
				return fmt.Errorf("--%s is empty (give it %s)", operand.flag, operand.what)
			}
			continue
		}
		open, whats = append(open, operand), append(whats, operand.what)
	}
	if len(args) != len(open) {
		wants := "leave it out: all is given by flags"
		if len(open) > 0 {
			wants = "give it " + strings.Join(whats, " and ")
		}
		return fmt.Errorf("there %s (%s)", areArguments(len(args)), wants)
	}
	for i, arg := range args {
		if arg == "" {
			return fmt.Errorf("argument %d is empty (give it %s)", i+1, open[i].what)
		}
		open[i].value = arg
	}
	return nil
}

func areArguments(n int) string {
	switch n {
	case 0:
		return "is no argument"
	case 1:
		return "is one argument"
	}
	return fmt.Sprintf("are %d arguments", n)
}

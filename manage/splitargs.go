package manage

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// splitArgs takes apart the arguments of a command that wraps another: its own flags, which
// may stand anywhere before --, and the other's command line.
func splitArgs(flags *pflag.FlagSet, args []string) (own, rest []string, external bool) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			if len(rest) == 0 {
				return own, args[i+1:], true
			}
			return own, append(rest, args[i:]...), false
		}
		flag, valued := flagOf(flags, arg)
		if flag == nil || len(rest) > 0 && !isTenantFlag(flag.Name) {
			rest = append(rest, arg)
			continue
		}
		own = append(own, arg)
		if !valued && flag.NoOptDefVal == "" && i+1 < len(args) {
			i++
			own = append(own, args[i])
		}
	}
	return own, rest, false
}

// flagOf returns the flag that an argument is, nil if it is none of them, and whether the
// argument has its value. Of letters that stand together all must be flags without a value:
// -vv, -qv.
func flagOf(flags *pflag.FlagSet, arg string) (flag *pflag.Flag, valued bool) {
	if name, long := strings.CutPrefix(arg, "--"); long {
		name, _, valued = strings.Cut(name, "=")
		return flags.Lookup(name), valued
	}
	letters, short := strings.CutPrefix(arg, "-")
	if !short || letters == "" {
		return nil, false
	}
	for _, letter := range letters {
		if letter > 0x7f {
			return nil, false
		}
		flag = flags.ShorthandLookup(string(letter))
		if flag == nil || flag.NoOptDefVal == "" {
			return nil, false
		}
	}
	return flag, false
}

// isTenantFlag reports whether a flag behind a command is not the command's.
func isTenantFlag(name string) bool {
	return slices.Contains([]string{"schema", "exclude", "skip-public"}, name)
}

package manage

import (
	"os"

	"github.com/spf13/cobra"
)

// unread returns what standard input is, "a file" or "a pipe", if something is known to be
// there that one program would read and the others not; else it is empty. It does not wait:
// what starts programs at night often gives them an open pipe in which nothing ever comes.
func unread(cmd *cobra.Command) string {
	file, ok := cmd.InOrStdin().(*os.File)
	if !ok {
		return ""
	}
	info, err := file.Stat()
	if err != nil {
		return ""
	}
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return "a file"
	case mode&os.ModeNamedPipe != 0 && available(file, info) > 0:
		return "a pipe"
	case mode&os.ModeSocket != 0 && available(file, info) > 0:
		return "a socket"
	}
	return ""
}

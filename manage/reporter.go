package manage

import (
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant/migrate"
)

// reporter shows how a run goes. It is safe for concurrent use.
type reporter interface {
	// Write takes the lines of the log.
	io.Writer
	// start is told how many more schemas there are to work on.
	start(schemas int)
	result(r migrate.Result)
	note(text string)
	// finish shows the outcome; err is what the command returns.
	finish(report *migrate.Report, err error, took time.Duration)
	// end must be called in the end, also where there is no outcome.
	end()
}

func newReporter(cmd *cobra.Command, f *outputFlags) reporter {
	if f.json {
		return newJSONReporter(cmd)
	}
	return newTextReporter(cmd, f.verbosity)
}

// most bounds what is shown of failures and differences: thousands have one reason.
const most = 100

// reason is why a schema failed, with its name in front.
func reason(r migrate.Result) string {
	text := r.Err.Error()
	if name := r.Schema.String(); !strings.Contains(text, strconv.Quote(name)) {
		text = `schema "` + name + `": ` + text
	}
	return text
}

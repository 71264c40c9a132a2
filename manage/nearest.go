package manage

import (
	"fmt"
	"iter"

	"github.com/agext/levenshtein"
)

// didYouMean returns a question for the known name that is nearest to what was written,
// with a space in front; it is empty if none is near. mark stands before a name where it
// is shown.
func didYouMean(mark, written string, known iter.Seq[string]) string {
	best, distance := "", len(written)/2+1
	for name := range known {
		if d := levenshtein.Distance(written, name, nil); d < distance {
			best, distance = name, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %s%s?)", mark, best)
}

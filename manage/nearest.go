package manage

import (
	"fmt"
	"iter"
	"slices"

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

// didYouMeanOf is didYouMean that names some of the known names where none is near, and says
// none where there are none.
func didYouMeanOf(written string, known []string, none string) string {
	if near := didYouMean("", written, slices.Values(known)); near != "" {
		return near
	}
	if len(known) == 0 {
		return " (" + none + ")"
	}
	return fmt.Sprintf(" (there is %s)", someNames(known, len(known), few))
}

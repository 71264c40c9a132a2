package doctor_test

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/cotenant/cotenant/doctor"
)

// The list of the checks in the package's documentation is that of the code.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, m := range regexp.MustCompile(`(?m)^//   - ([a-z-]+) \(`).FindAllStringSubmatch(string(text), -1) {
		listed = append(listed, m[1])
	}
	if !slices.Equal(listed, doctor.Checks()) {
		t.Errorf("doc.go lists %q\nand there are %q", listed, doctor.Checks())
	}
}

package manage_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/manage"
)

// Under the name of the program, the test binary is the program.
func TestMain(m *testing.M) {
	switch filepath.Base(os.Args[0]) {
	case "cotenant":
		os.Exit(manage.Main(manage.Config{Project: true}))
	case "shopctl":
		os.Exit(manage.Main(shopctl()))
	}
	testdb.Main(m)
}

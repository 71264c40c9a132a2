package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cotenant/cotenant/internal/testdb"
)

// Under the name of the program, the test binary is the program.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "cotenant" {
		main()
	}
	testdb.Main(m)
}

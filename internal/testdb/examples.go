package testdb

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// Examples runs the tests of a package of examples and exits: it is the body of its
// TestMain. An example has no testing.TB to ask New with, and is to be copied by
// users: it reads DATABASE_URL as their programs do, and finds a fresh, empty
// database there, the same for all examples of the package, which is dropped in the
// end. Goroutines that are left over fail the run, as with Main.
func Examples(m *testing.M, ignore ...goleak.Option) {
	code := runExamples(m)
	end(code, ignore...)
}

func runExamples(m *testing.M) (code int) {
	failed := func(doing string, err error) int {
		fmt.Fprintf(os.Stderr, "testdb: %s: %v\n", doing, err)
		return 1
	}
	s, err := server()
	if err != nil {
		return failed("server", err)
	}
	name, address, err := create(s)
	if err != nil {
		return failed("examples", err)
	}
	defer func() {
		if err := drop(s, name); err != nil {
			code = failed("drop database", err)
		}
	}()
	if err := os.Setenv("DATABASE_URL", address); err != nil {
		return failed("DATABASE_URL", err)
	}
	return m.Run()
}

// Example returns the URL of a fresh, empty database for one example that stands beside
// the tests of a package, and the function that drops it. It panics if there is none: an
// example has no testing.TB.
func Example() (address string, done func()) {
	s, err := server()
	if err != nil {
		panic(fmt.Errorf("testdb: %w", err))
	}
	name, address, err := create(s)
	if err != nil {
		panic(fmt.Errorf("testdb: %w", err))
	}
	return address, func() {
		if err := drop(s, name); err != nil {
			panic(fmt.Errorf("testdb: drop database: %w", err))
		}
	}
}

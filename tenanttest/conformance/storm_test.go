package conformance_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/tenanttest/conformance"
)

// The flags of the long form, which "make storm" is.
var (
	stormOperations  = flag.Int64("storm.operations", 0, "operations of each way in (default 2500, 800 with -short)")
	stormTenants     = flag.Int("storm.tenants", 0, "tenants (default 40)")
	stormGoroutines  = flag.Int("storm.goroutines", 0, "goroutines (default 16)")
	stormConnections = flag.Int("storm.connections", 0, "connections (default 8)")
	stormFaults      = flag.Int("storm.faults", 0, "of a thousand operations, how many have a fault (default 48)")
	stormSeed        = flag.Uint64("storm.seed", 1, "seed of the random choices")
	stormWay         = flag.String("storm.way", "", "part of the names of the ways in to try (default all)")
	stormTable       = flag.String("storm.table", "", "file to append the table to")
)

// Everything at once: no row is read or written where it does not belong.
func TestStorm(t *testing.T) { //nolint:tparallel // one at a time, so that the rates say something
	t.Parallel()

	for _, c := range matrix() { //nolint:paralleltest // likewise
		if c.in.refusal(c) != nil || !strings.Contains(c.String(), *stormWay) || testing.Short() && !c.short() {
			continue
		}
		t.Run(c.String(), func(t *testing.T) {
			url := testdb.New(t)
			report, err := conformance.Storm(t.Context(), c.way(t, url), stormConfig(url))
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("\n%s\n%s", conformance.Header, report)
			if err := report.Err(); err != nil {
				t.Error(err)
			}
			if report.Switches == 0 || report.Written == 0 {
				t.Error("it was no storm")
			}
			record(t, report)
		})
	}
}

// stormConfig is what the flags say, or a form that is short enough for every day.
func stormConfig(url string) conformance.Config {
	config := conformance.Config{
		Connections: *stormConnections, Faults: *stormFaults, Goroutines: *stormGoroutines, Operations: *stormOperations,
		Seed: *stormSeed, Tenants: *stormTenants, URL: url,
	}
	if config.Operations == 0 {
		config.Operations = 2500
		if testing.Short() {
			config.Operations = 800
		}
	}
	if config.Tenants == 0 {
		config.Tenants = 40
	}
	return config
}

// record appends the report to the table that was asked for.
func record(t *testing.T, report *conformance.Report) {
	t.Helper()
	if *stormTable == "" {
		return
	}
	file, err := os.OpenFile(*stormTable, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintln(file, report); err != nil {
		t.Error(err)
	}
	if err := file.Close(); err != nil {
		t.Error(err)
	}
}

package house_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/cotenant/cotenant"

// A floor of the house. A package imports lower ones only, and nothing of its
// own floor.
type floor int

// The floors, lowest first.
const (
	floor0   floor = iota // the words that everything speaks
	leaves                // internal packages, each for itself
	floor1                // one thing made tenant-aware
	floor2                // the front door, and apps on top of it
	floor3                // what users embed: commands and test helpers
	examples              // what users copy
	floor4                // programs
)

func (f floor) String() string {
	return [...]string{"floor 0", "a leaf just above floor 0", "floor 1", "floor 2", "floor 3", "an example just above floor 3", "floor 4"}[f]
}

// floors is the table: a package by its path here, or with "/..." all those
// below it; the root goes by its name. A package brings its own internal
// packages along.
var floors = map[string]floor{
	"tenant":       floor0,
	"internal/...": leaves,

	"drift":       floor1,
	"fixture":     floor1,
	"httptenant":  floor1,
	"migrate":     floor1,
	"pgxtenant":   floor1,
	"registry":    floor1,
	"rivertenant": floor1,
	"slogtenant":  floor1,
	"sqltenant":   floor1,

	"adopt":    floor2,
	"auth":     floor2,
	"check":    floor2,
	"cotenant": floor2,
	"doctor":   floor2,

	"manage":                 floor3,
	"tenanttest":             floor3,
	"tenanttest/conformance": floor3,

	"examples/...": examples,

	"bench":        floor4,
	"bench/...":    floor4,
	"cmd/cotenant": floor4,
}

// sideways are the imports within a floor that have a reason.
var sideways = map[[2]string]string{
	{"cotenant", "adopt"}:                       "an adoption works over the pool for cotenant's own statements, which the tenancy gives to nobody",
	{"bench/access", "bench/internal/frame"}:    "the benchmarks start alike",
	{"bench/drift", "bench/internal/frame"}:     "the benchmarks start alike",
	{"bench/fixtures", "bench/internal/frame"}:  "the benchmarks start alike",
	{"bench/schemas", "bench/internal/frame"}:   "the benchmarks start alike",
	{"bench/access", "bench/internal/report"}:   "the benchmarks print alike",
	{"bench/drift", "bench/internal/child"}:     "the benchmarks run themselves once more alike",
	{"bench/drift", "bench/internal/large"}:     "the benchmarks make the same large schemas",
	{"bench/drift", "bench/internal/memory"}:    "the benchmarks look at memory alike",
	{"bench/drift", "bench/internal/report"}:    "the benchmarks print alike",
	{"bench/fixtures", "bench/internal/child"}:  "the benchmarks run themselves once more alike",
	{"bench/fixtures", "bench/internal/memory"}: "the benchmarks look at memory alike",
	{"bench/fixtures", "bench/internal/report"}: "the benchmarks print alike",
	{"bench/schemas", "bench/internal/child"}:   "the benchmarks run themselves once more alike",
	{"bench/schemas", "bench/internal/large"}:   "the benchmarks make the same large schemas",
	{"bench/schemas", "bench/internal/memory"}:  "the benchmarks look at memory alike",
	{"bench/schemas", "bench/internal/report"}:  "the benchmarks print alike",
	{"internal/devpg", "internal/dberr"}:        "DATABASE_URL fails in the words that Open has for it",
	{"internal/scope", "internal/searchpath"}:   "an owner's path is written as every other",
	{"internal/testdb", "internal/devpg"}:       "the tests' database is a development server",
	{"internal/testdb", "internal/pgbouncer"}:   "and the tests' pooler stands in front of it",
}

// development is what starts a PostgreSQL server on a developer's machine, or what
// stands in front of one, and mayDevelop who may lead to it. Nobody else's program
// should carry it.
var (
	development = []string{module + "/internal/devpg", module + "/internal/pgbouncer", "github.com/fergusstrange/embedded-postgres"}
	mayDevelop  = []string{"bench", "bench/access", "bench/drift", "bench/fixtures", "bench/schemas", "cmd/cotenant", "internal/devpg", "internal/pgbouncer", "internal/testdb"}
)

// imports has, for some packages, all that they may import besides the standard
// library, directly or not.
var imports = map[string][]string{
	"tenant": {"golang.org/x/net/idna", "golang.org/x/text"},
}

// modules has, for what a program may import, the modules of others that it
// pays for. One more is a decision, and a line of the changelog.
var modules = map[string][]string{
	"pgxtenant": {
		"github.com/hashicorp/golang-lru/v2",
		"github.com/jackc/pgpassfile",
		"github.com/jackc/pgservicefile",
		"github.com/jackc/pgx/v5",
		"github.com/jackc/puddle/v2",
		"golang.org/x/net",
		"golang.org/x/sync",
		"golang.org/x/text",
	},
	"sqltenant": {
		"github.com/hashicorp/golang-lru/v2",
		"github.com/jackc/pgpassfile",
		"github.com/jackc/pgservicefile",
		"github.com/jackc/pgx/v5",
		"golang.org/x/net",
		"golang.org/x/text",
	},
	"httptenant": {
		"golang.org/x/net",
		"golang.org/x/text",
	},
	"cotenant": {
		"github.com/agext/levenshtein",     // the nearest name of an app or a schema
		"github.com/aymanbagabas/go-udiff", // the lines in which a function or a view differs
		"github.com/cenkalti/backoff/v5",   // between attempts at a schema
		"github.com/hashicorp/golang-lru/v2",
		"github.com/jackc/pgpassfile",
		"github.com/jackc/pgservicefile",
		"github.com/jackc/pgx/v5",
		"github.com/jackc/puddle/v2",
		"golang.org/x/net",
		"golang.org/x/sync",
		"golang.org/x/text",
	},
	"fixture": {
		"github.com/agext/levenshtein",       // the nearest name of a table or a column
		"github.com/go-json-experiment/json", // JSON as a stream, of what encoding/json/v2 is made
		"github.com/jackc/pgpassfile",
		"github.com/jackc/pgservicefile",
		"github.com/jackc/pgx/v5",
		"golang.org/x/net",
		"golang.org/x/text",
	},
	"auth": { // migrate's, and what passwords and sessions are made of
		"github.com/agext/levenshtein",
		"github.com/alexedwards/argon2id", // hashes of passwords
		"github.com/alexedwards/scs/v2",   // sessions
		"github.com/cenkalti/backoff/v5",
		"github.com/dlclark/regexp2", // zxcvbn's
		"github.com/jackc/pgpassfile",
		"github.com/jackc/pgservicefile",
		"github.com/jackc/pgx/v5",
		"github.com/jackc/puddle/v2",
		"github.com/trustelem/zxcvbn", // passwords that others guess first
		"golang.org/x/crypto",         // Argon2id itself
		"golang.org/x/net",
		"golang.org/x/sync",
		"golang.org/x/sys",
		"golang.org/x/text",
	},
	"check": { // migrate's and registry's, and PostgreSQL's grammar
		"github.com/agext/levenshtein",
		"github.com/cenkalti/backoff/v5",
		"github.com/hashicorp/golang-lru/v2",
		"github.com/jackc/pgpassfile",
		"github.com/jackc/pgservicefile",
		"github.com/jackc/pgx/v5",
		"github.com/jackc/puddle/v2",
		"github.com/tetratelabs/wazero",      // runs the grammar
		"github.com/wasilibs/go-pgquery",     // the grammar, as WebAssembly
		"github.com/wasilibs/wazero-helpers", // memory for it
		"golang.org/x/net",
		"golang.org/x/sync",
		"golang.org/x/sys",
		"golang.org/x/text",
	},
	"manage": { // cotenant's, and what a command line is made of
		"github.com/agext/levenshtein",
		"github.com/alexedwards/argon2id",
		"github.com/alexedwards/scs/v2",
		"github.com/aymanbagabas/go-udiff",
		"github.com/cenkalti/backoff/v5",
		"github.com/dlclark/regexp2",
		"github.com/go-json-experiment/json", // fixtures
		"github.com/hashicorp/golang-lru/v2",
		"github.com/jackc/pgpassfile",
		"github.com/jackc/pgservicefile",
		"github.com/jackc/pgx/v5",
		"github.com/jackc/puddle/v2",
		"github.com/mitchellh/colorstring",
		"github.com/pelletier/go-toml/v2",
		"github.com/rivo/uniseg",
		"github.com/schollz/progressbar/v3",
		"github.com/spf13/cobra",
		"github.com/spf13/pflag",
		"github.com/tetratelabs/wazero",
		"github.com/trustelem/zxcvbn",
		"github.com/wasilibs/go-pgquery",
		"github.com/wasilibs/wazero-helpers",
		"golang.org/x/crypto",
		"golang.org/x/net",
		"golang.org/x/sync",
		"golang.org/x/sys",
		"golang.org/x/term",
		"golang.org/x/text",
	},
}

func TestHouse(t *testing.T) {
	t.Parallel()

	// The go command reads the sources, not we. Where we have looked, "go test"
	// notices a change and does not answer from its cache.
	err := filepath.WalkDir("../..", func(_ string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && (d.Name() == ".git" || d.Name() == ".bin") {
			return filepath.SkipDir
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // another test's file, gone by now
		t.Fatal(err)
	}

	for _, goos := range []string{"linux", "darwin", "windows"} {
		t.Run(goos, func(t *testing.T) {
			t.Parallel()
			h := load(t, goos)
			here := goos == runtime.GOOS // a module that only another platform needs may be missing
			found := map[string]bool{}
			for path, p := range h {
				if p.Error != nil && (here || isOurs(path)) {
					t.Errorf("package %s: %s", path, p.Error.Err)
				}
				if !isOurs(path) {
					continue
				}
				found[name(path)] = true
				h.checkFloor(t, p)
				h.checkDevelopment(t, p)
				h.checkImports(t, p)
				if here {
					h.checkModules(t, p)
				}
			}
			for _, pkg := range append(slices.Collect(maps.Keys(modules)), slices.Collect(maps.Keys(imports))...) {
				if !found[pkg] {
					t.Errorf("package %q has a list in internal/house/house_test.go, and does not exist", pkg)
				}
			}
		})
	}
}

// listed is a package as "go list -json" shows it.
type listed struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Deps       []string
	Module     *struct{ Path string }
	Error      *struct{ Err string }
}

// house is every package of the workspace and all that they need, by import path.
type house map[string]*listed

// load asks the go command about one platform. It needs no network: with -e a
// module that is not in the cache is an error in its package's place only.
func load(t *testing.T, goos string) house {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-deps", "-json=ImportPath,Standard,Imports,Deps,Module,Error", "work")
	cmd.Env = append(os.Environ(), "GOOS="+goos, "CGO_ENABLED=0", "GOFLAGS=-mod=readonly", "GOPROXY=off")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, &stderr)
	}
	h := house{}
	for d := json.NewDecoder(strings.NewReader(string(output))); ; {
		p := new(listed)
		if err := d.Decode(p); errors.Is(err, io.EOF) {
			return h
		} else if err != nil {
			t.Fatalf("%v: %v", cmd, err)
		}
		h[p.ImportPath] = p
	}
}

// checkFloor looks at the imports themselves: that each is lower than its
// importer makes all the others lower too.
func (h house) checkFloor(t *testing.T, p *listed) {
	t.Helper()
	from := name(p.ImportPath)
	home, fromFloor, ok := place(from)
	if !ok {
		t.Errorf("package %q has no floor (add it to floors in internal/house/house_test.go)", from)
		return
	}
	for _, path := range p.Imports {
		if !isOurs(path) {
			continue
		}
		to := name(path)
		toHome, toFloor, ok := place(to)
		if !ok || toFloor < fromFloor || home == toHome || sideways[[2]string{from, to}] != "" {
			continue // one without a place fails on its own account
		}
		t.Errorf("package %q (%v) imports %q (%v): imports run downwards only (move what both need to a lower floor, or declare a small interface in %[1]q)",
			from, fromFloor, to, toFloor)
	}
}

func (h house) checkDevelopment(t *testing.T, p *listed) {
	t.Helper()
	if home, _, _ := place(name(p.ImportPath)); slices.Contains(mayDevelop, home) {
		return
	}
	for _, path := range p.Deps {
		if slices.ContainsFunc(development, func(d string) bool { return within(path, d) }) {
			t.Errorf("package %q depends on %s, which only %q may (import it in a _test.go file)", name(p.ImportPath), path, mayDevelop)
		}
	}
}

func (h house) checkImports(t *testing.T, p *listed) {
	t.Helper()
	allowed, ok := imports[name(p.ImportPath)]
	if !ok {
		return
	}
	for _, path := range p.Deps {
		if !h[path].Standard && !slices.ContainsFunc(allowed, func(a string) bool { return within(path, a) }) {
			t.Errorf("package %q depends on %s; besides the standard library it may on %q only", name(p.ImportPath), path, allowed)
		}
	}
}

func (h house) checkModules(t *testing.T, p *listed) {
	t.Helper()
	want, ok := modules[name(p.ImportPath)]
	if !ok {
		return
	}
	paid := map[string]bool{}
	for _, path := range p.Deps {
		if m := h[path].Module; m != nil && !isOurs(m.Path) {
			paid[m.Path] = true
		}
	}
	if got := slices.Sorted(maps.Keys(paid)); !slices.Equal(got, want) {
		t.Errorf("a program that imports package %q depends on\n\t%s\nwant\n\t%s",
			name(p.ImportPath), strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// place returns the floor of one of our packages and the package whose home it
// shares: home and what is below its internal directory import each other freely.
func place(pkg string) (home string, f floor, ok bool) {
	home = pkg
	if before, _, inside := strings.Cut(pkg, "/internal/"); inside {
		home = before
	}
	if f, ok = floors[home]; ok {
		return home, f, true
	}
	// The first two elements name one example, one leaf.
	parent, rest, ok := strings.Cut(home, "/")
	if !ok {
		return "", 0, false
	}
	child, _, _ := strings.Cut(rest, "/")
	f, ok = floors[parent+"/..."]
	return parent + "/" + child, f, ok
}

// name is how this file calls one of our packages: its path in the repository,
// and the root's name for the root.
func name(importPath string) string {
	return strings.TrimPrefix(cmp.Or(strings.TrimPrefix(importPath, module), "cotenant"), "/")
}

func isOurs(path string) bool { return within(path, module) }

func within(path, parent string) bool {
	return path == parent || strings.HasPrefix(path, parent+"/")
}

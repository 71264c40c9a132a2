package conformance

import (
	"fmt"
	"strings"

	"github.com/cotenant/cotenant/tenant"
)

// copyTraps are COPY both ways.
func copyTraps() []trap {
	return []trap{
		{"copy in", copyIn},
		{"copy out", copyOut},
		{"copy that fails", copyFails},
	}
}

// things returns n rows of things.
func things(t *tenant.Tenant, n int) [][]any {
	made := make([][]any, n)
	for i := range made {
		made[i] = []any{t.ID, "copied"}
	}
	return made
}

func thingsColumns() []string { return []string{"owner", "name"} }

func copyIn(tr *trial) {
	c := needs[Copier](tr)
	for _, n := range []int{1, 0, 5000, 1} { // the data of a large one is cut anywhere
		for _, t := range []*tenant.Tenant{tr.a, tr.b} {
			copied, err := c.CopyIn(tr.as(t), "things", thingsColumns(), things(t, n))
			if err != nil || copied != int64(n) {
				tr.Errorf("%d rows as %v: %d, %v", n, t, copied, err)
			}
			tr.reads(tr, t)
		}
	}
}

func copyOut(tr *trial) {
	c := needs[Copier](tr)
	for range 3 {
		for _, t := range []*tenant.Tenant{tr.a, tr.b} {
			out, err := c.CopyOut(tr.as(t), "COPY things (owner) TO STDOUT")
			if err != nil || string(out) != fmt.Sprintln(t.ID) {
				tr.Errorf("%v: %q, %v", t, out, err)
			}
		}
	}
}

// After a COPY that failed pgx still sends data, which must not be taken for the
// beginning of something.
func copyFails(tr *trial) {
	c := needs[Copier](tr)
	for i := range 60 {
		t, other := tr.a, tr.b
		if i%2 == 1 {
			t, other = other, t
		}
		bad := append(things(t, i*20), []any{nil, strings.Repeat("x", i*100)})
		if i%3 == 0 { // the error comes while pgx sends more
			bad = append([][]any{{nil, "bad"}}, append(things(t, 100), []any{t.ID, strings.Repeat("x", i<<13)})...)
		}
		if _, err := c.CopyIn(tr.as(t), "things", thingsColumns(), bad); err == nil {
			tr.Fatal("a row without an owner was copied")
		}
		if _, err := c.CopyIn(tr.as(t), "nowhere", thingsColumns(), bad); err == nil {
			tr.Fatal("rows were copied into a table that is not there")
		}
		tr.reads(tr, other)
		tr.owns(tr, t)
	}
}

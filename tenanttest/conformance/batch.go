package conformance

import (
	"slices"

	"github.com/cotenant/cotenant/tenant"
)

// batchTraps are several statements that are sent at once.
func batchTraps() []trap {
	return []trap{
		{"batch", batchReads},
		{"batch that fails", batchFails},
		{"batch with a transaction inside", batchTransaction},
		{"batch with the path inside", batchPath},
	}
}

const insertThing = "INSERT INTO things VALUES ($1, 'batch')"

// owners is a Row that collects owners.
func owners(found *[]int64) Row {
	return func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		*found = append(*found, id)
		return err
	}
}

// own complains if there are none, or others than the tenant's own.
func (tr *trial) own(t *tenant.Tenant, found []int64) {
	tr.Helper()
	if len(found) == 0 || slices.ContainsFunc(found, func(id int64) bool { return id != t.ID }) {
		tr.Errorf("%v, id %d, read rows of %v", t, t.ID, found)
	}
}

func batchReads(tr *trial) {
	b := needs[Batcher](tr)
	for range 4 {
		for _, t := range []*tenant.Tenant{tr.a, tr.b} {
			var found []int64
			err := b.Batch(tr.as(t),
				Statement{SQL: insertThing, Args: []any{t.ID}},
				Statement{SQL: "SELECT owner FROM things", Row: owners(&found)},
				Statement{SQL: "SELECT owner FROM people WHERE mood = $1", Args: []any{label(t.ID)}, Row: owners(&found)},
				Statement{SQL: "SELECT whoami()", Row: owners(&found)})
			tr.must("batch", err)
			tr.own(t, found)
		}
	}
}

// A statement that fails takes the whole batch with it.
func batchFails(tr *trial) {
	b := needs[Batcher](tr)
	for range 4 {
		for _, t := range []*tenant.Tenant{tr.a, tr.b} {
			err := b.Batch(tr.as(t),
				Statement{SQL: "INSERT INTO things VALUES ($1, 'never')", Args: []any{t.ID}},
				Statement{SQL: "SELECT 1/(n - n) FROM things"},
				Statement{SQL: "INSERT INTO things VALUES ($1, 'never')", Args: []any{t.ID}})
			if sqlstate(err) != "22012" {
				tr.Errorf("%v: %v; want division by zero", t, err)
			}
			n, err := one[int64](tr.as(t), tr, "SELECT count(*) FROM things WHERE name = 'never'")
			if err != nil || n != 0 {
				tr.Errorf("%v: %d rows of a batch that failed, %v", t, n, err)
			}
		}
	}
}

// A ROLLBACK puts the path back, so that what stands behind it would run elsewhere.
func batchTransaction(tr *trial) {
	b := needs[Batcher](tr)
	for _, end := range []string{"COMMIT", "ROLLBACK", "ABORT", "/* a comment */ rollback", "ROLLBACK AND CHAIN", "COMMIT AND CHAIN"} {
		for _, t := range []*tenant.Tenant{tr.a, tr.b} {
			for _, begin := range []string{"BEGIN", "SELECT 1"} {
				var found []int64
				err := b.Batch(tr.as(t),
					Statement{SQL: begin}, Statement{SQL: insertThing, Args: []any{t.ID}}, Statement{SQL: end},
					Statement{SQL: insertThing, Args: []any{t.ID}},
					Statement{SQL: "SELECT owner FROM things", Row: owners(&found)})
				tr.harmless(begin+" … "+end, err)
				if err == nil {
					tr.own(t, found)
				}
				tr.owns(tr, t)
			}
		}
	}
}

func batchPath(tr *trial) {
	b := needs[Batcher](tr)
	for range 3 {
		tr.harmless("RESET in a batch", b.Batch(tr.as(tr.a), Statement{SQL: "RESET search_path"}))
		tr.owns(tr, tr.a)
		tr.harmless("SET in a batch", b.Batch(tr.as(tr.a), Statement{SQL: "SET search_path TO " + tr.b.Schema.String()}))
		tr.owns(tr, tr.a)
		tr.owns(tr, tr.b)
	}
}

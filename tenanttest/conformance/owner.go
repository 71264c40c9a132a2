package conformance

import (
	"context"
	"errors"
	"strings"

	"github.com/cotenant/cotenant/tenant"
)

// ownerTraps are calls for nobody, and for somebody else than a transaction was
// begun for.
func ownerTraps() []trap {
	return []trap{
		{"no tenant", func(tr *trial) { tr.refused(tr.ctx, tenant.ErrNoTenant) }},
		{"a tenant that is being created", func(tr *trial) {
			pending, _ := tenant.NewPending(tr.ctx, tr.a)
			tr.refused(pending, tenant.ErrUncommitted)
		}},
		{"a schema that never was", func(tr *trial) {
			tr.refused(tenant.NewContext(tr.ctx, &tenant.Tenant{ID: 1 << 40, Schema: tenant.MustParseSchema("never_was")}), nil)
		}},
		{"the public tenant", publicTenant},
		{"another tenant's context", otherContext},
	}
}

// withID returns sql with the tenant's id.
func withID(sql string, t *tenant.Tenant) string {
	return strings.ReplaceAll(sql, "$id", literal(t.ID))
}

// refused makes every kind of call, after a tenant's: each must fail.
func (tr *trial) refused(ctx context.Context, want error) {
	tr.Helper()
	const write = "INSERT INTO things VALUES (0, 'refused')"
	calls := map[string]func() error{
		"Exec":  func() error { _, err := tr.Exec(ctx, write); return err },
		"args":  func() error { _, err := tr.Exec(ctx, insertThing, 0); return err },
		"Query": func() error { _, err := all[int64](ctx, tr, "SELECT owner FROM things"); return err },
		"Begin": func() error {
			tx, err := tr.Begin(ctx)
			if err == nil {
				_, err = tx.Exec(ctx, write)
				err = errors.Join(err, tx.Commit(ctx))
			}
			return err
		},
	}
	if a, ok := tr.Access.(Acquirer); ok {
		calls["Acquire"] = func() error {
			conn, err := a.Acquire(ctx)
			if err == nil {
				_, err = conn.Exec(ctx, write)
				conn.Release()
			}
			return err
		}
	}
	if c, ok := tr.Access.(Copier); ok {
		calls["CopyIn"] = func() error {
			_, err := c.CopyIn(ctx, "things", thingsColumns(), [][]any{{0, "refused"}})
			return err
		}
		calls["CopyOut"] = func() error { _, err := c.CopyOut(ctx, "COPY things TO STDOUT"); return err }
	}
	if b, ok := tr.Access.(Batcher); ok {
		calls["Batch"] = func() error { return b.Batch(ctx, Statement{SQL: write}, Statement{SQL: "SELECT 1"}) }
	}
	for name, call := range calls {
		tr.owns(tr, tr.a)
		tr.mustBe(name, call(), want)
	}
	tr.owns(tr, tr.b)
}

// mustBe complains unless err is want, or any error if that is nil.
func (tr *trial) mustBe(what string, err, want error) {
	tr.Helper()
	if err == nil || want != nil && !errors.Is(err, want) {
		tr.Errorf("%s: %v; want a refusal, %v", what, err, want)
	}
}

func publicTenant(tr *trial) {
	tr.owns(tr, tr.a)
	found, err := all[int64](tenant.Public(tr.ctx), tr, "SELECT owner FROM things")
	tr.must("read public", err)
	if len(found) != decoys || found[0] != nobody {
		tr.Errorf("public: rows of %v", found)
	}
	tr.owns(tr, tr.b)
}

// A transaction belongs to the tenant that began it. Where that is not checked, it
// goes on for that tenant.
func otherContext(tr *trial) {
	tr.promises(tr.way.Owned)
	tx := tr.begin(tr.a)
	for name, ctx := range map[string]context.Context{"another tenant": tr.as(tr.b), "no tenant": tr.ctx} {
		if _, err := tx.Exec(ctx, insertThing, tr.b.ID); err == nil {
			tr.Errorf("transaction, %s: written", name)
		}
		if found, err := all[int64](ctx, tx, "SELECT owner FROM things"); err == nil {
			tr.Errorf("transaction, %s: read rows of %v", name, found)
		}
	}
	tr.owns(tx, tr.a)
	tr.must("commit", tx.Commit(tr.ctx))
	if acquirer, ok := tr.Access.(Acquirer); ok {
		conn, err := acquirer.Acquire(tr.as(tr.a))
		tr.must("acquire", err)
		defer conn.Release()
		if _, err := conn.Exec(tr.as(tr.b), insertThing, tr.b.ID); err == nil {
			tr.Error("connection, another tenant: written")
		}
		tr.owns(conn, tr.a)
	}
}

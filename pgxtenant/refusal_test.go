package pgxtenant_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/tenant"
)

// Another tenant's context, and none, is refused on what pgx itself gives out,
// before anything is sent and without harm to the connection; what ends a
// transaction or a savepoint works with any.
func TestRefusalOnPlainConnections(t *testing.T) {
	t.Parallel()

	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
		w := &writes{}
		db := newDB(t, twoTenants, w.count, func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = mode })
		a, b := as(t, 1, "a"), as(t, 2, "b")

		ours, err := db.Acquire(a)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := db.Pool().Acquire(a)
		if err != nil {
			t.Fatal(err)
		}
		tx, err := db.Pool().Begin(a)
		if err != nil {
			t.Fatal(err)
		}
		savepoint, err := tx.Begin(a)
		if err != nil {
			t.Fatal(err)
		}
		for what, s := range map[string]statements{"Conn.Conn": ours.Conn(), "Pool().Acquire": theirs, "Pool().Begin": tx, "savepoint": savepoint, "Tx.Conn": tx.Conn()} {
			for name, call := range calls(a, s) { // warm
				if name == "Begin" {
					continue
				}
				if err := call(); err != nil {
					t.Fatalf("%v: %s on %s: %v", mode, name, what, err)
				}
			}
			for want, ctx := range map[error]context.Context{tenant.ErrOtherTenant: b, tenant.ErrNoTenant: t.Context()} {
				for name, call := range calls(ctx, s) {
					if name == "Begin" {
						continue
					}
					n := w.during(t, func() error {
						if err := call(); !errors.Is(err, want) {
							t.Errorf("%v: %s on %s: %v; want %v", mode, name, what, err, want)
						}
						return nil
					})
					if n != 0 {
						t.Errorf("%v: %s on %s: %d writes", mode, name, what, n)
					}
				}
			}
			if _, err := s.Exec(a, "SELECT 1"); err != nil {
				t.Errorf("%v: the tenant's own call on %s after the refusals: %v", mode, what, err)
			}
		}
		if _, err := tx.Prepare(b, "p", "SELECT 1"); !errors.Is(err, tenant.ErrOtherTenant) {
			t.Errorf("Prepare: %v", err)
		}
		if _, err := tx.Begin(b); !errors.Is(err, tenant.ErrOtherTenant) {
			t.Errorf("Begin of a savepoint: %v", err)
		}
		if err := errors.Join(savepoint.Rollback(b), tx.Commit(t.Context())); err != nil {
			t.Error(err)
		}
		if _, err := ours.Conn().Begin(b); !errors.Is(err, tenant.ErrOtherTenant) {
			t.Errorf("Begin: %v", err)
		}
		ours.Release()
		theirs.Release()
		var public, inB int
		if err := db.QueryRow(a, "SELECT (SELECT count(*) FROM public.things), (SELECT count(*) FROM b.things)").Scan(&public, &inB); err != nil || public+inB != 0 {
			t.Errorf("%v: rows in public, b: %d, %d, %v", mode, public, inB, err)
		}
	}
}

// The context of a tenant without the shared tables is another one than that with
// them: the path of a transaction does not change.
func TestRefusalOfAnotherPath(t *testing.T) {
	t.Parallel()

	db := newDB(t, twoTenants)
	a := as(t, 1, "a")
	alone := tenant.WithoutPublic(a)
	for begun, other := range map[context.Context]context.Context{a: alone, alone: a} {
		tx, err := db.Begin(begun)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(other, "SELECT 1"); !errors.Is(err, tenant.ErrOtherTenant) {
			t.Errorf("Exec: %v", err)
		}
		if _, err := tx.Exec(begun, "SELECT 1"); err != nil {
			t.Error(err)
		}
		if err := tx.Commit(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// What is over says so, and touches nothing that belongs to somebody else by now.
func TestOver(t *testing.T) {
	t.Parallel()

	db := newDB(t, twoTenants, one)
	a := as(t, 1, "a")
	conn, err := db.Acquire(a)
	if err != nil {
		t.Fatal(err)
	}
	conn.Release()
	conn.Release()
	tx, err := db.Begin(a)
	if err != nil {
		t.Fatal(err)
	}
	savepoint, err := tx.Begin(a)
	if err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(a); err != nil {
		t.Fatal(err)
	}
	other, err := db.Begin(as(t, 2, "b"))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Rollback(t.Context())
	for what, s := range map[string]statements{"connection": conn, "transaction": tx, "savepoint": savepoint} {
		for name, call := range calls(a, s) {
			err := call()
			if what == "connection" && (err == nil || !strings.Contains(err.Error(), "the connection was released (acquire another)")) || what != "connection" && !errors.Is(err, pgx.ErrTxClosed) {
				t.Errorf("%s on a %s that is over: %v", name, what, err)
			}
		}
	}
	for _, tx := range []pgx.Tx{tx, savepoint} {
		if err := errors.Join(tx.Commit(a), tx.Rollback(a)); !errors.Is(err, pgx.ErrTxClosed) {
			t.Errorf("the end of what is over: %v", err)
		}
		if _, err := tx.Prepare(a, "x", "SELECT 1"); !errors.Is(err, pgx.ErrTxClosed) {
			t.Errorf("Prepare: %v", err)
		}
	}
	if err := db.SendBatch(as(t, 1, "a"), nil).Close(); err == nil {
		t.Error("a nil batch: no error")
	}
}

// InSchema and InTenant call with a context of the tenant, or not at all.
func TestWithin(t *testing.T) {
	t.Parallel()

	db := newDB(t, twoTenants)
	schema := func(ctx context.Context) (s string, err error) {
		return s, db.QueryRow(ctx, "SELECT current_schema()").Scan(&s)
	}
	want := func(schemaName string) func(context.Context) error {
		return func(ctx context.Context) error {
			if got, err := schema(ctx); got != schemaName || err != nil {
				t.Errorf("in %s: %s, %v", schemaName, got, err)
			}
			return errDone
		}
	}
	a := as(t, 1, "a")
	if err := db.InSchema(t.Context(), tenant.MustParseSchema("b"), want("b")); !errors.Is(err, errDone) {
		t.Errorf("InSchema: %v", err)
	}
	if err := db.InTenant(a, &tenant.Tenant{ID: 2, Schema: tenant.MustParseSchema("b")}, want("b")); !errors.Is(err, errDone) {
		t.Errorf("InTenant: %v", err)
	}
	_ = db.InSchema(a, tenant.MustParseSchema("a"), func(ctx context.Context) error {
		if got, err := tenant.FromContext(ctx); err != nil || got.ID != 1 {
			t.Errorf("the tenant of the context is not kept: %v, %v", got, err)
		}
		return nil
	})
	never := func(context.Context) error { t.Error("called"); return nil }
	if err := db.InSchema(a, tenant.Schema{}, never); !errors.Is(err, tenant.ErrInvalidSchema) {
		t.Errorf("InSchema without a schema: %v", err)
	}
	for _, nobody := range []*tenant.Tenant{nil, {}, {ID: 5}} {
		if err := db.InTenant(a, nobody, never); !errors.Is(err, tenant.ErrNoTenant) {
			t.Errorf("InTenant of nobody: %v", err)
		}
	}
	err := db.InSchema(a, tenant.MustParseSchema("gone"), func(ctx context.Context) error { _, err := schema(ctx); return err })
	if !errors.Is(err, tenant.ErrSchemaNotFound) {
		t.Errorf("InSchema of one that is gone: %v", err)
	}
}

var errDone = errors.New("done")

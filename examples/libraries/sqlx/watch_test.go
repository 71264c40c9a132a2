package sqlx_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

func open(t *testing.T) (db *sqlx.DB, acme, globex context.Context) {
	t.Helper()
	tenancy, err := cotenant.Open(t.Context(), &cotenant.Config{DatabaseURL: testdb.New(t), TenantApps: migrate.Dirs(apps, "apps/library")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tenancy.Close)
	if err := tenancy.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	var ctxs []context.Context
	for _, name := range []string{"acme", "globex"} {
		created, err := tenancy.Registry().Create(t.Context(), registry.CreateParams{Schema: tenant.MustParseSchema(name)})
		if err != nil {
			t.Fatal(err)
		}
		ctxs = append(ctxs, tenant.NewContext(t.Context(), created))
	}
	db = sqlx.NewDb(tenancy.SQL(), "pgx")
	if err := errors.Join(add(ctxs[0], db, "Le Guin", "Rocannon's World", "Planet of Exile"), add(ctxs[1], db, "Lem", "Solaris")); err != nil {
		t.Fatal(err)
	}
	return db, ctxs[0], ctxs[1]
}

// Methods without a context have no tenant, whatever they are called on, and a
// transaction has its own.
func TestWithoutContext(t *testing.T) {
	t.Parallel()

	db, acme, globex := open(t)
	stmt, err := db.PreparexContext(acme, "SELECT title FROM books WHERE id = $1") //nolint:sqlclosecheck // it is, below
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	tx, err := db.BeginTxx(acme, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	var title string
	for name, call := range map[string]func() error{
		"DB.Get":       func() error { return db.Get(&title, "SELECT title FROM books WHERE id = 1") },
		"DB.NamedExec": func() error { _, err := db.NamedExec("DELETE FROM books WHERE id = :id", Book{ID: 1}); return err },
		"DB.Beginx":    func() error { _, err := db.Beginx(); return err },
		"DB.Preparex":  func() error { _, err := db.Preparex("SELECT title FROM books"); return err }, //nolint:sqlclosecheck // there is none
		"Stmt.Get":     func() error { return stmt.Get(&title, 1) },
		"Tx.Get":       func() error { return tx.Get(&title, "SELECT title FROM books WHERE id = 1") },
	} {
		if err := call(); !errors.Is(err, tenant.ErrNoTenant) {
			t.Errorf("%s: %v; want %v", name, err, tenant.ErrNoTenant)
		}
	}
	if err := tx.GetContext(globex, &title, "SELECT title FROM books WHERE id = 1"); !errors.Is(err, tenant.ErrOtherTenant) {
		t.Errorf("another tenant's context in a transaction: %v; want %v", err, tenant.ErrOtherTenant)
	}
}

// A prepared statement in a transaction, a list of values, and two tenants.
func TestStatements(t *testing.T) {
	t.Parallel()

	db, acme, globex := open(t)
	in, args, err := sqlx.In("SELECT title FROM books WHERE id IN (?) ORDER BY id", []int64{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	stmt, err := db.PreparexContext(acme, "SELECT title FROM books WHERE id = any($1) ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	for range 3 {
		for ctx, want := range map[context.Context]int{acme: 2, globex: 1} {
			var listed, prepared, within []string
			tx, err := db.BeginTxx(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			err = errors.Join(
				db.SelectContext(ctx, &listed, db.Rebind(in), args...),
				stmt.SelectContext(ctx, &prepared, []int64{1, 2}),
				tx.StmtxContext(ctx, stmt).SelectContext(ctx, &within, []int64{1, 2}), //nolint:sqlclosecheck // it ends with tx
				tx.Rollback(),
			)
			if err != nil || len(listed) != want || len(prepared) != want || len(within) != want {
				t.Errorf("%q, %q, %q, %v; want %d each", listed, prepared, within, err, want)
			}
		}
	}
}

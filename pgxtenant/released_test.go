package pgxtenant_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/pgxtenant"
)

// A connection that was kept after its release is refused, whatever the context.
func TestReleasedConnIsRefused(t *testing.T) {
	t.Parallel()

	db := newDBWith(t, nil, "CREATE SCHEMA a; CREATE TABLE a.things (name text); CREATE SCHEMA b", one)
	a, b := as(t, 1, "a"), as(t, 2, "b")
	conn, err := db.Acquire(a)
	if err != nil {
		t.Fatal(err)
	}
	kept := conn.Conn()
	conn.Release()
	for _, ctx := range []context.Context{a, b, t.Context()} {
		if _, err := kept.Exec(ctx, "INSERT INTO things VALUES ('x')"); err == nil || !strings.Contains(err.Error(), "released") {
			t.Errorf("on a connection that was released: %v", err)
		}
	}
	if got := conn.Conn(); got != nil {
		t.Errorf("the connection of one that was released: %v", got)
	}
	var n int
	if err := db.QueryRow(a, "SELECT count(*) FROM things").Scan(&n); err != nil || n != 0 {
		t.Errorf("%d rows, %v", n, err)
	}
}

// rewriter panics.
type rewriter struct{}

func (rewriter) RewriteQuery(context.Context, *pgx.Conn, string, []any) (string, []any, error) {
	panic("rewriter")
}

// A panic of the application's own does not keep the connection; a batch that pgx
// would panic about is refused.
func TestPanicGivesBack(t *testing.T) {
	t.Parallel()

	db := newDBWith(t, nil, "CREATE SCHEMA a", one)
	a := as(t, 1, "a")
	for name, call := range map[string]func(){
		"Query": func() { _, _ = db.Query(a, "SELECT 1", rewriter{}) }, //nolint:sqlclosecheck // there are none
		"Exec":  func() { _, _ = db.Exec(a, "SELECT 1", rewriter{}) },
		"SendBatch": func() {
			b := &pgx.Batch{}
			b.Queue("SELECT 1", rewriter{})
			_ = db.SendBatch(a, b).Close()
		},
	} {
		func() {
			defer func() {
				if p := recover(); p == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			call()
		}()
		if n := db.Stat().AcquiredConns(); n != 0 {
			t.Errorf("%s: %d connections are still acquired", name, n)
		}
	}
	b := &pgx.Batch{}
	b.Queue("")
	for _, b := range []*pgx.Batch{b, {QueuedQueries: []*pgx.QueuedQuery{nil}}} {
		if err := db.SendBatch(a, b).Close(); err == nil || !strings.Contains(err.Error(), "without a text") {
			t.Errorf("a batch without a text: %v", err)
		}
	}
	if err := db.Ping(a); err != nil {
		t.Error(err)
	}
}

// New refuses what cannot be used; through a pooler no connection is made but in the
// mode for it.
func TestNewRefusesPooler(t *testing.T) {
	t.Parallel()

	if _, err := pgxtenant.New(t.Context(), &pgxpool.Config{}, nil); err == nil || !strings.Contains(err.Error(), "ParseConfig") {
		t.Errorf("New with an empty config: %v", err)
	}
	config, err := pgxpool.ParseConfig(testdb.PgBouncer(t, testdb.New(t), "transaction"))
	if err != nil {
		t.Fatal(err)
	}
	for _, mode := range []pgxtenant.Mode{pgxtenant.ModeAuto, pgxtenant.OnChange, pgxtenant.EveryAcquire, pgxtenant.Transaction} {
		db, err := pgxtenant.New(t.Context(), config, &pgxtenant.Config{Mode: mode})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Ping(as(t, 1, "public")); (mode == pgxtenant.Transaction) != (err == nil) || err != nil && !errors.Is(err, pgxtenant.ErrPooler) {
			t.Errorf("%v through PgBouncer: %v", mode, err)
		}
		db.Close()
	}
}

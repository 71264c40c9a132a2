package registry_test

import (
	"context"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/internal/devpg"
	"github.com/cotenant/cotenant/registry"
)

// statements is a tracer that keeps the statements of a pool.
type statements struct {
	mu   sync.Mutex
	sent []string
}

func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent = append(s.sent, data.SQL)
	return ctx
}

func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// Tables that refer to a shared one lock it when they are dropped: a few go at a time.
func TestDeleteLocksSharedTablesShortly(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{}, false)
	f.exec(t, "CREATE TABLE public.currencies (code text PRIMARY KEY)")
	acme := f.create(t, "acme")
	f.exec(t, "DO $$ BEGIN FOR i IN 1..40 LOOP EXECUTE format('CREATE TABLE acme.t%s (currency text%s)', i, CASE WHEN i % 2 = 0 THEN ' REFERENCES public.currencies' END); END LOOP; END $$")
	traced := &statements{}
	f.pool = newPool(t, f.url, traced)
	if err := f.open(t, registry.Config{}, false).Delete(t.Context(), acme, &registry.DeleteParams{DropSchema: true}); err != nil {
		t.Fatal(err)
	}
	dropped, sharing, most := 0, 0, 0
	for _, sql := range traced.sent {
		switch {
		case sql == "begin":
			sharing = 0
		case strings.HasPrefix(sql, "DROP TABLE"):
			dropped++
			if n, err := strconv.Atoi(strings.TrimSuffix(sql[strings.LastIndex(sql, ".t")+2:], " CASCADE")); err != nil || n%2 == 0 {
				sharing++
				most = max(most, sharing)
			}
		}
	}
	if dropped != 40 || most != 5 {
		t.Errorf("%d tables dropped, of those that lock the shared one %d at a time; want 40, and 5", dropped, most)
	}
}

// An extension in the schema goes with it, and its members are not dropped one by one.
func TestDeleteWithExtension(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{}, false)
	acme := f.create(t, "acme")
	if f.text(t, "SELECT count(*)::text FROM pg_available_extensions WHERE name = 'hstore'") == "0" {
		t.Skip("the server has no hstore")
	}
	f.exec(t, "CREATE EXTENSION hstore SCHEMA acme; CREATE TABLE acme.t (h acme.hstore); CREATE FUNCTION acme.f(acme.hstore) RETURNS int LANGUAGE sql AS 'SELECT 1'")
	if err := f.Delete(t.Context(), acme, &registry.DeleteParams{DropSchema: true}); err != nil {
		t.Error(err)
	}
	if got := f.text(t, everything+" || (SELECT count(*) FROM pg_namespace WHERE nspname ~ 'deleted')"); got != "0 tenants 0 domains 0 schemas0" {
		t.Errorf("in the end: %s", got)
	}
}

// smallServer is a registry on a server of its own, with room for few locks.
func smallServer(t *testing.T) *fixture {
	t.Helper()
	bin := os.Getenv("COTENANT_TEST_POSTGRES")
	if bin == "" && os.Getenv("DATABASE_URL") != "" {
		t.Skip("the server of DATABASE_URL has the settings that it has")
	}
	server, err := devpg.Start(t.Context(), &devpg.Options{BinDir: bin, Fast: true, Settings: map[string]string{
		// The room is max_locks_per_transaction for each of max_connections, wal senders, workers.
		"max_locks_per_transaction": "10", "max_connections": "16", "max_wal_senders": "0", "max_worker_processes": "1",
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	f := &fixture{queries: &queries{}, url: server.URL()}
	f.pool = newPool(t, f.url, f.queries)
	f.migrate(t, registry.Config{})
	f.Registry = f.open(t, registry.Config{}, false)
	return f
}

// beyond is a schema of more parts than a transaction has locks for, whose name @ stands for.
type beyond struct {
	first, each string // %s is the number of each
	times       int
}

// beyondLocks are such schemas by their names.
func beyondLocks() map[string]beyond {
	return map[string]beyond{
		"mixed":      {"CREATE TYPE @.e AS ENUM (); CREATE DOMAIN @.d AS int", "CREATE DOMAIN @.d%s AS int; CREATE PROCEDURE @.p%1$s() LANGUAGE sql BEGIN ATOMIC SELECT 1; END; CREATE FUNCTION @.f%1$s(@.e, @.d) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END; CREATE TABLE @.t%1$s (e @.e)", 300},
		"tables":     {"", "CREATE TABLE @.t%s (id int)", 900},
		"defaults":   {"", "CREATE TABLE @.t%s (" + thirty("c# int NOT NULL DEFAULT 0") + ")", 60},
		"checks":     {"", "CREATE TABLE @.t%s (" + thirty("c# int CHECK (c# > 0)") + ")", 60},
		"hub":        {"CREATE TABLE @.hub (id int PRIMARY KEY)", "CREATE TABLE @.t%s (id int REFERENCES @.hub)", 900},
		"children":   {"CREATE TABLE @.parent (id int)", "CREATE TABLE @.t%s () INHERITS (@.parent)", 900},
		"partitions": {"CREATE TABLE @.parent (id int) PARTITION BY LIST (id)", "CREATE TABLE @.t%s PARTITION OF @.parent FOR VALUES IN (%1$s)", 900},
		"adopted":    {"", "CREATE TABLE @.t%s (id int); CREATE TABLE IF NOT EXISTS @.parent (id int); ALTER TABLE @.t%1$s INHERIT @.parent", 900},
		"sequences":  {"", "CREATE SEQUENCE @.s%s", 900},
		"types":      {"", "CREATE TYPE @.e%s AS ENUM ()", 900},
		"columns":    {"CREATE TYPE @.e AS ENUM ()", "CREATE TABLE @.t%s (e @.e)", 900},
		"functions":  {"CREATE TABLE @.t (id int)", "CREATE FUNCTION @.f%s(@.t) RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END", 900},
		"views":      {"CREATE TABLE @.t (id int)", "CREATE VIEW @.v%s AS SELECT * FROM @.t", 900},
	}
}

// thirty returns thirty columns, with the number of each in place of #.
func thirty(column string) string {
	columns := make([]string, 30)
	for i := range columns {
		columns[i] = strings.ReplaceAll(column, "#", strconv.Itoa(i))
	}
	return strings.Join(columns, ", ")
}

// A schema of more parts than a transaction has locks for is dropped all the same, whatever
// the parts are, and however they hang together.
func TestDeleteBeyondLocks(t *testing.T) {
	t.Parallel()

	f := smallServer(t)
	for what, sql := range beyondLocks() {
		acme := f.create(t, what)
		f.exec(t, strings.ReplaceAll(sql.first, "@", what))
		f.exec(t, "DO $$ BEGIN FOR i IN 1.."+strconv.Itoa(sql.times)+" LOOP EXECUTE format('"+strings.ReplaceAll(sql.each, "@", what)+"', i); IF i % 20 = 0 THEN COMMIT; END IF; END LOOP; END $$")
		if _, err := f.pool.Exec(t.Context(), "DROP SCHEMA "+what+" CASCADE"); dberr.Code(err) != dberr.OutOfMemory {
			t.Fatalf("%s: DROP SCHEMA: %v", what, err)
		}
		if err := f.Delete(t.Context(), acme, &registry.DeleteParams{DropSchema: true}); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if got := f.text(t, everything+" || (SELECT count(*) FROM pg_namespace WHERE nspname ~ 'deleted')"); got != "0 tenants 0 domains 0 schemas0" {
		t.Errorf("in the end: %s", got)
	}
}

// Where others have most of the room for locks, less is dropped at a time.
func TestDeleteWithLittleRoom(t *testing.T) {
	t.Parallel()

	f := smallServer(t)
	acme := f.create(t, "acme")
	f.exec(t, "DO $$ BEGIN FOR i IN 1..100 LOOP EXECUTE format('CREATE TABLE acme.t%s (id int)', i); IF i % 20 = 0 THEN COMMIT; END IF; END LOOP; END $$")
	conn, err := pgx.Connect(t.Context(), f.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	held := 0
	for ; err == nil; held++ {
		_, err = conn.Exec(t.Context(), "SELECT pg_advisory_lock($1)", held)
	}
	if dberr.Code(err) != dberr.OutOfMemory {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "SELECT pg_advisory_unlock(i) FROM generate_series($1::int, $2) AS i", held-40, held-2); err != nil {
		t.Fatal(err)
	}
	if err := f.Delete(t.Context(), acme, &registry.DeleteParams{DropSchema: true}); err != nil {
		t.Error(err)
	}
	if got := f.text(t, everything); got != "0 tenants 0 domains 0 schemas" {
		t.Errorf("in the end: %s", got)
	}
}

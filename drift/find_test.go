package drift_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/drift"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/tenant"
)

const small = "CREATE TABLE things (id integer PRIMARY KEY, name text)"

// Schemas that have the same are one group, the largest first; what is missing and what
// has no name is told, and the rest goes on.
func TestGroups(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	var names []string
	for i := range 130 {
		names = append(names, fmt.Sprintf("s%d", i))
	}
	d.build(t, small, names...)
	for i := range 105 {
		d.in(t, names[i], "CREATE INDEX ON things (name)")
	}
	for i := 105; i < 108; i++ {
		d.in(t, names[i], "ALTER TABLE things DROP COLUMN name")
	}
	told := map[string]int{}
	options := drift.Options{OnSchema: func(_ tenant.Schema, err error) { told[fmt.Sprint(err)]++ }, Jobs: 3}
	r := d.find(t, small, options, append([]string{"gone", "a b"}, append(names, "gone_too", strings.Repeat("x", 64))...)...)
	if r.Same != 22 || r.Differ != 108 || len(r.Groups) != 2 || r.Missing != 2 || r.Unreadable != 2 || r.Unlisted != 0 || r.Reference != "a fresh build" || !r.Drifted() {
		t.Fatalf("%+v", r)
	}
	if got := fmt.Sprint(r.MissingSchemas); got != "[gone gone_too]" {
		t.Errorf("missing: %s", got)
	}
	for _, u := range r.UnreadableSchemas {
		if !errors.Is(u, tenant.ErrInvalidSchema) {
			t.Error(u)
		}
	}
	for i, want := range []struct {
		count       int
		schemas     string
		differences string
	}{
		{105, "[s0 s1 s2 ", "+ index things_name_idx ON things USING btree (name)"},
		{3, "[s105 s106 s107]", "- column things.name text"},
	} {
		g := r.Groups[i]
		if g.Count != want.count || len(g.Schemas) != min(want.count, 100) || !strings.HasPrefix(fmt.Sprint(g.Schemas), want.schemas) || text(&g) != want.differences {
			t.Errorf("group of %d schemas %v:\n%s", g.Count, g.Schemas, text(&g))
		}
	}
	if told["<nil>"] != 130 || len(told) != 5 {
		t.Errorf("told: %v", told)
	}

	r = d.find(t, "", drift.Options{Majority: true}, names...)
	if r.Same != 105 || r.Differ != 25 || r.Reference != "the majority, such as schema s0" || text(&r.Groups[0]) != "- index things_name_idx ON things USING btree (name)" {
		t.Errorf("majority: %+v", r)
	}
	r = d.find(t, "", drift.Options{Like: schema("s106")}, names...)
	if r.Same != 3 || r.Differ != 127 || r.Reference != "schema s106" || len(r.Groups) != 2 || r.Groups[0].Count != 105 {
		t.Errorf("like: %+v", r)
	}
	if len(fresh(t, d)) > 0 {
		t.Errorf("left behind: %v", fresh(t, d))
	}
}

// fresh are schemas of builds that are still there.
func fresh(t *testing.T, d *database) []string {
	t.Helper()
	rows, err := d.conn.Query(t.Context(), "SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'scratch%'")
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// What is kept is bounded, however many fingerprints there are.
func TestBounds(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	const n = 1020
	d.execute(t, fmt.Sprintf("DO $$BEGIN FOR i IN 1..%d LOOP EXECUTE format('CREATE SCHEMA s%%s; CREATE TYPE s%%s.t%%s AS ENUM ()', i, i, i); COMMIT; END LOOP; END$$", n))
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("s%d", i+1)
	}
	d.build(t, small, "good_1", "good_2")
	r := d.find(t, small, drift.Options{Jobs: 1}, append(slices.Clone(names), "good_1", "good_2")...)
	if r.Differ != n || len(r.Groups) != 1000 || r.Unlisted != n-1000 || r.Same != 2 {
		t.Fatalf("%d differ, in %d groups, %d unlisted", r.Differ, len(r.Groups), r.Unlisted)
	}
	for i, g := range r.Groups {
		if compared := len(g.Differences) > 0; compared != (i < 100) || g.Err != nil {
			t.Errorf("group %d: %+v", i, g)
		}
	}
	majority := &drift.Config{Pool: d.pool, Schemas: these(names...), Options: drift.Options{Majority: true}}
	if r, err := drift.Find(t.Context(), majority); err == nil || !strings.Contains(err.Error(), "the schemas have more than 1000 kinds of content, so which is the most frequent is not known (compare with") {
		t.Errorf("majority: %v, %v", r, err)
	}
}

// The list of schemas is not asked for more than can be worked on.
func TestStreams(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	d.build(t, small, "acme")
	var asked, read atomic.Int64
	list := func(yield func(tenant.Schema, error) bool) {
		for range 500 {
			if ahead := asked.Add(1) - read.Load(); ahead > 8 {
				t.Errorf("%d schemas were asked for that were not read", ahead)
			}
			if !yield(schema("acme"), nil) {
				return
			}
		}
	}
	r, err := drift.Find(t.Context(), &drift.Config{
		Build: scratch(small), Pool: d.pool, Schemas: list,
		Options: drift.Options{Jobs: 2, OnSchema: func(tenant.Schema, error) { read.Add(1) }},
	})
	if err != nil || r.Same != 500 {
		t.Errorf("%+v, %v", r, err)
	}
}

// Errors of the whole.
func TestErrors(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	d.build(t, small, "acme")
	broken := errors.New("broken")
	list := func(yield func(tenant.Schema, error) bool) {
		if yield(schema("acme"), nil) {
			yield(tenant.Schema{}, broken)
		}
	}
	narrow, err := pgxpool.ParseConfig(d.url)
	if err != nil {
		t.Fatal(err)
	}
	narrow.MaxConns = 1
	one, err := pgxpool.NewWithConfig(t.Context(), narrow)
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	ended, end := context.WithCancel(t.Context())
	end()
	for name, c := range map[string]struct {
		ctx    context.Context
		config *drift.Config
		want   string
	}{
		"nil":         {t.Context(), nil, "Config.Pool is nil (give it"},
		"no schemas":  {t.Context(), &drift.Config{Pool: d.pool}, "Config.Schemas is nil"},
		"no build":    {t.Context(), &drift.Config{Pool: d.pool, Schemas: these()}, "Config.Build is nil (give it, or Options.Like or Options.Majority)"},
		"jobs":        {t.Context(), &drift.Config{Pool: d.pool, Schemas: these(), Options: drift.Options{Majority: true, Jobs: -1}}, "Options.Jobs is -1"},
		"both":        {t.Context(), &drift.Config{Pool: d.pool, Schemas: these(), Options: drift.Options{Majority: true, Like: schema("a")}}, "exclude each other"},
		"small pool":  {t.Context(), &drift.Config{Pool: one, Schemas: these(), Options: drift.Options{Majority: true}}, "the pool has 1 connections (allow 2 or more)"},
		"list":        {t.Context(), &drift.Config{Pool: d.pool, Schemas: list, Options: drift.Options{Majority: true}}, "drift: broken"},
		"count":       {t.Context(), &drift.Config{Pool: d.pool, Schemas: list, Count: func(context.Context) (int, error) { return 0, broken }, Options: drift.Options{Majority: true}}, "drift: broken"},
		"build":       {t.Context(), &drift.Config{Pool: d.pool, Schemas: these("acme"), Build: scratch("CREATE TABLE x (y nothing)")}, `a fresh build, to compare with: ERROR: type "nothing" does not exist`},
		"no like":     {t.Context(), &drift.Config{Pool: d.pool, Schemas: these("acme"), Options: drift.Options{Like: schema("nobody")}}, `schema "nobody", to compare with: schema does not exist (name one that is there)`},
		"no majority": {t.Context(), &drift.Config{Pool: d.pool, Schemas: these("nobody"), Options: drift.Options{Majority: true}}, "no schema could be read, so there is no majority"},
		"ended":       {ended, &drift.Config{Pool: d.pool, Schemas: these("acme"), Options: drift.Options{Majority: true}}, "context canceled"},
	} {
		if r, err := drift.Find(c.ctx, c.config); err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "drift: ") {
			t.Errorf("%s: %v, %v; want %s", name, r, err, c.want)
		}
	}
}

// A login that may not use a schema is told what to grant, and reads the others without
// owning them.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	d.build(t, small, "acme", "Big-Corp", "closed")
	login := open(t, testdb.Role(t, d.url))
	role := login.conn.Config().User
	d.execute(t, `GRANT USAGE ON SCHEMA acme, "Big-Corp" TO `+role)
	r := login.find(t, small, drift.Options{}, "acme", "closed", "Big-Corp")
	if r.Same != 2 || r.Unreadable != 1 || !r.Drifted() {
		t.Fatalf("%+v", r)
	}
	if got, want := r.UnreadableSchemas[0].Error(), `schema "closed": read the catalog of schema "closed": role "`+role+`" may not use it (GRANT USAGE ON SCHEMA "closed" TO "`+role+`")`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Schemas that are dropped and changed while they are read do not disturb the rest.
func TestBusy(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	const views = small + "; CREATE VIEW named AS SELECT * FROM things WHERE name > ''; CREATE INDEX ON things (name)"
	d.build(t, views, "still", "going")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	other := open(t, d.url)
	stopped := make(chan error, 1)
	go func() {
		for ctx.Err() == nil {
			_, err := other.conn.Exec(context.WithoutCancel(ctx), `DROP SCHEMA going CASCADE; CREATE SCHEMA going; SET search_path = going, "public", pg_temp; `+views)
			if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok && pgErr.Code == "40P01" {
				continue // it is seldom, and cannot be ruled out
			} else if err != nil {
				stopped <- err
				return
			}
		}
		stopped <- nil
	}()
	var list iter.Seq2[tenant.Schema, error] = func(yield func(tenant.Schema, error) bool) {
		for i := range 60 {
			if !yield(schema([]string{"still", "going"}[i%2]), nil) {
				return
			}
		}
	}
	r, err := drift.Find(t.Context(), &drift.Config{Build: scratch(views), Pool: d.pool, Schemas: list})
	stop()
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if r.Same < 30 || r.Same+r.Differ+r.Missing+r.Unreadable != 60 {
		t.Errorf("%+v\n%s", r, describe(r))
	}
	for _, u := range r.UnreadableSchemas {
		if !strings.Contains(u.Error(), "(it was tried 6 times; is it being changed?)") {
			t.Error(u)
		}
	}
}

// Tables and functions of the same names in public, and operators that hide PostgreSQL's,
// change nothing.
func TestDecoys(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	d.execute(t, taxes)
	d.build(t, shop, "acme")
	want := d.find(t, shop, all(), "acme")
	d.execute(t, `CREATE TABLE public.pg_class (oid oid); CREATE TABLE public.lines (id integer); CREATE TABLE public.pg_namespace (nspname text);
		CREATE FUNCTION public.set_config(text, text, boolean) RETURNS text LANGUAGE sql AS 'SELECT NULL::text';
		CREATE FUNCTION public.wrong(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT false';
		CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = public.wrong);
		CREATE FUNCTION public.wrong(name, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT false';
		CREATE OPERATOR public.= (LEFTARG = name, RIGHTARG = text, FUNCTION = public.wrong);`)
	for _, path := range []string{"public, pg_catalog", "acme, public, pg_catalog"} {
		d.execute(t, "ALTER DATABASE "+d.conn.Config().Database+" SET search_path = "+path)
		if got := open(t, d.url).find(t, shop, all(), "acme"); got.Fingerprint != want.Fingerprint || got.Same != 1 {
			t.Errorf("path %s: %+v\n%s", path, got, describe(got))
		}
	}
}

// A backend reads so much and is replaced.
func TestReplaces(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	d.execute(t, taxes)
	d.build(t, shop, "acme")
	for n, want := range map[int]int64{20: 1, 700: 2} { // of some 80 objects each, and one connection for the reference
		config, err := pgxpool.ParseConfig(d.url)
		if err != nil {
			t.Fatal(err)
		}
		var conns atomic.Int64
		config.AfterConnect = func(context.Context, *pgx.Conn) error {
			conns.Add(1)
			return nil
		}
		pool, err := pgxpool.NewWithConfig(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		names := make([]string, n)
		for i := range names {
			names[i] = "acme"
		}
		r, err := drift.Find(t.Context(), &drift.Config{Build: scratch(shop), Pool: pool, Schemas: these(names...), Options: drift.Options{Jobs: 1}})
		pool.Close()
		if err != nil || r.Same != n || conns.Load() < 1+want || conns.Load() > 2+want {
			t.Errorf("%d schemas: %+v, %v over %d connections, want %d", n, r, err, conns.Load(), 1+want)
		}
	}
}

// Backends that are killed are replaced, too.
func TestKilled(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	d.build(t, small, "acme")
	killed := 0
	kill := func(tenant.Schema, error) {
		if killed++; killed%4 == 0 {
			if _, err := d.conn.Exec(t.Context(), "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"); err != nil {
				t.Error(err)
			}
		}
	}
	r := d.find(t, small, drift.Options{OnSchema: kill, Jobs: 2}, strings.Fields(strings.Repeat("acme ", 20))...)
	if r.Same != 20 {
		t.Errorf("%+v", r)
	}
}

// So are those that are killed before they have read anything; but a server that gives none
// that lasts is told of.
func TestKilledEarly(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	d.build(t, small, "acme")
	config, err := pgxpool.ParseConfig(d.url)
	if err != nil {
		t.Fatal(err)
	}
	var conns, every atomic.Int64
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		if conns.Add(1)%every.Load() == 0 {
			_, _ = conn.Exec(ctx, "SELECT pg_terminate_backend(pg_backend_pid())")
		}
		return nil
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	every.Store(2)
	find := &drift.Config{Build: scratch(small), Pool: pool, Schemas: these("acme", "acme"), Options: drift.Options{Jobs: 2}}
	if r, err := drift.Find(t.Context(), find); err != nil || r.Same != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	every.Store(1)
	find.Like = schema("acme")
	if r, err := drift.Find(t.Context(), find); err == nil || !strings.Contains(err.Error(), "the server gives no connection: ") || strings.Contains(err.Error(), "is it being changed") {
		t.Errorf("%+v, %v", r, err)
	}
}

package conformance

import (
	"context"
	"fmt"
	"sync"

	"github.com/cotenant/cotenant/tenant"
)

// preparedTraps are statements that were prepared by one tenant and are run by others.
func preparedTraps() []trap {
	return []trap{
		{"prepared by one tenant, run by another", preparedByOne},
		{"prepared by one tenant, run by many at once", preparedForMany},
		{"prepared by one tenant, run in a transaction of another", preparedJoins},
		{"prepared on a transaction or a connection", preparedWithin},
		{"prepared by nobody, run by nobody", preparedForNobody},
		{"prepared, and the schema is renamed", func(tr *trial) { tr.preparedGoes(tr.rename) }},
		{"prepared, and the schema is dropped and made anew", preparedAnew},
		{"prepared, and the table is altered", preparedAltered},
	}
}

// The texts that are prepared, besides insertThing.
const (
	ownerOfThings = "SELECT owner FROM things"
	moodOfPeople  = "SELECT owner FROM people WHERE mood = $1"
)

// prepare prepares sql for t on p, to be closed with the trial.
func (tr *trial) prepare(p Preparer, t *tenant.Tenant, sql string) Stmt {
	tr.Helper()
	stmt, err := p.Prepare(tr.as(t), sql)
	tr.must(fmt.Sprintf("prepare %q as %v", sql, t), err)
	tr.Cleanup(func() { _ = stmt.Close() })
	return stmt
}

// prepared are statements as one tenant has prepared them.
type prepared struct{ write, owner, mood, person, profile, whoami Stmt }

func (tr *trial) preparedBy(p Preparer, t *tenant.Tenant) prepared {
	tr.Helper()
	return prepared{
		write: tr.prepare(p, t, insertThing), owner: tr.prepare(p, t, ownerOfThings), mood: tr.prepare(p, t, moodOfPeople),
		person: tr.prepare(p, t, selectPerson), profile: tr.prepare(p, t, selectProfile), whoami: tr.prepare(p, t, "SELECT whoami()"),
	}
}

// runs runs all of them for t. It may be called in a goroutine.
func (tr *trial) runs(ctx context.Context, p prepared, t *tenant.Tenant) {
	tr.Helper()
	if _, err := p.write.Exec(ctx, t.ID); err != nil {
		tr.Errorf("%v writes: %v", t, err)
	}
	for what, call := range map[string]func(Row) error{
		"things": func(row Row) error { return p.owner.Query(ctx, row) },
		"moods":  func(row Row) error { return p.mood.Query(ctx, row, label(t.ID)) },
		"whoami": func(row Row) error { return p.whoami.Query(ctx, row) },
	} {
		var found []int64
		if err := call(owners(&found)); err != nil {
			tr.Errorf("%v, %s: %v", t, what, err)
			continue
		}
		tr.own(t, found)
	}
	got, err := readPerson(ctx, stmtSession{p.person}, label(t.ID))
	if err != nil || got != person(t.ID) {
		tr.Errorf("%v, types: %q, %v; want %q", t, got, err, person(t.ID))
	}
	got, err = readProfile(ctx, stmtSession{p.profile}, t.ID)
	if err != nil || got != profile(t.ID) {
		tr.Errorf("%v, columns: %q, %v; want %q", t, got, err, profile(t.ID))
	}
}

// stmtSession is a Session that can send only the one statement.
type stmtSession struct{ stmt Stmt }

func (s stmtSession) Exec(ctx context.Context, _ string, args ...any) (int64, error) {
	return s.stmt.Exec(ctx, args...)
}

func (s stmtSession) Query(ctx context.Context, row Row, _ string, args ...any) error {
	return s.stmt.Query(ctx, row, args...)
}

func preparedByOne(tr *trial) {
	p := needs[Preparer](tr)
	for _, by := range []*tenant.Tenant{tr.a, tr.b} {
		stmts := tr.preparedBy(p, by)
		for range often {
			tr.runs(tr.as(tr.b), stmts, tr.b)
			tr.runs(tr.as(tr.a), stmts, tr.a)
			tr.runs(tr.as(tr.a), stmts, tr.a)
		}
		tr.owns(tr, tr.a)
		tr.owns(tr, tr.b)
	}
}

func preparedForMany(tr *trial) {
	needs[Preparer](tr)
	stmts := tr.preparedBy(tr.open(3).(Preparer), tr.a)
	var wg sync.WaitGroup
	for i := range 6 {
		t := []*tenant.Tenant{tr.a, tr.b}[i%2]
		wg.Go(func() {
			for range often {
				tr.runs(tr.as(t), stmts, t)
			}
		})
	}
	wg.Wait()
}

func preparedJoins(tr *trial) {
	p := needs[Preparer](tr)
	stmts := tr.preparedBy(p, tr.a)
	for _, t := range []*tenant.Tenant{tr.b, tr.a, tr.b} {
		tx := tr.begin(t)
		joiner, ok := tx.(Joiner)
		if !ok {
			tr.Skipf("%s cannot do this", tr.way.Name)
		}
		join := func(stmt Stmt) Stmt { return joiner.Join(tr.as(t), stmt) }
		for range 2 {
			tr.runs(tr.as(t), prepared{
				join(stmts.write), join(stmts.owner), join(stmts.mood), join(stmts.person), join(stmts.profile), join(stmts.whoami),
			}, t)
		}
		tr.must("commit", tx.Commit(tr.as(t)))
		tr.runs(tr.as(t), stmts, t)
	}
}

// What is prepared there belongs to that tenant alone.
func preparedWithin(tr *trial) {
	needs[Preparer](tr)
	for _, pair := range [][2]*tenant.Tenant{{tr.a, tr.b}, {tr.b, tr.a}} {
		t, other := pair[0], pair[1]
		tx := tr.begin(t)
		tr.within(tx.(Preparer), t, other)
		tr.must("commit", tx.Commit(tr.as(t)))
		conn, err := needs[Acquirer](tr).Acquire(tr.as(t))
		tr.must("acquire", err)
		tr.within(conn.(Preparer), t, other)
		conn.Release()
		tr.owns(tr, other)
	}
}

func (tr *trial) within(p Preparer, t, other *tenant.Tenant) {
	tr.Helper()
	stmts := tr.preparedBy(p, t)
	tr.runs(tr.as(t), stmts, t)
	if !tr.way.Owned {
		return
	}
	for name, ctx := range map[string]context.Context{"another tenant": tr.as(other), "no tenant": tr.ctx} {
		if _, err := stmts.write.Exec(ctx, other.ID); err == nil {
			tr.Errorf("%s: written", name)
		}
		var found []int64
		if err := stmts.owner.Query(ctx, owners(&found)); err == nil {
			tr.Errorf("%s: read rows of %v", name, found)
		}
		if stmt, err := p.Prepare(ctx, insertThing); err == nil {
			tr.Errorf("%s: prepared", name)
			_ = stmt.Close()
		}
	}
	tr.runs(tr.as(t), stmts, t)
}

func preparedForNobody(tr *trial) {
	p := needs[Preparer](tr)
	stmts := tr.preparedBy(p, tr.a)
	pending, _ := tenant.NewPending(tr.ctx, tr.a)
	for _, c := range []struct {
		ctx  context.Context
		want error
	}{{tr.ctx, tenant.ErrNoTenant}, {pending, tenant.ErrUncommitted}} {
		tr.runs(tr.as(tr.a), stmts, tr.a)
		if stmt, err := p.Prepare(c.ctx, insertThing); err == nil {
			_, err = stmt.Exec(c.ctx, 0)
			tr.mustBe("prepared and run", err, c.want)
			_ = stmt.Close()
		}
		_, err := stmts.write.Exec(c.ctx, 0)
		tr.mustBe("written", err, c.want)
		tr.mustBe("read", stmts.owner.Query(c.ctx, owners(new([]int64))), c.want)
	}
	var found []int64
	tr.must("read public", stmts.owner.Query(tenant.Public(tr.ctx), owners(&found)))
	if len(found) != decoys || found[0] != nobody {
		tr.Errorf("public: rows of %v", found)
	}
	tr.runs(tr.as(tr.b), stmts, tr.b)
}

// stmtsFail makes calls of statements for a tenant whose schema is gone.
func (tr *trial) stmtsFail(stmts prepared, t *tenant.Tenant) {
	tr.Helper()
	var found []int64
	if err := stmts.owner.Query(tr.as(t), owners(&found)); err == nil {
		tr.Errorf("read rows of %v where the schema is gone", found)
	}
	if _, err := stmts.write.Exec(tr.as(t), t.ID); err == nil {
		tr.Error("wrote where the schema is gone")
	}
}

func (tr *trial) preparedGoes(away func(*tenant.Tenant)) {
	tr.promises(tr.way.Proves)
	stmts := tr.preparedBy(needs[Preparer](tr), tr.a)
	for range often {
		tr.runs(tr.as(tr.a), stmts, tr.a)
		tr.runs(tr.as(tr.b), stmts, tr.b)
	}
	away(tr.a)
	for range 3 {
		tr.stmtsFail(stmts, tr.a)
		tr.runs(tr.as(tr.b), stmts, tr.b)
	}
}

// What has types of the schema that was dropped may fail for as long as the statement
// lives, as with the driver alone.
func preparedAnew(tr *trial) {
	tr.promises(tr.way.Proves)
	stmts := tr.preparedBy(needs[Preparer](tr), tr.a)
	for range 3 {
		tr.runs(tr.as(tr.b), stmts, tr.b)
		tr.drop(tr.a)
		tr.stmtsFail(stmts, tr.a)
		tr.must("build", tr.town.build(tr.ctx, tr.a))
		tr.homes[tr.a.Schema.String()] = tr.a.ID
		for range 2 {
			_, err := stmts.write.Exec(tr.as(tr.a), tr.a.ID)
			tr.must("write", err)
			var found []int64
			tr.must("read", stmts.owner.Query(tr.as(tr.a), owners(&found)))
			tr.own(tr.a, found)
			got, err := readPerson(tr.as(tr.a), stmtSession{stmts.person}, label(tr.a.ID))
			if err == nil && got != person(tr.a.ID) {
				tr.Errorf("%q; want %q", got, person(tr.a.ID))
			}
			tr.harmless("types", err)
		}
		tr.owns(tr, tr.a)
	}
}

func preparedAltered(tr *trial) {
	p := needs[Preparer](tr)
	stmt := tr.prepare(p, tr.a, "SELECT * FROM things")
	columns := func(t *tenant.Tenant, n int) error {
		return stmt.Query(tr.as(t), func(scan func(...any) error) error {
			dest := make([]any, n)
			for i := range dest {
				dest[i] = new(any)
			}
			return scan(dest...)
		})
	}
	for range often {
		tr.must("before", columns(tr.a, 3))
		tr.must("the other", columns(tr.b, 3))
	}
	tr.plain("ALTER TABLE %s.things ADD COLUMN more int", tr.a.Schema)
	for range 3 {
		tr.harmless("after ALTER TABLE", columns(tr.a, 4)) // as with the driver alone
		tr.must("the other", columns(tr.b, 3))
	}
	tr.owns(tr, tr.a)
	tr.owns(tr, tr.b)
}

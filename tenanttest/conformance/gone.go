package conformance

import (
	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/tenant"
)

// goneTraps are schemas that are renamed or dropped under a connection that has been
// in them: SET search_path accepts a schema that is not there, and what follows would
// run in public.
func goneTraps() []trap {
	return []trap{
		{"renamed under an open connection", func(tr *trial) { tr.goes(tr.rename) }},
		{"dropped under an open connection", func(tr *trial) { tr.goes(tr.drop) }},
		{"renamed in the middle of a transaction", func(tr *trial) { tr.goesWithin(tr.rename) }},
		{"dropped in the middle of a transaction", func(tr *trial) { tr.goesWithin(tr.drop) }},
		{"renamed under an acquired connection", func(tr *trial) { tr.goesAcquired(tr.rename) }},
		{"dropped under an acquired connection", func(tr *trial) { tr.goesAcquired(tr.drop) }},
		{"dropped and made anew", madeAnew},
		{"a name that another tenant takes", nameTaken},
		{"a name that another tenant takes in the middle of a transaction", nameTakenWithin},
	}
}

// rename gives the tenant's schema another name.
func (tr *trial) rename(t *tenant.Tenant) { tr.renameTo(t, t.Schema.String()+"_away") }

func (tr *trial) renameTo(t *tenant.Tenant, name string) {
	tr.Helper()
	tr.plain("ALTER SCHEMA %s RENAME TO %s", pgx.Identifier{t.Schema.String()}.Sanitize(), pgx.Identifier{name}.Sanitize())
	delete(tr.homes, t.Schema.String())
	tr.homes[name] = t.ID
}

func (tr *trial) drop(t *tenant.Tenant) {
	tr.Helper()
	tr.plain("DROP SCHEMA %s CASCADE", pgx.Identifier{t.Schema.String()}.Sanitize())
	delete(tr.homes, t.Schema.String())
}

// fails makes calls for a tenant whose schema is gone.
func (tr *trial) fails(s Session, t *tenant.Tenant) {
	tr.Helper()
	if found, err := all[int64](tr.as(t), s, "SELECT owner FROM things"); err == nil {
		tr.Errorf("read rows of %v where the schema is gone", found)
	}
	if _, err := s.Exec(tr.as(t), "INSERT INTO things VALUES ($1, 'stray')", t.ID); err == nil {
		tr.Error("wrote where the schema is gone")
	}
	if _, err := s.Exec(tr.as(t), withID("INSERT INTO things VALUES ($id, 'stray')", t)); err == nil {
		tr.Error("wrote a text where the schema is gone")
	}
}

func (tr *trial) goes(away func(*tenant.Tenant)) {
	tr.promises(tr.way.Proves)
	tr.owns(tr, tr.b)
	tr.owns(tr, tr.a)
	away(tr.a)
	for range 2 {
		tr.fails(tr, tr.a)
		if c, ok := tr.Access.(Copier); ok {
			if _, err := c.CopyIn(tr.as(tr.a), "things", thingsColumns(), things(tr.a, 1)); err == nil {
				tr.Error("copied where the schema is gone")
			}
		}
		if b, ok := tr.Access.(Batcher); ok {
			if err := b.Batch(tr.as(tr.a), Statement{SQL: "SELECT 1"}, Statement{SQL: insertThing, Args: []any{tr.a.ID}}); err == nil {
				tr.Error("a batch wrote where the schema is gone")
			}
		}
		if tx, err := tr.Begin(tr.as(tr.a)); err == nil {
			tr.fails(tx, tr.a)
			tr.harmless("commit", tx.Commit(tr.as(tr.a)))
		}
		tr.owns(tr, tr.b)
	}
}

func (tr *trial) goesWithin(away func(*tenant.Tenant)) {
	tr.promises(tr.way.Watched)
	tx := tr.begin(tr.a) // it has not touched a table: nothing holds the schema
	_, err := one[int64](tr.as(tr.a), tx, "SELECT 1::bigint")
	tr.must("a statement", err)
	away(tr.a)
	tr.fails(tx, tr.a)
	tr.harmless("commit", tx.Commit(tr.as(tr.a)))
	tr.owns(tr, tr.b)
}

func (tr *trial) goesAcquired(away func(*tenant.Tenant)) {
	tr.promises(tr.way.Watched)
	conn, err := needs[Acquirer](tr).Acquire(tr.as(tr.a))
	tr.must("acquire", err)
	tr.owns(conn, tr.a)
	away(tr.a)
	tr.fails(conn, tr.a)
	conn.Release()
	tr.owns(tr, tr.b)
}

func madeAnew(tr *trial) {
	tr.promises(tr.way.Proves)
	for range 3 {
		tr.owns(tr, tr.b)
		tr.owns(tr, tr.a)
		tr.drop(tr.a)
		tr.fails(tr, tr.a)
		tr.must("build", tr.town.build(tr.ctx, tr.a))
		tr.homes[tr.a.Schema.String()] = tr.a.ID
		tr.owns(tr, tr.a)
		got, err := readPerson(tr.as(tr.a), tr, label(tr.a.ID))
		if err != nil || got != person(tr.a.ID) {
			tr.Errorf("%q, %v; want %q", got, err, person(tr.a.ID))
		}
	}
}

// swap gives b the name of a, which gets another.
func (tr *trial) swap() (a, b *tenant.Tenant) {
	tr.Helper()
	old := tr.a.Schema
	away := tenant.MustParseSchema(old.String() + "_away")
	tr.renameTo(tr.a, away.String())
	tr.renameTo(tr.b, old.String())
	return &tenant.Tenant{ID: tr.a.ID, Schema: away}, &tenant.Tenant{ID: tr.b.ID, Schema: old}
}

// Each is found under its new name, whatever the connection remembers of the old.
func nameTaken(tr *trial) {
	for range 3 {
		tr.owns(tr, tr.a)
		tr.owns(tr, tr.b)
		_, err := readPerson(tr.as(tr.a), tr, label(tr.a.ID))
		tr.must("read", err)
	}
	a, b := tr.swap()
	for range 3 {
		for _, t := range []*tenant.Tenant{b, a} {
			tr.owns(tr, t)
			got, err := readPerson(tr.as(t), tr, label(t.ID))
			if err != nil || got != person(t.ID) {
				tr.Errorf("tenant %d: %q, %v; want %q", t.ID, got, err, person(t.ID))
			}
		}
	}
}

// A transaction that was begun in a's schema must not go on in b's.
func nameTakenWithin(tr *trial) {
	tr.promises(tr.way.Identity)
	tx := tr.begin(tr.a)
	_, err := one[int64](tr.as(tr.a), tx, "SELECT 1::bigint")
	tr.must("a statement", err)
	old := tr.a
	tr.swap()
	tr.harmless("read", tr.tries(tx, old))
	_, err = tx.Exec(tr.as(old), insertThing, old.ID)
	tr.harmless("write", err)
	tr.harmless("commit", tx.Commit(tr.as(old)))
}

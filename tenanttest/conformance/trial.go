package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant/tenant"
)

// trial is a case as it runs: two tenants, and a way in with one connection, so that
// each call finds what the one before left.
type trial struct {
	*testing.T
	Access
	ctx  context.Context //nolint:containedctx // a trial is one call
	way  Way
	town *town
	a, b *tenant.Tenant

	homes  map[string]int64 // the owners of the schemas that must be there in the end
	spoilt bool             // more than the rows of the two has changed
}

func newTrial(ctx context.Context, t *testing.T, way Way, w *town) *trial {
	t.Helper()
	tr := &trial{T: t, ctx: ctx, way: way, town: w, homes: map[string]int64{tenant.PublicSchema().String(): nobody}}
	tr.a, tr.b = tr.pair()
	tr.Access = tr.open(1)
	t.Cleanup(tr.finish)
	return tr
}

// pair returns two tenants, of which the first is a migration ahead: those that the
// trial before has left as they were, or new ones.
func (tr *trial) pair() (a, b *tenant.Tenant) {
	tr.Helper()
	pair := tr.town.spare
	tr.town.spare = nil
	for len(pair) < 2 {
		t, err := tr.town.settle(tr.ctx)
		tr.must("settle a tenant", err)
		pair = append(pair, t)
	}
	for _, t := range pair {
		tr.homes[t.Schema.String()] = t.ID
	}
	return pair[0], pair[1]
}

// open opens the way in, to be closed when the trial ends.
func (tr *trial) open(connections int) Access {
	tr.Helper()
	access, err := tr.way.Open(tr.ctx, connections)
	tr.must("open", err)
	tr.Cleanup(access.Close)
	return access
}

// finish counts the rows in every schema, and leaves the tenants as they were to the
// next trial.
func (tr *trial) finish() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(tr.ctx), patience)
	defer cancel()
	c, err := tr.town.count(ctx, func(schema string) (int64, bool) { id, ok := tr.homes[schema]; return id, ok })
	if err != nil {
		tr.Errorf("count: %v", err)
		return
	}
	for _, stray := range c.where {
		tr.Errorf("leak: %s", stray)
	}
	if c.strays > 0 { // the next case starts afresh
		tr.restore(ctx)
	}
	if tr.spoilt || tr.Failed() {
		tr.demolish(ctx)
		return
	}
	for _, t := range []*tenant.Tenant{tr.a, tr.b} {
		sql := fmt.Sprintf("DELETE FROM %s.things; INSERT INTO %[1]s.things SELECT %d FROM generate_series(1, %d)", t.Schema, t.ID, rows)
		if err := tr.town.exec(ctx, sql); err != nil {
			tr.Errorf("restore %v: %v", t, err)
		}
	}
	tr.town.spare = []*tenant.Tenant{tr.a, tr.b}
}

// demolish removes the tenants.
func (tr *trial) demolish(ctx context.Context) {
	for schema, id := range tr.homes {
		if id == nobody {
			continue
		}
		if err := tr.town.exec(ctx, "DROP SCHEMA IF EXISTS "+pgx.Identifier{schema}.Sanitize()+" CASCADE"); err != nil {
			tr.Errorf("drop schema %q: %v", schema, err)
		}
	}
}

// restore puts public's decoys back.
func (tr *trial) restore(ctx context.Context) {
	for _, table := range tables {
		name := "public." + table
		sql := fmt.Sprintf("DELETE FROM %s WHERE owner <> %d; INSERT INTO %[1]s SELECT %[2]d FROM generate_series(1, %d - (SELECT count(*) FROM %[1]s))", name, nobody, decoys)
		if err := tr.town.exec(ctx, sql); err != nil {
			tr.Errorf("restore %s: %v", name, err)
		}
	}
}

// as returns a context of the tenant.
func (tr *trial) as(t *tenant.Tenant) context.Context { return tenant.NewContext(tr.ctx, t) }

// plain executes statements on a plain connection, which may change the tenants.
func (tr *trial) plain(format string, args ...any) {
	tr.Helper()
	tr.spoilt = true
	tr.must("plain connection", tr.town.exec(tr.ctx, fmt.Sprintf(format, args...)))
}

func (tr *trial) must(what string, err error) {
	tr.Helper()
	if err != nil {
		tr.Fatalf("%s: %v", what, err)
	}
}

// owns reads for the tenant, which must find its own rows and no others, and writes.
func (tr *trial) owns(s Session, t *tenant.Tenant) {
	tr.Helper()
	tr.reads(s, t)
	_, err := s.Exec(tr.as(t), "INSERT INTO things VALUES ($1, 'written')", t.ID)
	tr.must(fmt.Sprintf("write as %v", t), err)
	found, err := all[int64](tr.as(t), s, "SELECT owner FROM things")
	tr.must(fmt.Sprintf("read as %v", t), err)
	tr.own(t, found)
}

// reads reads for the tenant, which must find its own rows and no others.
func (tr *trial) reads(s Session, t *tenant.Tenant) {
	tr.Helper()
	tr.must(fmt.Sprintf("read as %v", t), tr.tries(s, t))
}

// tries reads for the tenant. It may fail, but must not find rows of others, nor
// none at all.
func (tr *trial) tries(s Session, t *tenant.Tenant) error {
	tr.Helper()
	owners := make(map[string][]int64, len(tables))
	err := s.Query(tr.as(t), func(scan func(...any) error) error {
		var table string
		var owner int64
		err := scan(&table, &owner)
		owners[table] = append(owners[table], owner)
		return err
	}, everyTable())
	if err != nil {
		return err
	}
	for _, table := range tables {
		if len(owners[table]) == 0 || slices.ContainsFunc(owners[table], func(id int64) bool { return id != t.ID }) {
			tr.Errorf("%v, id %d, read rows of %v from %s", t, t.ID, owners[table], table)
		}
	}
	return nil
}

// harmless takes an error of a call that may fail as well as not.
func (tr *trial) harmless(what string, err error) {
	tr.Helper()
	if err != nil {
		tr.Logf("%s: %v", what, err)
	}
}

// promises skips the trial of what the way in does not promise.
func (tr *trial) promises(it bool) {
	tr.Helper()
	if !it {
		tr.Skipf("%s does not promise it", tr.way.Name)
	}
}

// needs skips the trial where the way in has no T.
func needs[T any](tr *trial) T {
	tr.Helper()
	able, ok := tr.Access.(T)
	if !ok {
		tr.Skipf("%s cannot do this", tr.way.Name)
	}
	return able
}

// sqlstate returns the SQLSTATE of an error, or "".
func sqlstate(err error) string {
	var pgErr *pgconn.PgError
	var other interface{ SQLState() string }
	switch {
	case errors.As(err, &pgErr):
		return pgErr.Code
	case errors.As(err, &other):
		return other.SQLState()
	}
	return ""
}

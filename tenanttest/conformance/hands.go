package conformance

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/cotenant/cotenant/tenant"
)

// handTraps are connections that change hands, or do not while they should.
func handTraps() []trap {
	return []trap{
		{"connections change hands", changeHands},
		{"rows that are open while others work", rowsOpen},
		{"rows that are not read to their end", rowsLeft},
		{"rows that are open in a transaction", rowsOpenWithin},
		{"a context that ends in the middle of a transaction", endsWithin},
		{"a context that ends while rows are open", endsOpen},
		{"many wait for one connection", func(tr *trial) { tr.crowd(tr, 12, 15) }},
		{"more connections than tenants", func(tr *trial) { tr.crowd(tr.open(4), 8, 20) }},
	}
}

// visit reads and writes for a tenant. It may be called in a goroutine.
func (tr *trial) visit(s Session, t *tenant.Tenant) error {
	tr.Helper()
	if err := tr.tries(s, t); err != nil {
		return err
	}
	_, err := s.Exec(tr.as(t), insertThing, t.ID)
	return err
}

// crowd has many goroutines do so for the tenants in turn.
func (tr *trial) crowd(s Session, goroutines, times int) {
	tr.Helper()
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := range times {
				if err := tr.visit(s, []*tenant.Tenant{tr.a, tr.b}[(g+i)%2]); err != nil {
					tr.Errorf("goroutine %d: %v", g, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func changeHands(tr *trial) {
	acquirer := needs[Acquirer](tr)
	for range 4 {
		for _, t := range []*tenant.Tenant{tr.a, tr.b, tr.b} {
			conn, err := acquirer.Acquire(tr.as(t))
			tr.must("acquire", err)
			tr.owns(conn, t)
			tx, err := conn.Begin(tr.as(t))
			tr.must("begin", err)
			tr.owns(tx, t)
			tr.must("commit", tx.Commit(tr.as(t)))
			tr.owns(conn, t)
			conn.Release()
			tr.owns(tr, t)
		}
	}
}

// manyRows is a query of more rows than a driver reads at once.
const manyRows = "SELECT owner FROM things, generate_series(1, 20000) WHERE name IS NULL"

func rowsOpen(tr *trial) {
	access := tr.open(2)
	for _, t := range []*tenant.Tenant{tr.a, tr.b} {
		var found []int64
		row := owners(&found)
		tr.must("rows", access.Query(tr.as(t), func(scan func(...any) error) error {
			if len(found)%5000 == 0 {
				tr.owns(access, tr.b)
				tr.owns(access, tr.a)
			}
			return row(scan)
		}, manyRows))
		tr.own(t, found)
	}
}

// Who leaves them has other things to do, and the connection goes to somebody else.
func rowsLeft(tr *trial) {
	for range 3 {
		for _, t := range []*tenant.Tenant{tr.a, tr.b} {
			err := tr.Query(tr.as(t), func(func(...any) error) error { return errMeant }, manyRows)
			if !errors.Is(err, errMeant) {
				tr.Errorf("%v; want that of the row", err)
			}
			tr.owns(tr, tr.b)
			tr.owns(tr, tr.a)
		}
	}
}

// Drivers differ in what a transaction can do meanwhile.
func rowsOpenWithin(tr *trial) {
	for _, t := range []*tenant.Tenant{tr.a, tr.b} {
		tx := tr.begin(t)
		n := 0
		tr.harmless("rows", tx.Query(tr.as(t), func(func(...any) error) error {
			if n++; n == 1 {
				_, err := tx.Exec(tr.as(t), insertThing, t.ID)
				tr.harmless("meanwhile", err)
			}
			return nil
		}, manyRows))
		tr.harmless("commit", tx.Commit(tr.as(t)))
		tr.recovers(t)
		tr.owns(tr, tr.b)
		tr.owns(tr, tr.a)
	}
}

func endsWithin(tr *trial) {
	for _, t := range []*tenant.Tenant{tr.a, tr.b, tr.a} {
		ctx, cancel := context.WithCancel(tr.as(t))
		tx, err := tr.Begin(ctx)
		tr.must("begin", err)
		_, err = tx.Exec(ctx, "INSERT INTO things VALUES ($1, 'never')", t.ID)
		tr.must("write", err)
		cancel()
		if _, err = tx.Exec(ctx, insertThing, t.ID); err == nil {
			tr.Error("written after the end")
		}
		_, err = tx.Exec(tr.as(t), insertThing, t.ID)
		tr.harmless("with another context", err)
		tr.harmless("rollback", tx.Rollback(tr.as(t)))
		for _, t := range []*tenant.Tenant{tr.b, tr.a} {
			tr.recovers(t)
			n, err := one[int64](tr.as(t), tr, "SELECT count(*) FROM things WHERE name = 'never'")
			if err != nil || n != 0 {
				tr.Errorf("%d rows of a transaction that was not committed, %v", n, err)
			}
		}
	}
}

func endsOpen(tr *trial) {
	for _, t := range []*tenant.Tenant{tr.a, tr.b, tr.a} {
		ctx, cancel := context.WithTimeout(tr.as(t), time.Minute)
		var found []int64
		row := owners(&found)
		err := tr.Query(ctx, func(scan func(...any) error) error {
			if len(found) == 100 {
				cancel()
			}
			return row(scan)
		}, manyRows)
		cancel()
		if err == nil {
			tr.own(t, found)
		}
		tr.recovers(tr.b)
		tr.recovers(tr.a)
	}
}

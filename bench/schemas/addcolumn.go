package main

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/cotenant/cotenant/bench/internal/report"
	"github.com/cotenant/cotenant/migrate"
)

// turn brings a fleet to where the files in a folder are, by so many migrations a schema,
// and returns how long that took.
type turn func(ctx context.Context, b *bench, f *fleet, dir string, want int) (time.Duration, error)

// timed returns how long f took.
func timed(f func() error) (time.Duration, error) {
	start := time.Now()
	err := f()
	return time.Since(start), err
}

// way is one of changing schemas.
type way struct {
	name    string
	turn    turn
	records string                 // its table of what a schema has
	record  func(round int) string // the condition for the row of a round
}

func cotenantRecord(round int) string {
	return fmt.Sprintf("app = '%s' AND name = '%s' AND NOT faked", appName, migration(round))
}

func gooseRecord(round int) string { return fmt.Sprintf("version_id = %d AND is_applied", 1+round) }

// The rows of the table, by number.
const (
	waysBare = iota
	waysOurs
	waysGooseKept
	waysGooseFast
	waysGooseEach
)

func ways() []way {
	const cotenantTable, gooseTable = "cotenant_migrations", "goose_db_version"
	return []way{
		waysBare:      {"bare pgx, the same statements", bare, cotenantTable, cotenantRecord},
		waysOurs:      {"cotenant", ours, cotenantTable, cotenantRecord},
		waysGooseKept: {"goose, connections kept", gooseKept(nil), gooseTable, gooseRecord},
		waysGooseFast: {"the same with synchronous_commit=off", gooseKept(url.Values{"synchronous_commit": {"off"}}), gooseTable, gooseRecord},
		waysGooseEach: {"goose, a provider and a connection for each", gooseEach, gooseTable, gooseRecord},
	}
}

// djangoTenants is how many schemas a second django-tenants 3.5 on Django 3.2 gave a
// column to, on a machine like the one of our README.
const djangoTenants = 5

// addColumn makes the table of a column for many schemas.
func (b *bench) addColumn(ctx context.Context) (*report.Table, error) {
	all, err := b.addColumns(ctx)
	if err != nil {
		return nil, err
	}
	t := &report.Table{
		Title: fmt.Sprintf("ADD COLUMN in %d schemas", b.schemas),
		Note: fmt.Sprintf("Small schemas, %d of them worked on at a time, each way in a database of its own, a column a round. Schemas a second, and as a ratio to bare pgx; and by "+
			"how many times cotenant is faster. goose waits for the disk at each COMMIT, unless it says otherwise, and takes no lock; cotenant waits once, at the end. "+
			"django-tenants was not measured here: the figure is quoted, from an earlier measurement on such a machine.", b.jobs),
		Header: []string{"", "schemas/s", "to bare pgx", "cotenant is faster by"},
	}
	for i, w := range ways() {
		c := all[i]
		t.Rows = append(t.Rows, []string{w.name, fmt.Sprintf("%.0f", c.Value()), fmt.Sprintf("%.2f", c.Ratio(all[waysBare])), fmt.Sprintf("%.2f", all[waysOurs].Ratio(c))})
	}
	quoted := &report.Contender{}
	for range all[waysOurs].Results {
		quoted.Results = append(quoted.Results, djangoTenants)
	}
	t.Rows = append(t.Rows, []string{"django-tenants (quoted)", fmt.Sprintf("%d", djangoTenants), fmt.Sprintf("%.4f", quoted.Ratio(all[waysBare])), fmt.Sprintf("%.0f", all[waysOurs].Ratio(quoted))})
	return t, nil
}

// addColumns measures all ways.
func (b *bench) addColumns(ctx context.Context) ([]*report.Contender, error) {
	base, err := b.small(ctx, b.schemas)
	if err != nil {
		return nil, err
	}
	var fleets []*fleet
	if err := b.prepare(ctx, func() (err error) { fleets, err = b.copies(ctx, base); return err }); err != nil {
		return nil, err
	}
	var all []*report.Contender
	for i, w := range ways() {
		all = append(all, &report.Contender{Measure: func() (float64, error) { return b.turn(ctx, w, fleets[i]) }})
	}
	if err := b.observeAll(ctx); err != nil {
		return nil, err
	}
	b.log.Info("measuring", "table", "add-column")
	if err := report.Interleave(ctx, all, b.rounds); err != nil {
		return nil, err
	}
	return all, b.nothingLeft(ctx, fleets[waysBare])
}

// copies makes a database for each of the ways, all alike: they have the tables of
// cotenant and of goose.
func (b *bench) copies(ctx context.Context, base *fleet) ([]*fleet, error) {
	from, err := b.copy(ctx, base, "ways")
	if err != nil {
		return nil, err
	}
	if err := b.adopt(ctx, from); err != nil {
		return nil, err
	}
	if err := execute(ctx, from.url, "VACUUM (ANALYZE)"); err != nil {
		return nil, err
	}
	var fleets []*fleet
	for i := range ways() {
		f, err := b.copy(ctx, from, fmt.Sprintf("way_%d", i))
		if err != nil {
			return nil, err
		}
		fleets = append(fleets, f)
	}
	return fleets, nil
}

// nothingLeft looks that cotenant finds nothing to do where bare pgx did its work.
func (b *bench) nothingLeft(ctx context.Context, f *fleet) error {
	dir, err := b.smallApps(f.round)
	if err != nil {
		return err
	}
	t, err := open(ctx, f.url, dir, nil)
	if err != nil {
		return err
	}
	defer t.Close()
	return migrateAll(ctx, t, &migrate.RunOptions{Jobs: b.jobs, Verify: true}, 0)
}

// observeAll learns what bare pgx has to send in each of the rounds, the one that does
// not count among them.
func (b *bench) observeAll(ctx context.Context) error {
	probe, err := b.small(ctx, 1)
	if err != nil {
		return err
	}
	for round := 1; round <= b.rounds+1; round++ {
		dir, err := b.smallApps(round)
		if err != nil {
			return err
		}
		if b.scripts[round], err = b.observe(ctx, probe, dir, round); err != nil {
			return err
		}
	}
	return nil
}

// turn has a way add the column of the next round, and returns how many schemas a second
// it changed.
func (b *bench) turn(ctx context.Context, w way, f *fleet) (float64, error) {
	f.round++
	dir, err := b.smallApps(f.round)
	if err != nil {
		return 0, err
	}
	// What the one before left to be written is not this one's.
	if err := execute(ctx, f.url, "CHECKPOINT"); err != nil {
		return 0, err
	}
	took, err := w.turn(ctx, b, f, dir, 1)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", w.name, err)
	}
	if err := f.check(ctx, f.round, w.records, w.record(f.round)); err != nil {
		return 0, fmt.Errorf("%s: %w", w.name, err)
	}
	b.log.Info("turn", "way", w.name, "round", f.round, "took", took)
	return float64(len(f.schemas)) / took.Seconds(), nil
}

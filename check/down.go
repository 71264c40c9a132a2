package check

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/migrate"
)

// walker takes the migrations of a list one step forth, back and forth again, and compares
// what the schemas have before and after.
type walker struct {
	*builder
	side     *side
	schema   string // public, or the tenant's
	apps     []*appFiles
	ran      []*walkStep // in their order
	failed   map[string]bool
	rebuilds int
	findings []Finding
}

// walkStep is a migration, or the schema.sql of an app that has none.
type walkStep struct {
	app      *appFiles
	up, down *migrate.SourceFile // down is nil where there is no way back
	before   string              // the app's migration before it, or zero
}

// walk checks the ways back of all migrations.
func (b *builder) walk(ctx context.Context) ([]Finding, error) {
	w := &walker{builder: b, schema: "public", apps: b.shared, failed: map[string]bool{}}
	if !b.hasDowns() {
		return nil, nil
	}
	var err error
	if w.side, err = b.newSide(ctx, "walk", byMigrations); err != nil {
		return nil, err
	}
	if err := w.list(ctx); err != nil || len(b.tenants) == 0 {
		return w.findings, err
	}
	w.schema, w.apps, w.ran, w.failed = scratchTenant, b.tenants, nil, map[string]bool{}
	if err := w.side.addTenant(ctx); err != nil {
		return nil, err
	}
	return w.findings, w.list(ctx)
}

func (b *builder) hasDowns() bool {
	return slices.ContainsFunc(b.files, func(f migrate.SourceFile) bool { return f.Kind == migrate.KindDown })
}

// steps are those that a new schema gets, in their order. There are none where they cannot
// be planned, because a shared app has failed: that is told where both ways are compared.
func (w *walker) steps(ctx context.Context) ([]*walkStep, error) {
	plan, err := w.side.migrator.Fleet(w.side.pool).PlanSync(ctx, &migrate.SyncOptions{
		Migrate: true, RunOptions: migrate.RunOptions{Selection: migrate.Selection{Schemas: []string{w.schema}}},
	})
	if err := w.side.failure(ctx, err); isOutage(err) {
		return nil, err
	}
	if err != nil {
		return nil, nil //nolint:nilerr // see above
	}
	var steps []*walkStep
	last := map[string]string{}
	for _, g := range plan.Groups {
		for _, planned := range g.Steps {
			i := slices.IndexFunc(w.apps, func(app *appFiles) bool { return app.name == planned.App })
			if i < 0 {
				continue
			}
			s := &walkStep{app: w.apps[i], up: w.apps[i].file(planned.Name), down: w.apps[i].downs[planned.Name], before: "zero"}
			if name, ok := last[planned.App]; ok {
				s.before = name
			}
			last[planned.App] = planned.Name
			steps = append(steps, s)
		}
	}
	return steps, nil
}

// file is the one of the app that has a name in the history.
func (a *appFiles) file(name string) *migrate.SourceFile {
	i := slices.IndexFunc(a.migrations, func(f *migrate.SourceFile) bool { return f.Name == name })
	if i < 0 {
		return a.schema
	}
	return a.migrations[i]
}

// list walks through the steps of the list.
func (w *walker) list(ctx context.Context) error {
	steps, err := w.steps(ctx)
	if err != nil {
		return err
	}
	now, err := w.side.read(ctx, w.schema)
	if err != nil {
		return err
	}
	for _, s := range steps {
		if w.failed[s.app.name] {
			continue
		}
		if err := w.forth(ctx, s); err != nil {
			if isOutage(err) {
				return err
			}
			w.failed[s.app.name] = true // which is told where both ways are compared
			continue
		}
		w.ran = append(w.ran, s)
		before := now
		if now, err = w.side.read(ctx, w.schema); err != nil {
			return err
		}
		if s.down == nil {
			continue
		}
		whole, err := w.back(ctx, s, before, now)
		if err != nil {
			return err
		}
		if !whole {
			if now, err = w.rebuild(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// forth runs a step. One that fails in what the ways back have left may do so for that
// reason, so it is tried again where none of them ran.
func (w *walker) forth(ctx context.Context, s *walkStep) error {
	err := w.up(ctx, s)
	if err == nil || isOutage(err) || len(w.ran) == 0 {
		return err
	}
	if _, err := w.rebuild(ctx); err != nil {
		return err
	}
	return w.up(ctx, s)
}

func (w *walker) up(ctx context.Context, s *walkStep) error {
	if s.up.Kind == migrate.KindSchema {
		return w.side.sync(ctx, w.schema, s.app.name)
	}
	return w.side.run(ctx, w.schema, migrate.MigrateOptions{App: s.app.name, Target: s.up.Name})
}

// back takes the way back of a step that ran, and the way there again. It reports whether
// the schemas are then as they were behind the first time.
func (w *walker) back(ctx context.Context, s *walkStep, before, after snapshot) (whole bool, err error) {
	err = w.side.run(ctx, w.schema, migrate.MigrateOptions{App: s.app.name, Target: s.before})
	if isOutage(err) {
		return false, err
	}
	if err != nil {
		if dberr.Code(err) != raised { // which says that there is no way back
			f := w.refused(downFails(), s.app.name, err)
			f.Message, f.Cure = "the way back fails: "+f.Message, downFails().Cure
			w.add(s, f)
		}
		return s.down.Transaction, nil // nothing of it was kept
	}
	undone, err := w.side.read(ctx, w.schema)
	if err != nil {
		return false, err
	}
	left := slices.DeleteFunc(differences(before, undone), shared)
	again := w.up(ctx, s)
	if isOutage(again) {
		return false, again
	}
	if again == nil && len(left) == 0 {
		return true, nil // from the same state, it leads to the same
	}
	w.add(s, w.notUndone(s, left, again))
	if again != nil {
		return false, nil //nolint:nilerr // the finding has it
	}
	now, err := w.side.read(ctx, w.schema)
	return err == nil && len(differences(after, now)) == 0, err
}

// rebuild makes the schemas anew up to where they are, without the ways back.
func (w *walker) rebuild(ctx context.Context) (snapshot, error) {
	w.rebuilds++
	if err := w.renew(ctx); err != nil {
		return snapshot{}, err
	}
	for i, s := range w.ran {
		if next := i + 1; next < len(w.ran) && w.ran[next].app == s.app {
			continue // goes with that
		}
		if err := w.up(ctx, s); err != nil {
			var o *outage
			if !errors.As(err, &o) {
				err = fmt.Errorf("%s ran before, and fails in a new schema: %w", s.up.Path, err)
			}
			return snapshot{}, err
		}
	}
	return w.side.read(ctx, w.schema)
}

// renew makes the schema empty: public is that of a new database.
func (w *walker) renew(ctx context.Context) error {
	if w.schema == "public" {
		if err := w.side.close(ctx); err != nil {
			return err
		}
		side, err := w.newSide(ctx, fmt.Sprintf("walk%d", w.rebuilds), byMigrations)
		w.side = side
		return err
	}
	reader := w.side.reader
	name := pgx.Identifier{scratchTenant}.Sanitize()
	if _, err := reader.Exec(ctx, "DROP SCHEMA "+name+" CASCADE"); err != nil {
		return fmt.Errorf("schema %q: %w", scratchTenant, err)
	}
	if _, err := reader.Exec(ctx, "CREATE SCHEMA "+name); err != nil {
		return fmt.Errorf("schema %q: %w", scratchTenant, err)
	}
	return w.side.giveTenant(ctx)
}

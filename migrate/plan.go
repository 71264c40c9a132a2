package migrate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cotenant/cotenant/migrate/internal/sqlfile"
)

// step is what one transaction does.
type step struct {
	action   Action
	script   *script
	records  []record // that come
	forget   []string // names of records of the script's app that go
	first    bool     // the schema may not have the table of its history yet
	reaches  bool     // what runs may change the history
	initial  bool     // it is only recorded where its tables are there
	from, to string   // the digests of the history before and after
}

// applied is the step as it is told.
func (s *step) applied() Applied {
	return Applied{Action: s.action, App: s.script.app, Name: s.script.name}
}

// described is the step as a plan shows it.
func (s *step) described() Step {
	d := Step{Action: s.action, App: s.script.app, Name: s.script.name, OrFake: s.initial && len(s.script.createdTables()) > 0}
	var w *way
	switch s.action {
	case Apply, Build:
		w = &s.script.up
	case Unapply:
		w = s.script.down
	default:
		return d
	}
	for _, stmt := range w.Statements {
		d.SQL = append(d.SQL, stmt.Text)
	}
	return d
}

// planner plans for the apps of one kind of schemas. It simulates the history as it
// goes.
type planner struct {
	*Migrator
	apps    []loadedApp
	order   []*script
	request request
	public  history // what a tenant's migrations can require of shared apps; nil if that is not looked at
	now     history
	steps   []step
}

// plan returns the steps that bring a schema with this history to where the request
// wants it; the history is then as it is behind them. public is the history of public, or
// nil. The error says why that cannot be.
func (m *Migrator) plan(apps []loadedApp, order []*script, h, public history, r request) ([]step, error) {
	p := planner{apps: apps, order: order, request: r, Migrator: m, public: public, now: h}
	err := compare(apps, h)
	if err == nil {
		err = p.view()
	}
	if err == nil && r.target != "" {
		err = p.toTarget()
	} else if err == nil {
		err = p.forth()
	}
	if err == nil {
		err = p.grounded()
	}
	if err != nil {
		return nil, err
	}
	return p.steps, nil
}

// view has the planner see the apps as they are for its history.
func (p *planner) view() (err error) {
	all := p.apps
	if p.apps, err = view(all, p.now); err == nil && anyReplaces(all) {
		p.order = order(p.apps)
	}
	return err
}

// forth plans the way to the newest of all that is wanted, and of what that requires.
func (p *planner) forth() error {
	var required map[string]bool
	if app := p.find(p.request.app); app != nil {
		required = p.required(app, len(app.migrations)-1)
	}
	for _, s := range arrange(p.apps, p.builds) {
		app := p.find(s.app)
		switch {
		case !p.wanted(app) && !required[s.id()] && (s != app.schema || !app.anyOf(required)):
		case s == app.schema:
			p.whole(app)
		case !p.now.has(s.app, s.name):
			if err := p.apply(app, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// anyOf reports whether a migration of the app is in a set.
func (l *loadedApp) anyOf(ids map[string]bool) bool {
	return slices.ContainsFunc(l.migrations, func(s script) bool { return ids[s.id()] })
}

// grounded refuses what requires a migration of a shared app that public does not have.
func (p *planner) grounded() error {
	if p.public == nil {
		return nil
	}
	for _, s := range p.steps {
		scripts := []script{*s.script}
		switch s.action {
		case Build:
			scripts = p.find(s.script.app).migrations
		case Apply:
		default:
			continue
		}
		for _, s := range scripts {
			for _, required := range s.requires {
				if app, name, _ := strings.Cut(required, "/"); p.find(app) == nil && !provides(p.shared, p.public, app, name) {
					return fmt.Errorf("%s requires %s, which public does not have (migrate the shared apps first)", s.file, required)
				}
			}
		}
	}
	return nil
}

func (p *planner) find(name string) *loadedApp {
	i := slices.IndexFunc(p.apps, func(l loadedApp) bool { return l.name == name })
	if i < 0 {
		return nil
	}
	return &p.apps[i]
}

// wanted reports whether the request is about the app. cotenant's own tables are what
// all others stand on.
func (p *planner) wanted(app *loadedApp) bool {
	switch {
	case app.name == ownApp:
		return true
	case p.request.app != "" && p.request.app != app.name:
		return false
	case len(app.migrations) > 0:
		return p.request.migrate
	}
	return p.request.sync
}

// add appends a step.
func (p *planner) add(s step) {
	s.from, s.first = p.now.digest(), len(p.now) == 0
	p.now.remove(s.script.app, s.forget...)
	p.now.add(s.records...)
	s.to, s.reaches = p.now.digest(), s.mayReach()
	p.steps = append(p.steps, s)
}

// builds reports whether the app's schema.sql stands for its migrations.
func (p *planner) builds(app *loadedApp) bool {
	return len(p.now[app.name]) == 0 && !p.config.CreationRunsMigrations && !p.request.fake && !p.request.fakeInitial
}

// whole plans for the schema.sql of an app.
func (p *planner) whole(app *loadedApp) {
	if len(app.migrations) > 0 {
		p.add(app.build())
		return
	}
	if r, ok := p.now[app.name][schemaFile]; !ok || r.checksum != app.schema.checksum || p.request.compare {
		p.add(step{action: Sync, script: app.schema, records: []record{app.schema.record(p.request.fake)}, forget: []string{schemaFile}})
	}
}

// build is the step that makes an app in a schema that has nothing of it.
func (l *loadedApp) build() step {
	s := step{action: Build, script: l.schema, records: []record{l.schema.record(false)}}
	for i := range l.migrations {
		s.records = append(s.records, l.migrations[i].record(true))
	}
	return s
}

// apply plans a migration.
func (p *planner) apply(app *loadedApp, s *script) error {
	if s.complete(p.now) {
		p.add(step{action: Replace, script: s, records: []record{s.record(true)}, forget: s.replaces})
		return nil
	}
	if p.config.RefuseOutOfOrder {
		for i := range app.migrations {
			if newer := &app.migrations[len(app.migrations)-1-i]; newer.name == s.name {
				break // they are in order
			} else if p.now.has(app.name, newer.name) {
				return fmt.Errorf("%s has not run and %s, which is newer, has (renumber it, or let it run: out_of_order)", s.file, newer.name)
			}
		}
	}
	if p.request.fake {
		p.add(step{action: Fake, script: s, records: []record{s.record(true)}})
		return nil
	}
	initial := p.request.fakeInitial && s.name == app.migrations[0].name && p.nothingOf(app)
	p.add(step{action: Apply, script: s, records: []record{s.record(false)}, initial: initial})
	return nil
}

// nothingOf reports whether no migration of the app is recorded; its schema.sql may be, from
// a time when it had no migrations.
func (p *planner) nothingOf(app *loadedApp) bool {
	records := p.now[app.name]
	return len(records) == 0 || len(records) == 1 && p.now.has(app.name, schemaFile)
}

// toTarget plans the way of an app to one of its migrations, back and forth: in the end
// what stands up to the target is there, and nothing that stands behind it.
func (p *planner) toTarget() error {
	app := p.find(p.request.app)
	if app == nil {
		return nil
	}
	upTo, reached, err := p.place(app)
	if err != nil {
		return err
	}
	for i := len(app.migrations) - 1; i > upTo; i-- {
		s := &app.migrations[i]
		if s == reached {
			continue
		}
		if s.complete(p.now) { // its way back is theirs
			if err := p.apply(app, s); err != nil {
				return err
			}
		}
		if p.now.has(app.name, s.name) {
			if err := p.unapply(app, s); err != nil {
				return err
			}
		}
	}
	for _, s := range p.needed(app, upTo) {
		if p.now.has(s.app, s.name) {
			continue
		}
		if err := p.apply(p.find(s.app), s); err != nil {
			return err
		}
	}
	return nil
}

// place is where the target is among the app's migrations. The last of those that another
// one replaces is reached where all of them are there, though they are not seen any more:
// the other one, which is returned then, is neither recorded nor undone.
func (p *planner) place(app *loadedApp) (upTo int, reached *script, err error) {
	target := p.request.target
	if target == "zero" {
		return -1, nil, nil
	}
	if upTo := slices.IndexFunc(app.migrations, func(m script) bool { return m.name == target }); upTo >= 0 {
		return upTo, nil, nil
	}
	by := app.replacement(target)
	switch {
	case by == nil: // the shared and the tenant app of the name differ
		return 0, nil, fmt.Errorf("migration %q: app %q has none of that name here (select the schemas of the app that has it)", target, app.name)
	case !by.complete(p.now) || slices.ContainsFunc(by.replaces, func(name string) bool { return sqlfile.CompareNames(name, target) > 0 }):
		return 0, nil, fmt.Errorf("%s stands for %s in the schema (go to %s, or to what comes before it)", by.file, target, by.name)
	}
	behind := func(m script) bool { return sqlfile.CompareNames(m.name, target) > 0 }
	if upTo = slices.IndexFunc(app.migrations, behind); upTo < 0 {
		upTo = len(app.migrations)
	}
	return upTo - 1, by, nil
}

// needed are the migrations of the app up to one of them, and what these require of
// others, in the order in which they are to run.
func (p *planner) needed(app *loadedApp, upTo int) []*script {
	required := p.required(app, upTo)
	return slices.DeleteFunc(slices.Clone(p.order), func(s *script) bool { return !required[s.id()] })
}

// required are the ids of the migrations of the app up to one of them, and of what these
// require.
func (p *planner) required(app *loadedApp, upTo int) map[string]bool {
	required := make(map[string]bool)
	var mark func(app *loadedApp, upTo int)
	mark = func(app *loadedApp, upTo int) {
		for i := range app.migrations[:upTo+1] {
			s := &app.migrations[i]
			if required[s.id()] {
				continue
			}
			required[s.id()] = true
			for _, r := range s.requires {
				name, migration, _ := strings.Cut(r, "/")
				if other := p.find(name); other != nil {
					mark(other, slices.IndexFunc(other.migrations, func(m script) bool { return m.name == migration }))
				}
			}
		}
	}
	mark(app, upTo)
	return required
}

// unapply plans the way back from a migration. With the last record of an app that of its
// schema.sql goes.
func (p *planner) unapply(app *loadedApp, s *script) error {
	for _, other := range p.order {
		if other.app != app.name && slices.Contains(other.requires, s.id()) && p.now.has(other.app, other.name) {
			return errRequired(other.id(), s.id(), other.app)
		}
	}
	step := step{action: Unapply, script: s, forget: append([]string{s.name}, s.replaces...)}
	stays := func(name string) bool { return name != schemaFile && !slices.Contains(step.forget, name) }
	if !slices.ContainsFunc(slices.Collect(maps.Keys(p.now[app.name])), stays) {
		step.forget = append(step.forget, schemaFile)
	}
	switch {
	case p.request.fake:
		step.action = Forget
	case s.down == nil:
		return fmt.Errorf("%s has no way back (write one: below -- +goose Down or -- migrate:down in the file, or as .down.sql beside .up.sql; or only forget that it ran: --fake)", s.file)
	}
	p.add(step)
	return nil
}

func errRequired(id, required, app string) error {
	return fmt.Errorf("%s requires %s, which would be undone (take %s back first)", id, required, app)
}

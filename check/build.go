package check

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/registry"
)

// ownApp is the name of the app with cotenant's own tables.
const ownApp = "cotenant"

// BuildOptions say what Builds builds.
type BuildOptions struct {
	// Migrate has the apps, and the settings that they are built with. Its hooks are not
	// called, and its Logger is told of databases that were left by a crash. The app
	// cotenant, with the tables of the registry, is added if it is not among the shared
	// apps.
	Migrate *migrate.Config
	// Template is a database that is copied to build in: one with the extensions, schemas
	// and roles that the files take for granted, and to which nobody is connected.
	// Defaults to an empty one with the locale of the database that the pool leads to.
	Template string
}

// Builds builds the apps on the server that pool leads to, in databases that are made for
// that and dropped in the end, and tells what is wrong with what comes of the files:
//
//   - schema.sql and the migrations of an app do not make the same tables, or not the same
//     rows: new tenants would differ from old ones;
//   - a way back fails, or does not lead to where its migration came from, or the migration
//     fails when it runs again;
//   - a new tenant cannot be created, which is done in one transaction;
//   - a tenant's object has the name of a shared one, and hides it.
//
// The files run as in production, with what cannot run in a transaction outside of one, and
// Go migrations for real. Each runs three times, or more often. What they do outside of
// their database, such as giving one role to another, stays; roles that they make are
// dropped.
//
// A file that PostgreSQL refuses is a finding, and the others are looked at. The error is
// about anything else: what migrate.New says of the files; a login that may not create
// databases, ErrMayNotBuild; a server that is not there; the end of ctx. Nothing is left on
// the server then, either. What a killed program has left is dropped by the first call that
// comes a day later.
//
// The findings are for [Config].Others, so that comments allow them; they are not nil where
// err is. The pool must lead to the server itself, and is not used for more than a few statements.
func Builds(ctx context.Context, pool *pgxpool.Pool, options *BuildOptions) (findings []Finding, err error) {
	if options == nil {
		options = &BuildOptions{}
	}
	b, err := newBuilder(options)
	if err != nil {
		return nil, fmt.Errorf("check: %w", err)
	}
	if b.scratch, err = newScratch(ctx, pool, options.Template, b.logger); err != nil {
		return nil, fmt.Errorf("check: %w", err)
	}
	if b.roles, err = newRoles(ctx, b.scratch, cmp.Or(b.given.MigratorRole, "cotenant_migrator"), b.files); err != nil {
		return nil, fmt.Errorf("check: %w", err)
	}
	findings, err = b.build(ctx)
	if err = errors.Join(err, b.scratch.close(ctx), b.roles.close(ctx)); err != nil {
		return nil, fmt.Errorf("check: %w", err)
	}
	return findings, nil // which are not nil: there was a check
}

// builder has what all builds of the apps share.
type builder struct {
	given   migrate.Config // with the app cotenant
	files   []migrate.SourceFile
	shared  []*appFiles
	tenants []*appFiles
	logger  *slog.Logger
	scratch *scratch
	roles   *roles
}

// appFiles are the files of an app in one list.
type appFiles struct {
	name       string
	tenant     bool
	schema     *migrate.SourceFile   // nil without schema.sql
	migrations []*migrate.SourceFile // in their order
	downs      map[string]*migrate.SourceFile
}

func newBuilder(options *BuildOptions) (*builder, error) {
	b := &builder{logger: slog.New(slog.DiscardHandler)}
	if options.Migrate != nil {
		b.given = *options.Migrate
	}
	if b.given.Logger != nil {
		b.logger = b.given.Logger
	}
	if !slices.ContainsFunc(b.given.SharedApps, func(a migrate.App) bool { return a.Name == ownApp }) {
		own, err := registry.Migrations(&registry.Config{TenantsTable: b.given.TenantsTable})
		if err != nil {
			return nil, err
		}
		app := migrate.App{Name: ownApp}
		for _, m := range own {
			app.Migrations = append(app.Migrations, migrate.Migration{Name: m.Name, SQL: m.SQL})
		}
		b.given.SharedApps = append([]migrate.App{app}, b.given.SharedApps...)
	}
	if _, err := migrate.New(b.config(false)); err != nil {
		return nil, err
	}
	b.files, _ = migrate.ReadFiles(&b.given) // New has no fault to find
	b.shared = listApps(b.given.SharedApps, b.files, false)
	b.tenants = listApps(b.given.TenantApps, b.files, true)
	return b, nil
}

// listApps sorts the files of a list by their apps.
func listApps(apps []migrate.App, files []migrate.SourceFile, tenant bool) []*appFiles {
	var list []*appFiles
	for _, app := range apps {
		if app.Name == ownApp {
			continue
		}
		a := &appFiles{name: app.Name, tenant: tenant, downs: map[string]*migrate.SourceFile{}}
		for i := range files {
			switch f := &files[i]; {
			case f.App != app.Name || f.Tenant != tenant:
			case f.Kind == migrate.KindSchema:
				a.schema = f
			case f.Kind == migrate.KindUp:
				a.migrations = append(a.migrations, f)
			case f.Kind == migrate.KindDown:
				a.downs[f.Name] = f
			}
		}
		list = append(list, a)
	}
	return list
}

// config is the user's, without what would be called or told. The ways differ in what an
// app that has both kinds of files is built from.
func (b *builder) config(runsMigrations bool) *migrate.Config {
	c := b.given
	c.CreationRunsMigrations = runsMigrations
	c.Logger, c.Tenant = nil, nil
	c.OnMigrated, c.OnMigrating, c.OnSchemaNeedsSync, c.OnSchemaSynced = nil, nil, nil, nil
	if b.roles != nil {
		c.MigratorRole = b.roles.migrator
	}
	return &c
}

// runsMigrations reports whether a new tenant gets the migrations.
func (b *builder) runsMigrations() bool { return b.given.CreationRunsMigrations }

func (b *builder) tenantsTable() pgx.Identifier {
	if len(b.given.TenantsTable) == 0 {
		return pgx.Identifier{"cotenant", "tenants"}
	}
	return b.given.TenantsTable
}

// build builds the apps both ways, and walks their migrations back and forth, at once.
func (b *builder) build(ctx context.Context) ([]Finding, error) {
	var bothWays, walked []Finding
	g, ctx := b.group(ctx)
	g.Go(func() (err error) {
		bothWays, err = b.compare(ctx)
		return err
	})
	g.Go(func() (err error) {
		walked, err = b.walk(ctx)
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return tidy(append(bothWays, walked...)), nil
}

// group is for builds at once; or one after the other where files make roles, which
// belong to all databases and would meet.
func (b *builder) group(ctx context.Context) (*errgroup.Group, context.Context) {
	g, ctx := errgroup.WithContext(ctx)
	if len(b.roles.made) > 0 {
		g.SetLimit(1)
	}
	return g, ctx
}

// compare builds the apps from schema.sql and from the migrations, and compares.
func (b *builder) compare(ctx context.Context) ([]Finding, error) {
	var a, m *side
	g, gctx := b.group(ctx)
	g.Go(func() (err error) {
		a, err = b.newBuild(gctx, "schema", bySchema)
		return err
	})
	g.Go(func() (err error) {
		m, err = b.newBuild(gctx, "migrations", byMigrations)
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	findings := append(a.findings, m.findings...)
	findings = append(findings, b.differ(a, m)...)
	findings = append(findings, b.hidden(a, m)...)
	rows, err := b.compareRows(ctx, a, m)
	if err != nil {
		return nil, err
	}
	findings = append(findings, rows...)
	creation, err := b.checkCreation(ctx, a, m)
	return append(findings, creation...), errors.Join(err, a.close(ctx), m.close(ctx))
}

func (b *builder) newBuild(ctx context.Context, name string, w way) (*side, error) {
	s, err := b.newSide(ctx, name, w)
	if err == nil {
		err = s.build(ctx)
	}
	return s, err
}

// checkCreation creates a tenant, if its apps could be built one by one.
func (b *builder) checkCreation(ctx context.Context, a, m *side) ([]Finding, error) {
	s := a
	if b.runsMigrations() {
		s = m
	}
	if len(b.tenants) == 0 || len(s.public.failed)+len(s.tenant.failed) > 0 {
		return nil, nil
	}
	err := s.create(ctx)
	if err == nil || isOutage(err) {
		return nil, err
	}
	return []Finding{b.creationRefusal(err)}, nil
}

// tidy sorts findings, and leaves out what is said twice: of an app in both lists.
func tidy(findings []Finding) []Finding {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(strings.Compare(a.App, b.App), strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), strings.Compare(a.Rule, b.Rule), strings.Compare(a.Message, b.Message))
	})
	all := []Finding{}
	for _, f := range findings {
		if !slices.Contains(all, f) {
			all = append(all, f)
		}
	}
	return all
}

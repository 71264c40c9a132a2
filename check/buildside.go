package check

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

// scratchTenant is the schema of the tenant that is built, and createdTenant that of one
// that is created as the registry does it.
const (
	scratchTenant = "check_tenant"
	createdTenant = "check_created"
)

// side is a database in which the apps are built one way: from schema.sql where they have
// that, or from their migrations.
type side struct {
	*builder
	*database
	way      way
	migrator *migrate.Migrator
	public   *built // the shared apps
	tenant   *built // the tenant apps
	findings []Finding
	broken   []string // the apps that could not be built, of both lists
}

// way is how a side is built, in words for people.
type way string

const (
	bySchema     way = "schema.sql"
	byMigrations way = "the migrations"
)

// built is what schemas have come to: the tenant's, or all others.
type built struct {
	snapshot
	owners map[objectID]string // the app that an object came with, or was last changed by
	failed map[string]bool     // the apps that could not be built
}

// newSide makes the database of a side, with cotenant's own tables.
func (b *builder) newSide(ctx context.Context, name string, w way) (*side, error) {
	s := &side{builder: b, way: w}
	var err error
	if s.database, err = b.scratch.database(ctx, name); err != nil {
		return nil, err
	}
	if s.migrator, err = migrate.New(b.config(w == byMigrations)); err != nil {
		return nil, err
	}
	if err := s.run(ctx, "public", migrate.MigrateOptions{App: ownApp}); err != nil {
		return nil, fmt.Errorf("cotenant's own tables: %w", err)
	}
	return s, nil
}

// close drops the database of a side.
func (s *side) close(ctx context.Context) error { return s.scratch.drop(ctx, s.name) }

// run migrates one schema.
func (s *side) run(ctx context.Context, schema string, o migrate.MigrateOptions) error {
	o.Selection = migrate.Selection{Schemas: []string{schema}}
	_, err := s.migrator.Fleet(s.pool).Migrate(ctx, &o)
	return s.failure(ctx, err)
}

// failure is why a run has failed in the one schema that it was about. What is not the
// files' fault is wrapped in an *outage.
func (s *side) failure(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		return &outage{cause}
	}
	var failed *migrate.RunError
	if errors.As(err, &failed) && len(failed.Report.Failures) > 0 {
		err = failed.Report.Failures[0].Err
	}
	var lost net.Error
	if code := dberr.Code(err); isOutageCode(code) || errors.As(err, &lost) || errors.Is(err, io.ErrUnexpectedEOF) || code == "" && s.pool.Ping(ctx) != nil {
		return &outage{err}
	}
	return err
}

// outage is an error that says nothing of the files.
type outage struct{ error }

func (e *outage) Unwrap() error { return e.error }

// isOutageCode reports whether an SQLSTATE is of a server that is short of something, is
// going down, or was never reached.
func isOutageCode(code string) bool {
	return strings.HasPrefix(code, "08") || strings.HasPrefix(code, "53") || strings.HasPrefix(code, "57P")
}

func isOutage(err error) bool {
	var o *outage
	return errors.As(err, &o)
}

// sync creates what the schema.sql of an app without migrations has. It can refer to the
// apps before it, which have been built.
func (s *side) sync(ctx context.Context, schema, app string) error {
	config := s.config(s.way == byMigrations)
	config.SharedApps, config.TenantApps = s.upTo(config.SharedApps, app), s.upTo(config.TenantApps, app)
	m, err := migrate.New(config)
	if err != nil {
		return err
	}
	_, err = m.Fleet(s.pool).Sync(ctx, &migrate.SyncOptions{RunOptions: migrate.RunOptions{Selection: migrate.Selection{Schemas: []string{schema}}}})
	return s.failure(ctx, err)
}

// upTo returns an app and those before it in its list that could be built; of the other
// list, cotenant's own.
func (s *side) upTo(apps []migrate.App, app string) []migrate.App {
	i := slices.IndexFunc(apps, func(a migrate.App) bool { return a.Name == app })
	var list []migrate.App
	for j, a := range apps {
		if a.Name == ownApp || j == i || j < i && !slices.Contains(s.broken, a.Name) {
			list = append(list, a)
		}
	}
	return list
}

// build builds the shared apps and then, in the schema of a tenant, the others: one app
// after the other, so that it is known what came with which, and so that one that fails
// does not hide the faults of those behind it.
func (s *side) build(ctx context.Context) (err error) {
	if s.public, err = s.buildList(ctx, "public", s.shared); err != nil {
		return err
	}
	if len(s.tenants) == 0 {
		return nil
	}
	if err := s.addTenant(ctx); err != nil {
		return err
	}
	s.tenant, err = s.buildList(ctx, scratchTenant, s.tenants)
	return err
}

// buildList builds the apps of one list.
func (s *side) buildList(ctx context.Context, schema string, apps []*appFiles) (*built, error) {
	b := &built{owners: map[objectID]string{}, failed: map[string]bool{}}
	var err error
	if b.snapshot, err = s.read(ctx, schema); err != nil {
		return nil, err
	}
	for _, app := range apps {
		err := s.buildApp(ctx, schema, app)
		if isOutage(err) {
			return nil, err
		}
		if err != nil {
			b.failed[app.name] = true
			s.broken = append(s.broken, app.name)
		}
		if err != nil && !s.follows(schema, err) {
			s.findings = append(s.findings, s.refusal(app, err))
		}
		after, err := s.read(ctx, schema)
		if err != nil {
			return nil, err
		}
		for id := range changes(b.snapshot, after) {
			b.owners[id] = app.name
		}
		b.snapshot = after
	}
	return b, nil
}

// follows reports whether an error comes of a shared app that failed: what requires one of
// its migrations is not begun.
func (s *side) follows(schema string, err error) bool {
	var at *migrate.StatementError
	return schema != "public" && len(s.public.failed) > 0 && dberr.Code(err) == "" && !errors.As(err, &at)
}

func (s *side) buildApp(ctx context.Context, schema string, app *appFiles) error {
	if len(app.migrations) == 0 {
		return s.sync(ctx, schema, app.name)
	}
	return s.run(ctx, schema, migrate.MigrateOptions{App: app.name})
}

// addTenant makes an empty schema and the row of its tenant. What the shared apps have
// added to the tenants' table must not refuse that.
func (s *side) addTenant(ctx context.Context) error {
	if err := s.easeTenantsTable(ctx); err != nil {
		return fmt.Errorf("the tenants' table: %w", err)
	}
	if err := pgx.BeginFunc(ctx, s.reader, func(tx pgx.Tx) error { return s.insertTenant(ctx, tx, 1, scratchTenant) }); err != nil {
		return err
	}
	return s.giveTenant(ctx)
}

// giveTenant gives the tenant's schema to the migrator role, if there is one, as a creation
// does: it is the owner's role that files run as.
func (s *side) giveTenant(ctx context.Context) error {
	if _, err := s.reader.Exec(ctx, "SELECT cotenant.give_schema($1, $2)", scratchTenant, s.roles.migrator); err != nil {
		return fmt.Errorf("schema %q: %w", scratchTenant, err)
	}
	return nil
}

func (s *side) insertTenant(ctx context.Context, tx pgx.Tx, id int64, schema string) error {
	_, err := tx.Exec(ctx, "INSERT INTO "+s.tenantsTable().Sanitize()+" (id, schema_name) OVERRIDING SYSTEM VALUE VALUES ($1, $2)", id, schema)
	if err != nil {
		return fmt.Errorf("the row of a tenant: %w", err)
	}
	if _, err := tx.Exec(ctx, "CREATE SCHEMA "+pgx.Identifier{schema}.Sanitize()); err != nil {
		return fmt.Errorf("schema %q: %w", schema, err)
	}
	return nil
}

// easeTenantsTable lets a tenant be without values for the columns that the user has added,
// which are nothing to the files.
func (s *side) easeTenantsTable(ctx context.Context) error {
	table := s.tenantsTable().Sanitize()
	rows, err := s.reader.Query(ctx, `SELECT a.attname::text FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = $1::text::pg_catalog.regclass AND a.attnum > 0
		AND NOT a.attisdropped AND a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AND a.attname NOT IN ('id', 'schema_name')`, table)
	if err != nil {
		return err
	}
	columns, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, column := range columns {
		if _, err := s.reader.Exec(ctx, "ALTER TABLE "+table+" ALTER COLUMN "+pgx.Identifier{column}.Sanitize()+" DROP NOT NULL"); err != nil {
			return err
		}
	}
	_, err = s.reader.Exec(ctx, "ALTER TABLE "+table+" DISABLE TRIGGER USER")
	return err
}

// create creates a tenant in one transaction, as the registry does. What the files do one
// by one may be refused there.
func (s *side) create(ctx context.Context) error {
	m, err := migrate.New(s.config(s.runsMigrations()))
	if err != nil {
		return err
	}
	t := &tenant.Tenant{ID: 2, Schema: tenant.MustParseSchema(createdTenant)}
	ctx = tenant.NewContext(ctx, t)
	err = s.pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) error {
		defer func() { _ = conn.Conn().Close(context.WithoutCancel(ctx)) }() // with what the files did to the session
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			if err := s.insertTenant(ctx, tx, t.ID, createdTenant); err != nil {
				return &outage{err}
			}
			return m.BuildSchema(ctx, tx, t)
		})
	})
	return s.failure(ctx, err)
}

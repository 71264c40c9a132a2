package main

import (
	"context"
	"fmt"
	"net/url"
	"strconv"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// schema is a tenant's, as a way by hand needs to know it.
type schema struct {
	ID   int64
	OID  uint32
	Name string
}

// fleet is a database with the schemas of tenants.
type fleet struct {
	name    string // of the database
	url     string
	schemas []schema
	round   int // of the newest migration that all schemas have
}

// database makes a database, a copy of another one or an empty one.
func (b *bench) database(ctx context.Context, name, template string) (string, error) {
	sql := "CREATE DATABASE " + pgx.Identifier{name}.Sanitize() + " TEMPLATE " + pgx.Identifier{template}.Sanitize()
	if err := execute(ctx, b.url, sql); err != nil {
		return "", err
	}
	return b.addressOf(name)
}

// addressOf returns the URL of a database.
func (b *bench) addressOf(name string) (string, error) {
	u, err := url.Parse(b.url)
	if err != nil {
		return "", err
	}
	u.Path = "/" + name
	return u.String(), nil
}

// execute runs statements, one after the other, on a connection of their own.
func execute(ctx context.Context, url string, statements ...string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}

// small returns a database with n small schemas, at the round that they are at. Who asks
// for as many again gets the same one.
func (b *bench) small(ctx context.Context, n int) (*fleet, error) {
	name := "small_" + strconv.Itoa(n)
	if f := b.fleets[name]; f != nil {
		return f, nil
	}
	b.log.Info("creating schemas", "tenants", n)
	dir, err := b.smallApps(0)
	if err != nil {
		return nil, err
	}
	var url string
	err = b.prepare(ctx, func() (err error) {
		if url, err = b.database(ctx, name, "template0"); err != nil {
			return err
		}
		return settle(ctx, url, dir, n)
	})
	if err != nil {
		return nil, err
	}
	f := &fleet{name: name, url: url}
	if f.schemas, err = readSchemas(ctx, url); err != nil {
		return nil, err
	}
	if len(f.schemas) != n {
		return nil, fmt.Errorf("there are %d schemas, want %d", len(f.schemas), n)
	}
	b.fleets[name] = f
	return f, nil
}

// settle creates n tenants, and leaves the server nothing to clean up while we measure.
func settle(ctx context.Context, url, dir string, n int) error {
	t, err := open(ctx, url, dir, nil)
	if err != nil {
		return err
	}
	defer t.Close()
	if err := t.Migrate(ctx); err != nil {
		return err
	}
	if err := execute(ctx, url, fmt.Sprintf("ALTER TABLE cotenant.tenants ALTER COLUMN id RESTART WITH %d", firstID)); err != nil {
		return err
	}
	group, ctx2 := errgroup.WithContext(ctx)
	group.SetLimit(4)
	for i := range n {
		group.Go(func() error {
			_, err := t.Registry().Create(ctx2, registry.CreateParams{Schema: schemaName(i)})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return execute(ctx, url, "VACUUM (ANALYZE)")
}

// firstID is of a fleet's first tenant: a number that can be told from others on the wire.
const firstID = 1_000_001

// schemaName is of the tenant that is the i-th.
func schemaName(i int) tenant.Schema { return tenant.MustParseSchema("tenant_" + strconv.Itoa(i)) }

// copy returns a fleet like another one, in a database of its own.
func (b *bench) copy(ctx context.Context, f *fleet, name string) (*fleet, error) {
	url, err := b.database(ctx, name, f.name)
	if err != nil {
		return nil, err
	}
	return &fleet{name: name, url: url, schemas: f.schemas, round: f.round}, nil
}

func readSchemas(ctx context.Context, url string) ([]schema, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `SELECT t.id, n.oid, t.schema_name FROM cotenant.tenants t
		JOIN pg_catalog.pg_namespace n ON n.nspname = t.schema_name WHERE t.schema_name <> 'public' ORDER BY t.id`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[schema])
}

// worker works on one schema after the other.
type worker struct {
	do    func(ctx context.Context, s schema) error
	close func()
}

// each has several workers, each made by hire, work on the schemas.
func each(ctx context.Context, schemas []schema, jobs int, hire func(ctx context.Context) (worker, error)) error {
	queue := make(chan schema, len(schemas))
	for _, s := range schemas {
		queue <- s
	}
	close(queue)
	group, ctx := errgroup.WithContext(ctx)
	for range jobs {
		group.Go(func() error {
			w, err := hire(ctx)
			if err != nil {
				return err
			}
			defer w.close()
			for s := range queue {
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := w.do(ctx, s); err != nil {
					return fmt.Errorf("schema %q: %w", s.Name, err)
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// recorded is a procedure that counts the schemas in which a table of records has one
// row that fulfils a condition. It looks at each in a transaction of its own: there are
// not locks for all of them in one.
const recorded = `CREATE PROCEDURE pg_temp.recorded(records text, condition text, INOUT sum bigint) LANGUAGE plpgsql AS $$
DECLARE
	schema name;
	n bigint;
BEGIN
	FOR schema IN SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname LIKE 'tenant\_%' LOOP
		EXECUTE format('SELECT count(*) FROM %I.%I WHERE %s', schema, records, condition) INTO n;
		IF n = 1 THEN
			sum := sum + 1;
		END IF;
		COMMIT;
	END LOOP;
END $$`

// check looks that every schema has the column of a round, and the record of it: a way
// that leaves some out is none.
func (f *fleet) check(ctx context.Context, round int, records, condition string) error {
	conn, err := pgx.Connect(ctx, f.url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, recorded); err != nil {
		return err
	}
	var altered, recorded int
	err = conn.QueryRow(ctx, `SELECT count(*) FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
		JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname LIKE 'tenant\_%' AND c.relname = 'customers' AND a.attname = $1 AND NOT a.attisdropped`, column(round)).Scan(&altered)
	if err != nil {
		return err
	}
	if err := conn.QueryRow(ctx, "CALL pg_temp.recorded($1, $2, 0)", records, condition).Scan(&recorded); err != nil {
		return err
	}
	if altered != len(f.schemas) || recorded != len(f.schemas) {
		return fmt.Errorf("of %d schemas, %d have %s and %d have it recorded", len(f.schemas), altered, column(round), recorded)
	}
	return nil
}

package registry

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/tenant"
)

// CreateParams describes a tenant that is to be created.
type CreateParams struct {
	// Domains lead to the tenant; the first is its primary one. None is fine.
	Domains []tenant.Domain
	// Fields are values for the columns that the user added to the table, by
	// the column's name, of any Go type that pgx encodes for the column.
	Fields map[string]any
	// ReuseName takes a schema's name also while it rests; see Config.NameRest.
	ReuseName bool
	// Schema of the tenant. public makes the public tenant: it gets its row
	// and domains, and its schema is there already.
	Schema tenant.Schema
}

// Create creates a tenant: its row, its domains, its schema and the tables of
// all tenant apps, in one transaction. On any error nothing of it is left; only if
// the connection is lost during the COMMIT itself, nobody knows, and BySchema tells. A
// creation that waits too long for a lock on a shared table is tried again from the
// start, OnTenantCreated too.
//
// The error wraps tenant.ErrSchemaTaken if a tenant or the database has the
// schema already, or a tenant had it until lately, tenant.ErrDomainTaken if a tenant has one of the domains, or
// what the Builder or OnTenantCreated returned. An error of OnSchemaSynced comes beside
// the tenant, which is there.
func (r *Registry) Create(ctx context.Context, params CreateParams) (*tenant.Tenant, error) {
	t, err := r.create(ctx, params)
	if err != nil {
		return t, fmt.Errorf("create tenant %q: %w", params.Schema, err)
	}
	return t, nil
}

func (r *Registry) create(ctx context.Context, params CreateParams) (*tenant.Tenant, error) {
	if err := params.validate(); err != nil {
		return nil, err
	}
	if err := r.creations.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer r.creations.Release(1)
	var t *tenant.Tenant
	var commit func()
	var err error
	for range attempts {
		err = r.pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) error {
			defer discard(ctx, conn.Conn())
			return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) (err error) {
				t, commit, err = r.createIn(ctx, tx, params)
				return err
			})
		})
		// Its keys lock shared tables, on which others may be at work.
		if code := dberr.Code(err); code != dberr.LockNotAvailable && code != dberr.DeadlockDetected {
			break
		}
	}
	if err != nil {
		return nil, r.schemaTaken(ctx, r.pool, params.Schema, err)
	}
	commit()
	// The notification would do this, a moment after the caller looks.
	r.cache.forgetTenant(t.ID)
	r.cache.forgetName(name{schemaName, strings.ToLower(params.Schema.String())})
	for _, d := range params.Domains {
		r.cache.forgetName(name{domainName, d.String()})
	}
	if r.config.OnSchemaSynced != nil {
		if err := r.config.OnSchemaSynced(contextOf(ctx, t), t); err != nil {
			return t, fmt.Errorf("it was created; OnSchemaSynced: %w", err)
		}
	}
	return t, nil
}

// attempts is how many times a creation is tried that does not get a lock.
const attempts = 3

// contextOf returns ctx with the tenant in it.
func contextOf(ctx context.Context, t *tenant.Tenant) context.Context {
	if t.IsPublic() {
		return tenant.Public(ctx)
	}
	return tenant.NewContext(ctx, t)
}

// createIn creates the tenant within tx. After the commit, committed is to be
// called.
func (r *Registry) createIn(ctx context.Context, tx pgx.Tx, params CreateParams) (t *tenant.Tenant, committed func(), err error) {
	if t, err = r.insertTenant(ctx, tx, params); err != nil {
		return nil, nil, err
	}
	if err := r.insertDomains(ctx, tx, t, params.Domains); err != nil {
		return nil, nil, err
	}
	committed, err = r.makeWhole(ctx, tx, t, params.ReuseName)
	if err != nil || r.config.OnTenantCreated == nil {
		return t, committed, err
	}
	// What the hook wrote into the row belongs to the tenant too.
	t, err = r.queryTenant(ctx, tx, "SELECT t.* FROM "+r.tenants+" AS t WHERE t.id = $1", t.ID)
	return t, committed, err
}

// makeWhole makes the schema of t with its tables, and has OnTenantCreated see to the rest.
// After the commit, committed is to be called.
func (r *Registry) makeWhole(ctx context.Context, tx pgx.Tx, t *tenant.Tenant, reuse bool) (committed func(), err error) {
	pending, committed := tenant.NewPending(ctx, t)
	if err := r.buildSchema(pending, tx, t, reuse); err != nil || r.config.OnTenantCreated == nil {
		return committed, err
	}
	if err := r.config.OnTenantCreated(pending, hookTx{tx}, t); err != nil {
		return nil, fmt.Errorf("OnTenantCreated: %w", err)
	}
	if owner, ok := r.config.Builder.(SchemaOwner); ok && !t.IsPublic() {
		return committed, owner.OwnSchema(pending, tx, t)
	}
	return committed, nil
}

// hookTx is the transaction as a hook gets it: it is not the hook's to end.
type hookTx struct{ pgx.Tx }

var errHookEnds = errors.New("the transaction belongs to the creation of the tenant (return an error to undo it)")

// Commit fails.
func (hookTx) Commit(context.Context) error { return errHookEnds }

// Rollback fails.
func (hookTx) Rollback(context.Context) error { return errHookEnds }

// discard takes off a connection what the files and the hook did to its session.
func discard(ctx context.Context, conn *pgx.Conn) {
	if conn.IsClosed() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if _, err := conn.Exec(ctx, "DISCARD ALL"); err != nil {
		_ = conn.Close(ctx) // the pool drops it
	}
}

// own are the columns that are not set through fields.
func own(column string) bool {
	return column == "id" || column == "schema_name"
}

func (p CreateParams) validate() error {
	if p.Schema.IsZero() {
		return fmt.Errorf("%w: CreateParams.Schema is not set (use tenant.ParseSchema)", tenant.ErrInvalidSchema)
	}
	for i, d := range p.Domains {
		if d.IsZero() {
			return fmt.Errorf("%w: CreateParams.Domains[%d] is not set (use tenant.ParseDomain)", tenant.ErrInvalidDomain, i)
		}
		if slices.Contains(p.Domains[:i], d) {
			return fmt.Errorf("domain %q is given twice (give it once)", d)
		}
	}
	return checkFields(p.Fields)
}

// checkFields refuses columns that are not the caller's to set.
func checkFields(fields map[string]any) error {
	for column := range fields {
		if own(column) {
			return fmt.Errorf("column %q is cotenant's own (leave it out of the fields)", column)
		}
	}
	return nil
}

// insertTenant makes the row.
func (r *Registry) insertTenant(ctx context.Context, tx pgx.Tx, p CreateParams) (*tenant.Tenant, error) {
	if err := r.schemaTaken(ctx, tx, p.Schema, nil); err != nil {
		return nil, err
	}
	columns, values, args := []string{"schema_name"}, []string{"$1"}, []any{p.Schema.String()}
	for _, column := range slices.Sorted(maps.Keys(p.Fields)) {
		columns = append(columns, pgx.Identifier{column}.Sanitize())
		args = append(args, p.Fields[column])
		values = append(values, "$"+strconv.Itoa(len(args)))
	}
	sql := fmt.Sprintf("INSERT INTO %s AS t (%s) VALUES (%s) RETURNING t.id", r.tenants, strings.Join(columns, ", "), strings.Join(values, ", "))
	var id int64
	// The arguments are the user's: describing the statement tells pgx the
	// types to encode them to.
	if err := tx.QueryRow(ctx, sql, append([]any{pgx.QueryExecModeDescribeExec}, args...)...).Scan(&id); err != nil {
		return nil, r.tablesError(rowError(err))
	}
	return r.queryTenant(ctx, tx, "SELECT t.* FROM "+r.tenants+" AS t WHERE t.id = $1", id)
}

// schemaTaken returns an error that wraps tenant.ErrSchemaTaken if a tenant has
// the schema, else err. The unique index decides who gets a schema, but an error
// of it does not tell whose index it was: the user may have unique columns too.
func (r *Registry) schemaTaken(ctx context.Context, q querier, schema tenant.Schema, err error) error {
	if err != nil && dberr.Code(err) != dberr.UniqueViolation {
		return err
	}
	owner, queryErr := r.queryTenant(ctx, q, r.lookupSQL(schemaName), strings.ToLower(schema.String()))
	switch {
	case queryErr == nil:
		return fmt.Errorf("%w by %v (choose another)", tenant.ErrSchemaTaken, owner)
	case err == nil && !errors.Is(queryErr, tenant.ErrTenantNotFound):
		return queryErr
	}
	return err
}

// rowError adds what cures a refused row.
func rowError(err error) error {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return err
	}
	switch pgErr.Code {
	case dberr.UndefinedColumn:
		return fmt.Errorf("%w (add it to the tenants' table in a migration of a shared app, or leave it out of the fields)", err)
	case dberr.NotNullViolation:
		return fmt.Errorf("%w (give it among the fields, or a DEFAULT in the table)", err)
	case dberr.UniqueViolation:
		return fmt.Errorf("%w: %s", err, pgErr.Detail)
	}
	return err
}

func (r *Registry) insertDomains(ctx context.Context, tx pgx.Tx, t *tenant.Tenant, domains []tenant.Domain) error {
	// In one order, so that two creations that want the same domains do not
	// wait for each other in a circle.
	for _, d := range slices.SortedFunc(slices.Values(domains), compareDomains) {
		tag, err := tx.Exec(ctx, "INSERT INTO "+r.domains+" (domain, tenant_id, is_primary) VALUES ($1, $2, $3) ON CONFLICT (domain) DO NOTHING",
			pgx.QueryExecModeDescribeExec, d.String(), t.ID, d == domains[0])
		if err != nil {
			return fmt.Errorf("domain %q: %w", d, r.tablesError(err))
		}
		if tag.RowsAffected() == 0 {
			return fmt.Errorf("domain %q: %w%s (choose another)", d, tenant.ErrDomainTaken, r.ownerOf(ctx, tx, d))
		}
	}
	return nil
}

func compareDomains(a, b tenant.Domain) int { return strings.Compare(a.String(), b.String()) }

// ownerOf says whose the domain is, for an error.
func (r *Registry) ownerOf(ctx context.Context, tx pgx.Tx, d tenant.Domain) string {
	owner, err := r.queryTenant(ctx, tx, r.lookupSQL(domainName), d.String())
	if err != nil {
		return ""
	}
	return fmt.Sprintf(" by %v", owner)
}

// buildSchema makes the schema and its tables, and leaves the search path of tx
// at the schema. That of the public tenant is there already.
func (r *Registry) buildSchema(ctx context.Context, tx pgx.Tx, t *tenant.Tenant, reuse bool) error {
	if !t.IsPublic() {
		if err := r.createSchema(ctx, tx, t, reuse); err != nil {
			return err
		}
		if r.config.Builder != nil {
			if err := r.config.Builder.BuildSchema(ctx, tx, t); err != nil {
				return err
			}
		}
	}
	_, err := tx.Exec(ctx, "SELECT pg_catalog.set_config('search_path', $1, true)", pgx.QueryExecModeExec, searchpath.For(t.Schema))
	return err
}

// createSchema makes the schema of a tenant.
func (r *Registry) createSchema(ctx context.Context, tx pgx.Tx, t *tenant.Tenant, reuse bool) error {
	if err := r.checkFree(ctx, tx, t.Schema, t.ID, reuse); err != nil {
		return err
	}
	// Never IF NOT EXISTS: it would take over a schema that somebody else made.
	if _, err := tx.Exec(ctx, "CREATE SCHEMA "+searchpath.Quote(t.Schema)); err != nil {
		switch dberr.Code(err) {
		case dberr.InsufficientPrivilege:
			return fmt.Errorf("%w (GRANT CREATE ON DATABASE … to the role)", err)
		case dberr.DuplicateSchema, dberr.UniqueViolation: // made by somebody else meanwhile
			return fmt.Errorf("%w: %w (choose another name)", tenant.ErrSchemaTaken, err)
		}
		return err
	}
	return nil
}

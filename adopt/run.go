package adopt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/cotenant/cotenant/drift"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// Run takes a database over:
//
//  1. The table of the tenants is found, and looked over: names and domains that several
//     claim are known before the first is taken over. If two schemas claim a domain, or a
//     tenant of the registry has one that another schema claims, nothing is registered, but
//     for SkipClaimed; the report names these and compares the schemas nevertheless.
//  2. The states of the apps are built, one migration after the other, in a scratch schema
//     in a transaction that is rolled back. Rows that the files write to tables elsewhere are
//     left out. PostgreSQL lets nobody write to the shared tables that tenants refer to while
//     that goes on, for some ten milliseconds a migration.
//  3. public is compared with the shared apps. If it is in none of their states, that is all
//     that is done; the schemas are compared nevertheless, for the report.
//  4. cotenant's own tables are made, the migrator role gets what a run of the migrations
//     gives it of the shared tables (SELECT and REFERENCES; new tenants refer to them), and
//     the migrations of the shared apps are recorded in public. Statements of theirs that
//     change cotenant.tenants, and do nothing else, run.
//  5. Each schema is compared with the tenant apps, several at a time: by its objects, and of
//     migrations that only grant or revoke by that. The newest state that an app is in is
//     recorded, together with the row of the tenant and its domains, in one transaction.
//     Schemas are not locked against the other system.
//
// What is done stays done, and the same call again does what is left. With DryRun nothing is
// written, but see Report.Advanced. The error is about the whole: the source, the files, the connections.
func Run(ctx context.Context, config *Config) (*Report, error) {
	c, err := config.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("adopt: %w", err)
	}
	r := &run{Config: c, collector: newCollector(&c.Options), dry: c.DryRun}
	if err := r.run(ctx); err != nil {
		return nil, fmt.Errorf("adopt: %w", err)
	}
	return r.end(), nil
}

// run is a call of Run.
type run struct {
	*Config
	*collector

	columns   []tenantColumn // that are copied
	dry       bool
	installed bool // the tables of the registry are there
	login     string
	matched   bool // a schema beside public is to be taken over
	matcher   *matcher
	overview  *overview
	source    *source
}

func (r *run) run(ctx context.Context) error {
	if err := r.look(ctx); err != nil {
		return err
	}
	if err := r.claims(ctx); err != nil {
		return err
	}
	shared, err := newReference(ctx, r.Config, true)
	if err != nil {
		return fmt.Errorf("shared apps: %w", err)
	}
	tenants, err := newReference(ctx, r.Config, false)
	if err != nil {
		return fmt.Errorf("tenant apps: %w", err)
	}
	r.matcher = newMatcher(tenants)
	r.report.Partial = errors.Join(shared.partial, tenants.partial)
	r.report.Advanced = slices.Compact(slices.Sorted(slices.Values(slices.Concat(shared.advanced, tenants.advanced))))
	if err := r.chooseColumns(ctx, shared.columns); err != nil {
		return err
	}
	if err := r.public(ctx, newMatcher(shared)); err != nil {
		return err
	}
	if r.OnStart != nil {
		r.OnStart(r.overview.count)
	}
	if err := r.all(ctx); err != nil {
		return err
	}
	r.report.NoMatch = len(r.Only) > 0 && !r.matched
	return nil
}

// look finds the source, and looks it over.
func (r *run) look(ctx context.Context) (err error) {
	if r.source, err = find(ctx, r.Pool, &r.Source); err != nil {
		return err
	}
	if r.overview, err = r.source.look(ctx, r.Pool); err != nil {
		return err
	}
	if r.source.tenants == nil && r.overview.count == 0 {
		return fmt.Errorf("no schema is named %s (correct the pattern; PostgreSQL's schemas, public and cotenant's are not among them)", strings.Join(r.source.patterns, ", "))
	}
	if r.installed, err = installed(ctx, r.Pool); err != nil {
		return err
	}
	if err := r.Pool.QueryRow(ctx, "SELECT current_user::pg_catalog.text", pgx.QueryExecModeExec).Scan(&r.login); err != nil {
		return err
	}
	r.report.NoKey = r.source.tenants != nil && r.source.id == ""
	tenants, _ := r.Registry.Tables()
	r.report.Source, r.report.NoName = r.source.String(), r.overview.noName
	r.report.DomainsLeft, r.report.DomainsOfNobody = r.source.left, r.overview.nobodys
	r.report.Rowless, r.report.RowlessNames, err = r.source.rowless(ctx, r.Pool, r.installed, tenants.Sanitize())
	return err
}

// chooseColumns looks which columns are copied: those that cotenant.tenants has now, or will
// have when the shared apps are recorded.
func (r *run) chooseColumns(ctx context.Context, built []tenantColumn) (err error) {
	columns := built
	if r.installed {
		now, err := tenantColumns(ctx, r.Pool)
		if err != nil {
			return err
		}
		columns = now // which may have a default by now
		for _, c := range built {
			if !slices.ContainsFunc(now, func(has tenantColumn) bool { return has.name == c.name }) {
				columns = append(columns, c)
			}
		}
	}
	r.columns, r.report.ColumnsLeft, r.report.ColumnsOwn, err = r.source.copied(columns)
	r.report.Columns = columnNames(r.columns)
	return err
}

// mayCreate refuses a schema in which the login may not make what records its migrations.
func (r *run) mayCreate(n *newcomer) error {
	switch {
	case n.creates || n.Schema.IsPublic():
		return nil
	case n.owner == r.Migrator.Role():
		return fmt.Errorf("schema %q: role %q may not create in it: it belongs to role %q, of which that is no member (let an administrator: GRANT %s TO %s)",
			n.Schema, r.login, n.owner, quote(n.owner), quote(r.login))
	}
	return fmt.Errorf("schema %q: role %q may not create in it, and its migrations are recorded there (GRANT USAGE, CREATE ON SCHEMA %s TO %s)", n.Schema, r.login, quote(n.Schema.String()), quote(r.login))
}

// recorded are the apps that the history of a schema has.
func (r *run) recorded(ctx context.Context, schema tenant.Schema) (apps []string, err error) {
	err = pgx.BeginTxFunc(ctx, r.Pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		apps, err = r.Migrator.Recorded(ctx, tx, schema)
		return err
	})
	return apps, err
}

// all takes all rows over, a page of them at a time.
func (r *run) all(ctx context.Context) error {
	todo := make(chan *newcomer)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(todo)
		return r.source.pages(ctx, r.Pool, columnNames(r.columns), func(rows []row) error { return r.send(ctx, rows, todo) })
	})
	for range r.Jobs {
		group.Go(func() error {
			reader := drift.NewReader(r.Pool, nil)
			defer reader.Close(ctx)
			for n := range todo {
				if err := r.adopt(ctx, reader, n); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// selected reports whether a row is to be taken over.
func (r *run) selected(t row) bool {
	if r.source.tenants == nil && !matches(r.source.patterns, t.schema) {
		return false
	}
	return len(r.Only) == 0 || t.schema == tenant.PublicSchema().String() || matches(r.Only, t.schema)
}

// send looks at rows, and sends those that can be taken over.
func (r *run) send(ctx context.Context, rows []row, todo chan<- *newcomer) error {
	refuse := func(name string, err error) {
		r.add(Result{Name: name, Outcome: Refused, Err: err}, tenant.Schema{}, nil)
	}
	all, taken, err := r.examine(ctx, rows, refuse)
	if err != nil {
		return err
	}
	errs := map[*newcomer]error{}
	var free []*newcomer
	for _, n := range all {
		if errs[n] = n.free(taken); errs[n] == nil {
			free = append(free, n)
		}
	}
	unfit, err := r.unfit(ctx, free)
	if err != nil {
		return err
	}
	for _, n := range all {
		err := cmp.Or(errs[n], unfit[n])
		if err == nil {
			err = r.mayCreate(n)
		}
		switch {
		case errors.Is(err, errThere):
			r.there(n, taken)
		case err != nil:
			refuse(n.Schema.String(), err)
		default:
			select {
			case todo <- n:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
	return nil
}

// there counts a schema that a tenant has already, and tells what contradicts the source.
func (r *run) there(n *newcomer, taken *registry.Taken) {
	result := Result{Name: n.Schema.String(), Outcome: There}
	if has := taken.Tenants[strings.ToLower(n.Schema.String())]; has.ID != 0 {
		result.Contradiction = strings.Join(n.contradictions(has, taken.Domains), "; ")
	}
	r.add(result, n.Schema, nil)
}

// adopt takes a schema over. The error is one that ends all.
func (r *run) adopt(ctx context.Context, reader *drift.Reader, n *newcomer) error {
	result := Result{Name: n.Schema.String(), Outcome: Adopted}
	v := &verdict{} // public was compared before
	var err error
	if !n.Schema.IsPublic() {
		if v, err = r.compare(ctx, reader, n.Schema); err == nil && differs(v.states) && r.Differing == Leave {
			result.Outcome = Left
		}
	}
	if err == nil && (r.report.PublicDiffers || r.report.Claimed > 0) {
		result.Outcome = Left
	}
	var made *tenant.Tenant
	if err == nil && result.Outcome == Adopted && !r.dry {
		made, err = r.Registry.Adopt(ctx, n.AdoptParams, func(ctx context.Context, tx pgx.Tx, t *tenant.Tenant) error {
			if t.IsPublic() {
				return nil
			}
			return r.Migrator.Record(ctx, tx, t, recordable(v.states))
		})
		if errors.Is(err, tenant.ErrSchemaTaken) { // another program was faster
			return r.takenMeanwhile(ctx, n, err)
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		if !strings.Contains(err.Error(), "schema ") {
			err = fmt.Errorf("schema %q: %w", n.Schema, err)
		}
		r.add(Result{Name: n.Schema.String(), Outcome: Refused, Err: err}, n.Schema, nil)
		return nil
	}
	if result.Outcome == Adopted {
		result.Renumbered = n.renumbered(made)
		r.noteAdopted(n, result.Renumbered)
	}
	if n.Schema.IsPublic() {
		v = nil
	}
	r.add(result, n.Schema, v)
	return nil
}

// takenMeanwhile tells a schema that another program has registered from one whose name
// differs from that only in case.
func (r *run) takenMeanwhile(ctx context.Context, n *newcomer, failed error) error {
	taken, err := r.Registry.Taken(ctx, []string{n.Schema.String()}, n.Domains, nil)
	if err != nil {
		return err
	}
	switch err := n.free(taken); {
	case errors.Is(err, errThere):
		r.there(n, taken)
	default:
		r.add(Result{Name: n.Schema.String(), Outcome: Refused, Err: cmp.Or(err, failed)}, n.Schema, nil)
	}
	return nil
}

// noteAdopted counts what was made of a row.
func (r *run) noteAdopted(n *newcomer, renumbered *Renumbered) {
	r.note(func(report *Report) {
		report.Ports, report.WWW = report.Ports+n.ports, report.WWW+n.www
		if !n.Schema.IsPublic() && n.owner != r.Migrator.Role() {
			report.Owners[n.owner]++
		}
		switch {
		case renumbered != nil:
			if report.NewIDs++; len(report.Renumbered) < maxRenumbered {
				report.Renumbered = append(report.Renumbered, *renumbered)
			}
		case n.ID != 0:
			report.KeptIDs++
		}
	})
}

// compare reads a schema and says how far it is.
func (r *run) compare(ctx context.Context, reader *drift.Reader, schema tenant.Schema) (*verdict, error) {
	s, err := reader.Read(ctx, schema)
	if err != nil {
		return nil, err
	}
	recorded, err := r.recorded(ctx, schema)
	if err != nil {
		return nil, err
	}
	return r.matcher.match(s, recorded), nil
}

package migrate

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/tenant"
)

// BuildScratch makes, within tx, a schema as a new tenant would get it from BuildSchema,
// to be looked at, and returns its name. It belongs to no tenant: the caller rolls tx
// back, which is nothing but the scratch schema's, and undoes what files did to the
// session (DISCARD ALL). The error is as that of BuildSchema.
//
// What the hooks of a creation make is not there. Migrations in Go run, with a tenant in
// ctx that has no row. The tenants' ids begin at 1; that of the scratch schema is below.
func (m *Migrator) BuildScratch(ctx context.Context, tx pgx.Tx) (tenant.Schema, error) {
	schema, id, err := scratchName()
	if err != nil {
		return schema, err
	}
	if _, err := tx.Exec(ctx, "CREATE SCHEMA "+searchpath.Quote(schema), pgx.QueryExecModeExec); err != nil {
		return schema, scratchError(tx, err)
	}
	if err := m.BuildSchema(ctx, tx, &tenant.Tenant{ID: id, Schema: schema}); err != nil {
		return schema, fmt.Errorf("scratch schema: %w", err)
	}
	return schema, nil
}

// BuildSharedScratch is BuildScratch for the shared apps but cotenant's own: it makes in
// a schema of its own what they make in public, and in a registry of its own what they do
// to that. Where a statement names public, and that name can be taken out, it is.
// Migrations in Go cannot be asked to work elsewhere: they are an error, unless their app
// has a schema.sql.
func (m *Migrator) BuildSharedScratch(ctx context.Context, tx pgx.Tx) (tenant.Schema, error) {
	schema, _, err := scratchName()
	if err != nil {
		return schema, err
	}
	b := stateBuilder{changer: changer{Migrator: m, conn: tx.Conn()}, tx: tx, shared: true, where: target{schema: schema}}
	if err := b.begin(ctx, m.config.LockTimeout); err != nil {
		return schema, scratchError(tx, err)
	}
	for _, s := range arrange(fresh(m.shared), func(*loadedApp) bool { return true }) {
		if s.app == ownApp {
			continue
		}
		switch err := b.run(ctx, s, nil); {
		case err != nil && b.beside:
			return schema, fmt.Errorf("scratch schema: %w (if it is about a table of cotenant's own: compare as the login that owns schema cotenant, in whose place one can be built)", err)
		case err != nil:
			return schema, fmt.Errorf("scratch schema: %w", err)
		}
	}
	return schema, nil
}

// errNoScratch is why public cannot be built beside itself.
var errNoScratch = errors.New("it is a migration in Go, which runs in public alone (give the app a schema.sql, too)")

// scratchName returns the name of a schema that nobody else has, and the id of its tenant:
// two who build at once would wait for each other if theirs were the same.
func scratchName() (tenant.Schema, int64, error) {
	var random [8]byte
	_, _ = rand.Read(random[:]) // it never fails
	schema, err := tenant.ParseSchema("scratch_" + strings.ToLower(rand.Text()))
	return schema, -1 - int64(binary.LittleEndian.Uint64(random[:])>>16), err
}

// ExtraSchemas returns the schemas that are on the search path behind public.
func (m *Migrator) ExtraSchemas() []tenant.Schema { return slices.Clone(m.config.ExtraSchemas) }

// MigratorRole returns the name of the role that owns the tenants' schemas.
func (m *Migrator) MigratorRole() string { return m.config.MigratorRole }

// scratchError is why there is no scratch schema, with what the login lacks for it.
func scratchError(tx pgx.Tx, err error) error {
	if dberr.Code(err) == dberr.InsufficientPrivilege {
		config := tx.Conn().Config()
		return fmt.Errorf("scratch schema: %w (GRANT CREATE ON DATABASE %s TO %s)", err, pgx.Identifier{config.Database}.Sanitize(), pgx.Identifier{config.User}.Sanitize())
	}
	return fmt.Errorf("scratch schema: %w", err)
}

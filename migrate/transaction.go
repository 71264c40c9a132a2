package migrate

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/migrate/internal/schemasync"
	"github.com/cotenant/cotenant/migrate/internal/sqlfile"
	"github.com/cotenant/cotenant/tenant"
)

// transaction runs a step in a transaction, with what has to be asked on the way: a Go
// migration, a sync, a hook.
func (c changer) transaction(ctx context.Context, t target, s *step) (err error) {
	defer func() {
		if err != nil {
			c.rollback(ctx)
		}
	}()
	var definitions map[string]*schemasync.Definition
	if s.action == Sync {
		if definitions, err = c.prepareSync(ctx, t, s); err != nil {
			return err
		}
	}
	tx, err := c.conn.Begin(ctx)
	if err != nil {
		return fmt.Errorf("%s: schema %q: %w", s.script.file, t.schema, err)
	}
	if s.initial {
		s, err = c.orFake(ctx, tx, t, s)
		if err != nil {
			return err
		}
	}
	if _, err := c.send(ctx, t, c.front(t, s)); err != nil {
		return err
	}
	if err := c.work(ctx, tx, t, s, definitions); err != nil {
		return err
	}
	messages := c.back(t, s)
	if c.config.OnMigrating != nil {
		if _, err := c.send(ctx, t, c.ends(t, s, s.to)); err != nil {
			return err
		}
		messages = nil
		if err := c.onMigrating(ctx, tx, t, s); err != nil {
			return err
		}
	}
	_, err = c.send(ctx, t, append(messages, message{step: s, sql: "COMMIT", ends: true}))
	return err
}

// work does what the step is for.
func (c changer) work(ctx context.Context, tx pgx.Tx, t target, s *step, definitions map[string]*schemasync.Definition) error {
	var stmts []sqlfile.Statement
	switch {
	case s.action == Sync:
		var err error
		if stmts, err = c.missing(ctx, tx, t, s, definitions); err != nil {
			return err
		}
	case !s.executes():
	case s.way().run != nil:
		if err := c.caught(ctx, func() error { return s.way().run(c.withTenant(ctx, t), heldTx{tx}) }); err != nil {
			return fmt.Errorf("%s: schema %q: %w%s; nothing of it was kept", s.script.file, t.schema, &foreignError{err}, cure(err, t.schema, c.config.MigratorRole, c.run == nil))
		}
		if err := c.stillIn(); err != nil {
			return fmt.Errorf("%s: schema %q: %w", s.script.file, t.schema, err)
		}
	default:
		stmts = s.way().Statements
	}
	if len(stmts) == 0 {
		return nil
	}
	_, err := c.send(ctx, t, statements(s, stmts))
	return err
}

// onMigrating calls the hook.
func (c changer) onMigrating(ctx context.Context, tx pgx.Tx, t target, s *step) error {
	who, err := c.tenantOf(ctx, t)
	if err != nil {
		return err
	}
	if err := c.caught(ctx, func() error { return c.config.OnMigrating(contextOf(ctx, who), heldTx{tx}, who, s.applied()) }); err != nil {
		kept := "nothing of the file was kept"
		if s.executes() && s.way().NoTransaction {
			kept = "its statements ran, and that is recorded by the next run"
		}
		return fmt.Errorf("%s: schema %q: OnMigrating: %w; %s", s.script.file, t.schema, &foreignError{err}, kept)
	}
	if err := c.stillIn(); err != nil {
		return fmt.Errorf("%s: schema %q: OnMigrating: %w", s.script.file, t.schema, err)
	}
	return nil
}

// stillIn reports whether a function has left the transaction open, and whole.
func (c changer) stillIn() error {
	switch c.conn.PgConn().TxStatus() {
	case 'E':
		return errors.New("a statement failed, and no error was returned (return it, or put the statement into a savepoint: tx.Begin); nothing of it was kept")
	case 'I':
		return errors.New("it ended the transaction, by a statement of its own: what it did before that is there to stay (leave the end to the run)")
	}
	return nil
}

// foreignError is what a Go migration or a hook returned. It may be of another server.
type foreignError struct{ err error }

func (e *foreignError) Error() string { return e.err.Error() }
func (e *foreignError) Unwrap() error { return e.err }

// heldTx is the transaction as a migration or a hook gets it: it is not theirs to end.
type heldTx struct{ pgx.Tx }

var errHeld = errors.New("the transaction belongs to the run, which ends it (return an error to undo it)")

// Commit fails.
func (heldTx) Commit(context.Context) error { return errHeld }

// Rollback fails.
func (heldTx) Rollback(context.Context) error { return errHeld }

// tenantOf returns the tenant of a schema; it is nil for public.
func (m *Migrator) tenantOf(ctx context.Context, t target) (*tenant.Tenant, error) {
	if t.schema.IsPublic() || m.config.Tenant == nil {
		return &tenant.Tenant{ID: t.id, Schema: t.schema}, nil
	}
	var who *tenant.Tenant
	err := caught(func() (err error) {
		who, err = m.config.Tenant(ctx, t.id)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("schema %q: its tenant: %w", t.schema, err)
	}
	return who, nil
}

// contextOf returns ctx with the tenant in it.
func contextOf(ctx context.Context, t *tenant.Tenant) context.Context {
	if t.IsPublic() {
		return tenant.Public(ctx)
	}
	return tenant.NewContext(ctx, t)
}

// withTenant returns ctx with what is known of the schema's tenant without asking.
func (c changer) withTenant(ctx context.Context, t target) context.Context {
	return contextOf(ctx, &tenant.Tenant{ID: t.id, Schema: t.schema})
}

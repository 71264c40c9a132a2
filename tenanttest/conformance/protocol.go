package conformance

import (
	"context"
	"database/sql/driver"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant/tenant"
)

// protocolTraps are what pgx lets an application do to a connection below its own
// methods.
func protocolTraps() []trap {
	return []trap{
		{"pgconn: ExecBatch", execBatch},
		{"pgconn: pipeline with a flush and a ROLLBACK", pipelineFlush},
		{"pgconn: pipeline of several groups", pipelineGroups},
		{"pgconn: a prepared ROLLBACK", preparedRollback},
		{"pgconn: a text with a NUL", nul},
		{"pgconn: statements deallocated out of sight", deallocated},
		{"pgconn: a notification that does not come", notification},
	}
}

// raw acquires a connection of pgx, gives f what is below it, and releases it.
func (tr *trial) raw(t *tenant.Tenant, f func(ctx context.Context, conn *pgx.Conn) error) {
	tr.Helper()
	conn, err := needs[Acquirer](tr).Acquire(tr.as(t))
	tr.must("acquire", err)
	defer conn.Release()
	switch c := conn.(type) {
	case interface{ Conn() *pgx.Conn }:
		tr.harmless("below", f(tr.as(t), c.Conn()))
	case sqlConn:
		tr.must("ping", c.conn.PingContext(tr.as(t))) // so that there is one below
		none := false
		tr.harmless("below", c.conn.Raw(func(raw any) error {
			below := pgxOf(raw)
			if below == nil {
				none = true
				return nil
			}
			return f(tr.as(t), below)
		}))
		if !none {
			return
		}
		tr.Skipf("%s has no pgx.Conn", tr.way.Name)
	default:
		tr.Skipf("%s has no pgx.Conn", tr.way.Name)
	}
}

// pgxOf returns the connection of pgx below what sql.Conn.Raw is given, or nil.
func pgxOf(raw any) *pgx.Conn {
	switch c := raw.(type) {
	case interface{ Unwrap() driver.Conn }:
		return pgxOf(c.Unwrap())
	case interface{ Conn() *pgx.Conn }:
		return c.Conn()
	}
	return nil
}

// turns calls f for the tenants in turn, so that each finds the other's path, which
// must be right afterwards.
func (tr *trial) turns(f func(ctx context.Context, t *tenant.Tenant, conn *pgx.Conn) error) {
	for range 3 {
		for _, t := range []*tenant.Tenant{tr.a, tr.b} {
			tr.raw(t, func(ctx context.Context, conn *pgx.Conn) error { return f(ctx, t, conn) })
			tr.owns(tr, t)
		}
	}
}

func execBatch(tr *trial) {
	tr.turns(func(ctx context.Context, t *tenant.Tenant, conn *pgx.Conn) error {
		batch := &pgconn.Batch{}
		batch.ExecParams(withID("INSERT INTO things VALUES ($id, 'batch')", t), nil, nil, nil, nil)
		_, err := conn.PgConn().ExecBatch(ctx, batch).ReadAll()
		return err
	})
}

// What comes behind the ROLLBACK is in the same group, and the path is undone.
func pipelineFlush(tr *trial) {
	tr.turns(func(ctx context.Context, t *tenant.Tenant, conn *pgx.Conn) error {
		p := conn.PgConn().StartPipeline(ctx)
		p.SendQueryParams("SELECT 1", nil, nil, nil, nil)
		p.SendFlushRequest()
		if err := p.Flush(); err != nil {
			return err
		}
		p.SendQueryParams("ROLLBACK", nil, nil, nil, nil)
		p.SendQueryParams(withID("INSERT INTO things VALUES ($id, 'late')", t), nil, nil, nil, nil)
		_ = p.Sync()
		return p.Close()
	})
}

func pipelineGroups(tr *trial) {
	tr.turns(func(ctx context.Context, t *tenant.Tenant, conn *pgx.Conn) error {
		p := conn.PgConn().StartPipeline(ctx)
		for _, sql := range []string{"SELECT 1/0", "INSERT INTO things VALUES ($id, 'one')", "ROLLBACK", "INSERT INTO things VALUES ($id, 'two')"} {
			p.SendQueryParams(withID(sql, t), nil, nil, nil, nil)
			p.SendPipelineSync()
		}
		_ = p.Flush()
		return p.Close()
	})
}

// Known to the server under a name, since another tenant had the connection, it shows
// no text when it is executed.
func preparedRollback(tr *trial) {
	tr.turns(func(ctx context.Context, t *tenant.Tenant, conn *pgx.Conn) error {
		c := conn.PgConn()
		p := c.StartPipeline(ctx)
		p.SendQueryPrepared("back", nil, nil, nil)
		p.SendQueryParams(withID("INSERT INTO things VALUES ($id, 'late')", t), nil, nil, nil, nil)
		_ = p.Sync()
		err := p.Close()
		_, _ = c.Prepare(ctx, "back", "ROLLBACK", nil)
		_, _ = c.Prepare(ctx, "back", "SELECT 1", nil) // 42P05: it is there, and stays what it was
		return err
	})
}

// The server reads a text up to its first NUL, and fails for what is behind.
func nul(tr *trial) {
	tr.turns(func(ctx context.Context, t *tenant.Tenant, conn *pgx.Conn) error {
		_, err := conn.PgConn().Exec(ctx, withID("INSERT INTO things VALUES ($id, 'cut')\x00 SELECT 1/0", t)).ReadAll()
		if err == nil {
			tr.Error("a text with a NUL was executed")
		}
		return err
	})
}

// Whatever was prepared is gone, and no command tag says so. The statements that pgx
// prepared itself may fail once each.
func deallocated(tr *trial) {
	tr.owns(tr, tr.a)
	tr.owns(tr, tr.b)
	tr.raw(tr.a, func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.PgConn().Exec(ctx, "DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$").ReadAll()
		return err
	})
	for range 2 * len(tables) {
		for _, t := range []*tenant.Tenant{tr.b, tr.a} {
			tr.harmless("read", tr.tries(tr, t))
			_, err := tr.Exec(tr.as(t), "INSERT INTO things VALUES ($1, 'written')", t.ID)
			tr.harmless("write", err)
		}
	}
	tr.owns(tr, tr.a)
	tr.owns(tr, tr.b)
}

// Waiting is given up, perhaps within a message of the server.
func notification(tr *trial) {
	tr.turns(func(ctx context.Context, _ *tenant.Tenant, conn *pgx.Conn) error {
		ctx, cancel := context.WithTimeout(ctx, 1)
		defer cancel()
		_, err := conn.WaitForNotification(ctx)
		return err
	})
}

package pgxtenant

import (
	"cmp"
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/internal/scope"
)

// tracer is told by pgx of all that a connection is about to do, whoever asks for
// it. It refuses what is not the owner's, shows the application's own tracer what
// the application wrote, and sees connections come and go.
type tracer struct {
	db   *DB
	user pgx.QueryTracer // or nil
}

// newTracer returns a tracer in front of user, which may be nil.
func newTracer(db *DB, user pgx.QueryTracer) *tracer { return &tracer{db, user} }

// configKey is where TraceConnectStart leaves the configuration.
type configKey struct{}

// TraceConnectStart takes note of the configuration that the connection will read.
func (t *tracer) TraceConnectStart(ctx context.Context, data pgx.TraceConnectStartData) context.Context {
	if user, ok := t.user.(pgx.ConnectTracer); ok {
		ctx = user.TraceConnectStart(ctx, data)
	}
	return context.WithValue(ctx, configKey{}, data.ConnConfig)
}

// TraceConnectEnd gives the connection its session.
func (t *tracer) TraceConnectEnd(ctx context.Context, data pgx.TraceConnectEndData) {
	if config, ok := ctx.Value(configKey{}).(*pgx.ConnConfig); ok && data.Err == nil {
		data.Conn.PgConn().CustomData()[customData] = &session{
			db: t.db, conn: data.Conn, config: config, mode: config.DefaultQueryExecMode,
			places: make(map[scope.Place]*place), named: make(map[string]string),
		}
	}
	if user, ok := t.user.(pgx.ConnectTracer); ok {
		user.TraceConnectEnd(ctx, data)
	}
}

// TraceQueryStart refuses, or lets go on, a statement.
func (t *tracer) TraceQueryStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	err := t.check(ctx, conn, data)
	if s := sessionOf(conn); s != nil && data.SQL == s.call.text {
		data.SQL, data.Args = s.call.sql, s.call.args
		s.call.args = nil
	}
	if t.user != nil {
		ctx = t.user.TraceQueryStart(ctx, conn, data)
	}
	return refuse(ctx, err)
}

// TraceQueryEnd tells the application's tracer.
func (t *tracer) TraceQueryEnd(ctx context.Context, conn *pgx.Conn, data pgx.TraceQueryEndData) {
	if t.user != nil {
		t.user.TraceQueryEnd(ctx, conn, data)
	}
}

// TraceBatchStart refuses, or lets go on, a batch. pgx looks at the mode after this.
func (t *tracer) TraceBatchStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	err := t.checkOwner(ctx, conn)
	if s := sessionOf(conn); s != nil {
		s.batchMode(s.call.batch != nil)
		data.Batch = cmp.Or(s.call.batch, data.Batch)
		s.call.batch = nil
	}
	if user, ok := t.user.(pgx.BatchTracer); ok {
		ctx = user.TraceBatchStart(ctx, conn, data)
	}
	return refuse(ctx, err)
}

// TraceBatchQuery tells the application's tracer.
func (t *tracer) TraceBatchQuery(ctx context.Context, conn *pgx.Conn, data pgx.TraceBatchQueryData) {
	if user, ok := t.user.(pgx.BatchTracer); ok {
		if s := sessionOf(conn); s != nil && s.place != nil {
			data.SQL = strings.TrimSuffix(data.SQL, s.place.tag)
		}
		user.TraceBatchQuery(ctx, conn, data)
	}
}

// TraceBatchEnd tells the application's tracer.
func (t *tracer) TraceBatchEnd(ctx context.Context, conn *pgx.Conn, data pgx.TraceBatchEndData) {
	if s := sessionOf(conn); s != nil {
		s.restore()
	}
	if user, ok := t.user.(pgx.BatchTracer); ok {
		user.TraceBatchEnd(ctx, conn, data)
	}
}

// TraceCopyFromStart refuses, or lets go on, a copy.
func (t *tracer) TraceCopyFromStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceCopyFromStartData) context.Context {
	err := t.checkOwner(ctx, conn)
	if user, ok := t.user.(pgx.CopyFromTracer); ok {
		ctx = user.TraceCopyFromStart(ctx, conn, data)
	}
	return refuse(ctx, err)
}

// TraceCopyFromEnd tells the application's tracer.
func (t *tracer) TraceCopyFromEnd(ctx context.Context, conn *pgx.Conn, data pgx.TraceCopyFromEndData) {
	if user, ok := t.user.(pgx.CopyFromTracer); ok {
		user.TraceCopyFromEnd(ctx, conn, data)
	}
}

// preparingKey is where TracePrepareStart leaves what is prepared.
type preparingKey struct{}

// TracePrepareStart refuses, or lets go on, the preparation of a statement, be it
// the application's or pgx's own.
func (t *tracer) TracePrepareStart(ctx context.Context, conn *pgx.Conn, data pgx.TracePrepareStartData) context.Context {
	err := t.checkOwner(ctx, conn)
	prepared := data
	if s := sessionOf(conn); s != nil {
		s.call.described = true
		if data.SQL == s.call.text {
			data.SQL = s.call.sql
		} else if s.place != nil { // of a batch
			data.SQL = strings.TrimSuffix(data.SQL, s.place.tag)
		}
	}
	if user, ok := t.user.(pgx.PrepareTracer); ok {
		ctx = user.TracePrepareStart(ctx, conn, data)
	}
	if named(prepared.Name) {
		ctx = context.WithValue(ctx, preparingKey{}, prepared)
	}
	return refuse(ctx, err)
}

// TracePrepareEnd remembers the names that the application gives.
func (t *tracer) TracePrepareEnd(ctx context.Context, conn *pgx.Conn, data pgx.TracePrepareEndData) {
	if p, ok := ctx.Value(preparingKey{}).(pgx.TracePrepareStartData); ok && data.Err == nil {
		if s := sessionOf(conn); s != nil {
			s.named[p.Name] = p.SQL
		}
	}
	if user, ok := t.user.(pgx.PrepareTracer); ok {
		user.TracePrepareEnd(ctx, conn, data)
	}
}

// named reports whether the application gave a prepared statement its name, not
// pgx.
func named(name string) bool { return name != "" && !strings.HasPrefix(name, "stmtcache_") }

// TraceAcquireStart tells the application's tracer.
func (t *tracer) TraceAcquireStart(ctx context.Context, pool *pgxpool.Pool, data pgxpool.TraceAcquireStartData) context.Context {
	if user, ok := t.user.(pgxpool.AcquireTracer); ok {
		return user.TraceAcquireStart(ctx, pool, data)
	}
	return ctx
}

// TraceAcquireEnd tells the application's tracer.
func (t *tracer) TraceAcquireEnd(ctx context.Context, pool *pgxpool.Pool, data pgxpool.TraceAcquireEndData) {
	if user, ok := t.user.(pgxpool.AcquireTracer); ok {
		user.TraceAcquireEnd(ctx, pool, data)
	}
}

// TraceRelease ends the work for the owner. pgxpool calls it before anybody else
// can get the connection, and on the releasing goroutine: AfterRelease would cost
// one each time.
func (t *tracer) TraceRelease(pool *pgxpool.Pool, data pgxpool.TraceReleaseData) {
	if user, ok := t.user.(pgxpool.ReleaseTracer); ok {
		user.TraceRelease(pool, data)
	}
	if s := sessionOf(data.Conn); s != nil {
		s.leave()
	}
}

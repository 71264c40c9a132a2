package pgxtenant

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/cotenant/cotenant/internal/scope"
	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/pgxtenant/internal/wire"
)

// customData is where a connection's custom data has its session.
const customData = "cotenant.session"

// session is what a DB knows of one of its connections. Whoever has acquired the
// connection may use it; it is not safe for concurrent use.
type session struct {
	db     *DB
	conn   *pgx.Conn
	std    *stdlib.Conn      // conn for database/sql, once it was used there
	config *pgx.ConnConfig   // the one that conn itself reads
	mode   pgx.QueryExecMode // what that has, but for batches

	owner  *scope.Owner // nil while hooks of the application are at work
	given  bool         // it was given back, and no hook is at work
	place  *place       // the owner's
	places map[scope.Place]*place

	named map[string]string // prepared by the application: texts by name
	call  call              // that is under way
}

// place is where an owner's statements run.
type place struct {
	path  wire.Path
	tag   string // behind each statement
	types bool   // the connection knows the types of Config.Types
}

// sessionOf returns the session of a connection of a DB, else nil.
func sessionOf(conn *pgx.Conn) *session {
	s, _ := conn.PgConn().CustomData()[customData].(*session)
	return s
}

// enter has the connection work for o from the next statement on.
func (s *session) enter(ctx context.Context, o scope.Owner) error {
	key := o.Place()
	p := s.places[key]
	if p == nil {
		p = s.db.place(o)
		s.places[key] = p
	}
	s.owner, s.place, s.given = &o, p, false
	wire.Of(s.conn.PgConn()).Want(p.path)
	if len(s.db.config.Types) > 0 && !p.types {
		return s.loadTypes(ctx)
	}
	return nil
}

// place makes the place of o.
func (db *DB) place(o scope.Owner) *place {
	return &place{
		path: wire.Path{SearchPath: o.SearchPath(db.config.ExtraSchemas), Schema: searchpath.Quote(o.Tenant.Schema)},
		tag:  o.Tag(),
	}
}

// closeTimeout bounds how long the goodbye to a server may take.
const closeTimeout = 5 * time.Second

// leave ends the work for the owner. A connection in which something may have been
// left for the next tenant, or that has seen too many of them, is closed: the pool
// replaces it. One in the middle of something the pool closes itself.
func (s *session) leave() {
	s.owner, s.given = nil, true
	conn := s.conn.PgConn()
	if conn.IsClosed() || conn.IsBusy() || conn.TxStatus() != 'I' {
		return
	}
	if w := wire.Of(conn); w.Err() != nil || w.Dirty() || len(s.places) > s.db.config.MaxTenants {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout) //nolint:forbidigo // the caller's may be done
		defer cancel()
		_ = s.conn.Close(ctx)
	}
}

// idle reports whether no transaction is open.
func (s *session) idle() bool { return s.conn.PgConn().TxStatus() == 'I' }

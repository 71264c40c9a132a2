package auth

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/tenant"
)

// store keeps sessions for scs in the schema of the tenant in ctx. A row is bound to the
// tenant's id besides: the same schema under another tenant, and public for all, have other
// sessions.
type store struct {
	auth  *Auth
	codec scs.Codec
}

var _ scs.CtxStore = (*store)(nil)

// errNoContext is what the methods without a context return, which scs does not call.
var errNoContext = fmt.Errorf("auth: %w", tenant.ErrNoTenant)

func (*store) Delete(string) error                    { return errNoContext }
func (*store) Find(string) ([]byte, bool, error)      { return nil, false, errNoContext }
func (*store) Commit(string, []byte, time.Time) error { return errNoContext }

// place is the schema of the sessions, and whose they are.
func (s *store) place(ctx context.Context) (home tenant.Schema, id int64, err error) {
	t, err := tenant.FromContext(ctx)
	if err != nil {
		return home, 0, err
	}
	if home, err = s.auth.home(ctx); err != nil || t.IsPublic() {
		return home, 0, err
	}
	if t.ID == 0 {
		return home, 0, fmt.Errorf("auth: %v has no id, to which its sessions are bound (look it up in the registry)", t)
	}
	return home, t.ID, nil
}

// FindCtx returns what a session holds.
func (s *store) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	home, id, err := s.place(ctx)
	if err != nil {
		return nil, false, err
	}
	err = s.auth.db.QueryRow(ctx, "SELECT data FROM "+table(home, "auth_session")+" WHERE token = $1 AND tenant_id = $2 AND expiry > now()", token, id).Scan(&data)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, false, nil
	}
	return data, err == nil, missing(home, err)
}

// CommitCtx keeps a session, and clears some that are over: more than it can add.
func (s *store) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	home, id, err := s.place(ctx)
	if err != nil {
		return err
	}
	_, values, err := s.codec.Decode(data)
	if err != nil {
		return fmt.Errorf("session: %w", err)
	}
	var userID *int64
	if n, ok := values[userKey].(int64); ok {
		userID = &n
	}
	shared, _ := values[sharedKey].(bool)
	sessions := table(home, "auth_session")
	return missing(home, pgx.BeginFunc(ctx, s.auth.db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM "+sessions+" WHERE token IN (SELECT token FROM "+sessions+" WHERE expiry < now() ORDER BY expiry LIMIT 10 FOR UPDATE SKIP LOCKED)"); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "INSERT INTO "+sessions+" AS s (token, tenant_id, user_id, shared, data, expiry) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (token) DO UPDATE SET user_id = excluded.user_id, shared = excluded.shared, data = excluded.data, expiry = excluded.expiry WHERE s.tenant_id = excluded.tenant_id",
			token, id, userID, shared, data, expiry)
		return err
	}))
}

// DeleteCtx ends a session.
func (s *store) DeleteCtx(ctx context.Context, token string) error {
	home, id, err := s.place(ctx)
	if err != nil {
		return err
	}
	_, err = s.auth.db.Exec(ctx, "DELETE FROM "+table(home, "auth_session")+" WHERE token = $1 AND tenant_id = $2", token, id)
	return missing(home, err)
}

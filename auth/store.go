package auth

import (
	"context"
	"errors"
	"fmt"
	"sync"
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

type keptContextKey struct{}

// kept are the sessions that a request has loaded or begun, by the token in the store: those
// that it may write again. One that ended meanwhile is not begun anew.
type kept struct {
	sessions *Sessions
	mu       sync.Mutex
	tokens   map[string]bool
}

func (k *kept) add(token string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tokens[token] = true
}

func (k *kept) has(token string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.tokens[token]
}

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
	if k, ok := ctx.Value(keptContextKey{}).(*kept); ok && err == nil {
		k.add(token)
	}
	return data, err == nil, missing(home, err)
}

// CommitCtx keeps a session, and clears some that are over: more than it can add. One that
// was loaded stays as it is where it ended since: whoever logs out while another request is
// under way is logged out.
func (s *store) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	k, ok := ctx.Value(keptContextKey{}).(*kept)
	if !ok {
		return errNoMiddleware
	}
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
	if _, err := s.auth.db.Exec(ctx, "DELETE FROM "+sessions+" WHERE token IN (SELECT token FROM "+sessions+" WHERE expiry < now() ORDER BY expiry LIMIT 10 FOR UPDATE SKIP LOCKED)"); err != nil {
		return missing(home, err)
	}
	write := "INSERT INTO " + sessions + " (token, tenant_id, user_id, shared, data, expiry) VALUES ($1, $2, $3, $4, $5, $6)"
	if k.has(token) {
		write = "UPDATE " + sessions + " SET user_id = $3, shared = $4, data = $5, expiry = $6 WHERE token = $1 AND tenant_id = $2"
	}
	if _, err := s.auth.db.Exec(ctx, write, token, id, userID, shared, data, expiry); err != nil {
		return missing(home, err)
	}
	k.add(token)
	return nil
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

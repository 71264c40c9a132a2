package auth

import "context"

// endSessions deletes the sessions of a user that are with the tenant in ctx. Those of a
// user of public at other tenants end because they name the hash of its password.
func (a *Auth) endSessions(ctx context.Context, u *User) error {
	home, err := a.home(ctx)
	if err != nil {
		return err
	}
	_, err = a.db.Exec(ctx, "DELETE FROM "+table(home, "auth_session")+" WHERE user_id = $1 AND shared = $2", u.ID, isShared(u))
	return missing(home, err)
}

// isShared tells the users of public from those of the tenant.
func isShared(u *User) bool { return u.Schema.IsPublic() }

// Package auth has the users of every tenant: an app with their tables, passwords, and who
// may do what.
//
//	tenancy, err := cotenant.Open(ctx, &cotenant.Config{
//		DatabaseURL: os.Getenv("DATABASE_URL"),
//		TenantApps:  []migrate.App{auth.App(), …},
//	})
//	…
//	users, err := auth.New(tenancy.DB(), nil)
//	…
//	u, err := users.Create(ctx, auth.CreateParams{Username: "admin", Password: …, Superuser: true})
//	u, err = users.Authenticate(ctx, auth.Credentials{Username: …, Password: …, Address: …})
//
// Every call is about the users of the tenant in ctx, and [tenant.ErrNoTenant] without one.
// A tenant's users are in its schema. Each statement names that schema, so that a user of
// public is none of a tenant's, also where the tenant has no such table. [Config].Where has
// users in public that are everybody's, in their place or besides.
//
// # Passwords
//
// A new password has at least 15 characters, as NIST SP 800-63B-4 asks where it is the only
// factor, and is not what others guess first. It is hashed with Argon2id and the parameters
// that OWASP recommends; others are accepted, and made anew at the next login, and so are
// those of Django (pbkdf2_sha256, argon2id). The tables have the names and columns of
// Django's: a database that comes from there records the first migration of the app and
// runs the others.
//
// # Guessing
//
// Failed attempts are counted for a user name and a client address together (an IPv6 client
// is the first 64 bits of its address), and for an address over all names. After some, each
// further one has to wait, up to 15 minutes. They are forgotten one by one, and what is older
// than a day is, whoever fails or logs in from there meanwhile. That
// slows down who guesses from a few addresses, one password for many names or many for
// one. It cannot lock a user out: from another address nobody waits. Nor does it hold back
// who has very many addresses; against that help passwords that are hard to guess, a
// second factor, and a limit in front of the program. Clients behind one address (an
// office, a carrier's NAT, a proxy where SessionConfig.ClientAddress is not set) share its
// bounds, but for browsers from which the user has logged in before: a cookie tells them
// apart (see [Auth.Device]), and each has a bound of its own.
//
// What is told of a failed attempt, and the time that it takes, do not depend on whether
// there is such a user: see [Auth.Authenticate].
//
// # Sessions
//
//	sessions, err := users.NewSessions(&auth.SessionConfig{LoginURL: "/login"})
//	…
//	mux.Handle("POST /login", sessions.LoginHandler())
//	mux.Handle("POST /logout", sessions.LogoutHandler())
//	mux.Handle("/orders", sessions.RequireLogin(orders)) // auth.UserFromContext(r.Context())
//	handler := tenancy.Middleware(nil)(sessions.Middleware(mux))
//
// A session is a row in the tenant's schema, of which the cookie has a random token and the
// row its hash only. It is bound to the tenant's id, so that it is worth nothing at another
// tenant, also where the users are public's or the schema's name was given anew. A login has
// a new token. A session ends with its lifetime, with the password (not with a hash that is
// made anew of the same one), and with the user's being active; what a request of it that is
// under way writes then is lost. Rows that are over are cleared when others are written.
//
// The cookie is for its host alone (no Domain, __Host-), out of reach of scripts, and not
// sent along with what other sites send (SameSite=Lax). That is not enough where tenants
// are at sibling hosts: acme.example.com and globex.example.com are one site to a browser.
// So what would change something and comes from another origin is refused, by
// http.CrossOriginProtection: browsers say where a request comes from in Sec-Fetch-Site
// (all since 2023) or Origin, which scripts cannot forge, and forms need no token. It lets
// pass GET, HEAD and OPTIONS, which therefore must change nothing, and requests that are no
// browser's, which have no cookies of somebody else's. Tenants below paths of one host
// (httptenant.PathPrefix) are one origin: their pages can do as each other, and a login at
// one replaces that at another; give those who do not trust each other hosts of their own.
//
// # Django's permissions
//
// A permission is a name, such as "shop.change_order". In Django's table the part before the
// dot is in another one, which is not looked at: there, HasPermission is right for
// superusers, and Grant and GrantGroup do not work. Once Django is gone, this makes the table
// auth's, with the permissions that are there:
//
//	UPDATE auth_permission AS p SET codename = c.app_label || '.' || p.codename
//		FROM django_content_type AS c WHERE c.id = p.content_type_id;
//	ALTER TABLE auth_permission DROP COLUMN content_type_id,
//		ALTER COLUMN name SET DEFAULT '', ADD UNIQUE (codename);
package auth

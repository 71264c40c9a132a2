// Package cotenant is schema-per-tenant PostgreSQL: one database, one schema for
// each customer, and the application's queries unchanged.
//
// [Open] returns a [Tenancy]: a database with its apps and tenants.
//
//	//go:embed apps
//	var apps embed.FS
//
//	tenancy, err := cotenant.Open(ctx, &cotenant.Config{
//		DatabaseURL: os.Getenv("DATABASE_URL"),
//		SharedApps:  migrate.Dirs(apps, "apps/customers"),
//		TenantApps:  migrate.Dirs(apps, "apps/shop"),
//	})
//	…
//	defer tenancy.Close()
//	if err := tenancy.Migrate(ctx); err != nil { … }
//	http.ListenAndServe(addr, tenancy.Middleware(nil)(application))
//
// The middleware finds the tenant by host name and puts it into the request's
// context; every query through [Tenancy.DB] then runs in the schema of the
// tenant in its context, or fails.
//
// The parts can be used on their own: package tenant has the words, registry
// keeps the tenants, migrate makes their tables, pgxtenant scopes connections,
// httptenant finds the tenant of a request.
package cotenant

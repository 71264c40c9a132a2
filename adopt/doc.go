// Package adopt takes over a database with a schema for each tenant that another system has
// made: django-tenant-schemas, django-tenants, or one made by hand.
//
//	report, err := tenancy.Adopt(ctx, &adopt.Options{DryRun: true})
//
// Run finds the table of the tenants, compares what each schema has with what the files of
// the apps build, state by state, and registers the schemas that it recognises: a row of
// cotenant.tenants with the columns that both tables have, the domains, and the migrations
// recorded as faked, in one transaction a schema. The migrator role may read the shared tables
// afterwards, and refer to them. Nothing else is changed: not the tables, not their owners,
// and not the other system's own, which can go on meanwhile.
package adopt

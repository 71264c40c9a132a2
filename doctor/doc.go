// Package doctor looks at a database with tenants and says what is broken there, and what
// will hurt: as values, each with the reason and the cure. The command cotenant doctor
// prints them.
//
//	report, err := doctor.Examine(ctx, &doctor.Config{
//		Connect: tenancy.Connect, DB: tenancy.DB(), Fleet: tenancy.Fleet(), MaxConns: tenancy.MaxConns(),
//	})
//
// It reads the catalog and cotenant's own tables, and no others, in a session that cannot
// write. What is so in many schemas is one finding, counted by the server, so that ten
// thousand tenants are one line and as many queries as ten. [Fix] mends what is safe to
// mend, and nothing else does.
//
// The checks, with the severity of what they find. Tenants and schemas:
//
//   - tenant-without-schema (error): a row of a tenant, and no schema
//   - schema-renamed (error): a schema has another name than its tenant's row says
//   - schema-without-tenant (warning): a schema with a history, or the migrator role's, and no row
//   - tenant-name (error): a name that no schema can have, or two that differ in case alone
//   - tenant-inactive (note): not active, and older than 30 days
//   - domain-unusable (error): a domain in a form in which no host is looked up
//   - domain-ambiguous (error): a domain of several rows
//   - domain-without-tenant (error): a domain whose tenant is gone
//   - tenant-without-domain (note): a tenant that no host leads to
//   - tenant-primary-domain (note): none of a tenant's domains is primary, or several
//   - history (error): a migration is recorded of which the program has no file, or another one than
//     that; (note) the app is on no list
//   - history-lost (error, warning): a tenant's schema has tables, and no cotenant_migrations
//
// What crashes leave:
//
//   - version-without-tenant (note, [Fix]): a row of the index of histories of nobody
//   - migration-half-done (warning): a migration whose statements run one by one has ended in between
//   - progress-stale (note, [Fix]): a note of one in a schema that is gone
//   - scratch-left (note): a schema or a database that was made for a moment
//   - prepared-transaction (warning): one that nobody has ended
//   - index-invalid (error): what a CREATE INDEX CONCURRENTLY has left that failed
//   - index-leftover (warning, [Fix]): what a REINDEX CONCURRENTLY has left beside the index
//
// What is in the schemas:
//
//   - constraint-not-valid (note): added NOT VALID and not validated
//   - table-without-primary-key (note)
//   - sequence-near-end (warning, error at the end): four fifths of the integers are given away
//   - extension-in-tenant (warning): an extension that goes with a tenant
//   - function-names-schema (warning): a function whose search_path names a tenant's schema
//   - function-security-definer (warning): such a function without a search_path
//
// Who may do what:
//
//   - create-for-everybody (warning): everybody may create in public, or schemas
//   - privilege-missing (error): what the login lacks to migrate and to create tenants
//   - migrator-role (warning): there is none that the login may become
//   - schema-owner (warning): a tenant's schema is not that role's
//   - object-owner (warning): a table in a schema of that role is another's
//   - extra-schema (error, warning): a schema on the path that is not there, or may not be used
//   - shared-table-grant (note): a shared table that no tenant's table can refer to
//
// The server:
//
//   - pooler (error): a pooler where there must be none; (note) none where the mode is for one
//   - connections (warning): the pools may open more than the server has
//   - connections-in-use (warning): nine in ten are taken
//   - locks-of-tenant (warning): the largest tenant cannot be dropped with max_locks_per_transaction
//   - locks-of-dump (warning): nor the database be dumped at once
//   - transaction-old (warning): a session's transaction is open for long
//   - replication-slot (warning): one that nobody reads from
//   - catalog-size (note): a catalog of more than 2 GB
//   - catalog-bloat (warning): more rows of the catalog are dead than alive
//   - autovacuum-off (warning)
//   - transaction-ids (warning, error): the oldest transaction is old, as wraparound goes
//   - database-encoding (warning): it is not UTF8
//   - server-version (warning): a minor release with CVE-2024-10978
//   - timeouts (note): the login has no lock_timeout, or idle_in_transaction_session_timeout
//   - standby (note): the server is one
package doctor

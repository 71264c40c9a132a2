package doctor

import "context"

// check is a thing to look at.
type check struct {
	name string
	find func(ctx context.Context, e *exam) ([]Finding, error)
	mend func(ctx context.Context, e *exam, done func(Fixed)) error // nil: that is left to people
}

// checks are all of them, in the order in which they are made: tenants and their schemas,
// what crashes leave, what is in the schemas, who may do what, the server.
func checks() []check {
	return []check{
		{name: "tenant-without-schema", find: tenantsWithoutSchema},
		{name: "schema-renamed", find: schemasRenamed},
		{name: "schema-without-tenant", find: schemasWithoutTenant},
		{name: "tenant-name", find: tenantNames},
		{name: "tenant-inactive", find: tenantsInactive},
		{name: "domain-unusable", find: domainsUnusable},
		{name: "domain-ambiguous", find: domainsAmbiguous},
		{name: "domain-without-tenant", find: domainsWithoutTenant},
		{name: "tenant-without-domain", find: tenantsWithoutDomain},
		{name: "tenant-primary-domain", find: tenantsPrimaryDomain},
		{name: "history", find: histories},
		{name: "history-lost", find: historiesLost},

		{name: "version-without-tenant", find: versionsWithoutTenant, mend: forgetVersions},
		{name: "migration-half-done", find: migrationsHalfDone},
		{name: "progress-stale", find: progressStale, mend: forgetProgress},
		{name: "scratch-left", find: scratchLeft},
		{name: "prepared-transaction", find: preparedTransactions},
		{name: "index-invalid", find: indexesInvalid},
		{name: "index-leftover", find: indexesLeftOver, mend: dropLeftOver},

		{name: "constraint-not-valid", find: constraintsNotValid},
		{name: "table-without-primary-key", find: tablesWithoutPrimaryKey},
		{name: "sequence-near-end", find: sequencesNearEnd},
		{name: "extension-in-tenant", find: extensionsInTenants},
		{name: "function-names-schema", find: functionsNamingSchemas},
		{name: "function-security-definer", find: functionsSecurityDefiner},

		{name: "create-for-everybody", find: createForEverybody},
		{name: "privilege-missing", find: privilegesMissing},
		{name: "migrator-role", find: migratorRole},
		{name: "schema-owner", find: schemaOwners},
		{name: "object-owner", find: objectOwners},
		{name: "extra-schema", find: extraSchemas},
		{name: "shared-table-grant", find: sharedTableGrants},

		{name: "pooler", find: pooler},
		{name: "connections", find: connections},
		{name: "connections-in-use", find: connectionsInUse},
		{name: "locks-of-tenant", find: locksOfTenant},
		{name: "locks-of-dump", find: locksOfDump},
		{name: "transaction-old", find: transactionsOld},
		{name: "replication-slot", find: replicationSlots},
		{name: "catalog-size", find: catalogSize},
		{name: "catalog-bloat", find: catalogBloat},
		{name: "autovacuum-off", find: autovacuumOff},
		{name: "transaction-ids", find: transactionIDs},
		{name: "database-encoding", find: databaseEncoding},
		{name: "server-version", find: serverVersion},
		{name: "timeouts", find: timeouts},
		{name: "standby", find: standby},
	}
}

// Checks returns the names of the checks, in the order in which they are made.
func Checks() []string {
	var names []string
	for _, c := range checks() {
		names = append(names, c.name)
	}
	return names
}

-- Names of schemas that were a tenant's until lately. A program can still have that tenant,
-- and would be in the schema of whoever gets the name.
CREATE TABLE cotenant.resting_names (
	schema_name text PRIMARY KEY, -- in lower case
	tenant_id bigint NOT NULL,
	until timestamptz NOT NULL
);

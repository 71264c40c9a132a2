-- What is known of a tenant: each column is a flag of "tenant create".
ALTER TABLE cotenant.tenants
	ADD COLUMN name text NOT NULL DEFAULT '',
	ADD COLUMN paid_until date,
	ADD COLUMN on_trial boolean NOT NULL DEFAULT true;

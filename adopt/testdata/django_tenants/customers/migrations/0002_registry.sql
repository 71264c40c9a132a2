-- What the model Client has of a tenant, where cotenant keeps it.
ALTER TABLE cotenant.tenants
	ADD COLUMN name text NOT NULL,
	ADD COLUMN paid_until date,
	ADD COLUMN on_trial boolean NOT NULL DEFAULT true;

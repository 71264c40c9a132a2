-- What the shop knows of each tenant: columns of ours in cotenant's table.
ALTER TABLE cotenant.tenants
	ADD COLUMN name text NOT NULL DEFAULT '',
	ADD COLUMN paid_until date,
	ADD COLUMN on_trial boolean NOT NULL DEFAULT true,
	ADD COLUMN description text NOT NULL DEFAULT '';

-- Shared by all tenants, who refer to it.
CREATE TABLE currencies (
	code text PRIMARY KEY,
	name text NOT NULL
);

INSERT INTO currencies (code, name) VALUES ('EUR', 'Euro'), ('USD', 'US Dollar');

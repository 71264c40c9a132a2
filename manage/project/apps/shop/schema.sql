-- The tables of a tenant, as they are now. "sync" creates what a schema lacks. To change
-- tables that have rows, put migrations beside it: migrations/0001_initial.sql, 0002_…
CREATE TABLE products (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name text NOT NULL,
	price numeric(10, 2) NOT NULL
);

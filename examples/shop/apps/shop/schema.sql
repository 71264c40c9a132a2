-- In the schema of every tenant.
CREATE TABLE products (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name text NOT NULL UNIQUE,
	price numeric(10, 2) NOT NULL CHECK (price >= 0),
	currency text NOT NULL REFERENCES currencies (code),
	stock integer NOT NULL CHECK (stock >= 0)
);

CREATE TABLE orders (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	product_id bigint NOT NULL REFERENCES products (id),
	quantity integer NOT NULL CHECK (quantity > 0),
	ordered_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX orders_product_id_idx ON orders (product_id);

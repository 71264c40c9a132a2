CREATE TYPE order_status AS ENUM ('open', 'paid');

CREATE TABLE products (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name text NOT NULL,
	stock integer NOT NULL
);

CREATE TABLE orders (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	product_id bigint NOT NULL REFERENCES products,
	quantity integer NOT NULL,
	status order_status NOT NULL DEFAULT 'open'
);

CREATE TYPE mood AS ENUM ('sad', 'ok', 'it''s fine');
CREATE TYPE "Point 2" AS (x double precision, "y y" text COLLATE "C", m mood[]);
CREATE TYPE span AS RANGE (subtype = timestamptz);
CREATE DOMAIN email AS text COLLATE "C" DEFAULT 'x@y' NOT NULL CONSTRAINT has_at CHECK (VALUE LIKE '%@%');
CREATE COLLATION german FROM "C";
CREATE SEQUENCE counter AS integer START 10 INCREMENT 5 CACHE 3 CYCLE;
CREATE FUNCTION price(n integer, factor numeric DEFAULT 1.5) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT n * factor';
CREATE FUNCTION price(n text) RETURNS numeric LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS 'SELECT n::numeric';
CREATE TABLE things (
	id serial PRIMARY KEY,
	number bigint GENERATED ALWAYS AS IDENTITY (START 5),
	name text COLLATE german NOT NULL DEFAULT 'a',
	mail email,
	price numeric(10,2) DEFAULT price(3),
	double numeric GENERATED ALWAYS AS (price * 2) STORED,
	feeling mood DEFAULT 'ok',
	at "Point 2",
	n integer DEFAULT nextval('counter'),
	UNIQUE (name, mail),
	CHECK (price > 0), CHECK (price < 100),
	EXCLUDE USING btree (number WITH =) DEFERRABLE
) WITH (fillfactor = 70);
ALTER TABLE things ALTER name SET STORAGE EXTERNAL, ALTER name SET STATISTICS 200, ALTER price SET (n_distinct = 5);
CREATE FUNCTION add(a integer, b things) RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT a + b.id FROM things; END;
CREATE PROCEDURE clean(IN days integer, INOUT done integer) LANGUAGE plpgsql AS $$BEGIN DELETE FROM things; END$$;
CREATE AGGREGATE total(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0');
CREATE TABLE "Order Lines" (
	"Id" uuid PRIMARY KEY,
	thing_id integer REFERENCES things ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
	tax_id integer NOT NULL REFERENCES public.taxes (id),
	tags text[],
	"a""b.c" text
);
CREATE INDEX ON "Order Lines" (thing_id) INCLUDE (tax_id) WHERE tags IS NOT NULL;
CREATE UNIQUE INDEX "Lower of" ON "Order Lines" (lower("a""b.c") text_pattern_ops DESC NULLS LAST);
CREATE INDEX ON "Order Lines" USING gin (tags) WITH (fastupdate = off);
CREATE INDEX cheap ON things (price(id)) WHERE feeling = 'ok';
ALTER TABLE things CLUSTER ON things_pkey;
CREATE STATISTICS correlated (dependencies) ON name, price FROM things;
CREATE TABLE measures (at timestamptz NOT NULL, thing_id integer REFERENCES things, value integer CHECK (value > 0)) PARTITION BY RANGE (at);
CREATE TABLE measures_2024 PARTITION OF measures FOR VALUES FROM ('2024-01-01 00:00+0') TO ('2025-01-01 00:00+0');
CREATE TABLE measures_other PARTITION OF measures DEFAULT;
CREATE INDEX ON measures (value);
CREATE TABLE child (extra text) INHERITS (things);
CREATE UNLOGGED TABLE cache (k text, v jsonb);
CREATE VIEW cheap_things AS SELECT t.id, t.feeling, price(t.name) AS p, x.id AS tax FROM things t, public.taxes x WHERE t.feeling > 'sad';
CREATE VIEW counted WITH (security_barrier) AS SELECT count(*) FROM cheap_things;
CREATE MATERIALIZED VIEW summary AS SELECT feeling, sum(price) AS total FROM things GROUP BY 1;
CREATE UNIQUE INDEX ON summary (feeling);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;
CREATE TRIGGER touch BEFORE UPDATE OF name ON things FOR EACH ROW WHEN (NEW.feeling = 'ok') EXECUTE FUNCTION touch();
CREATE TRIGGER touch AFTER INSERT ON measures FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE things DISABLE TRIGGER touch;
CREATE RULE quiet AS ON DELETE TO cache DO INSTEAD NOTHING;
ALTER TABLE things ENABLE ROW LEVEL SECURITY;
ALTER TABLE things FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON things AS RESTRICTIVE FOR UPDATE TO PUBLIC USING (id IN (SELECT thing_id FROM "Order Lines")) WITH CHECK (price(name) > 0);
CREATE FUNCTION same(mood, mood) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 = $2';
CREATE OPERATOR === (LEFTARG = mood, RIGHTARG = mood, FUNCTION = same, COMMUTATOR = ===, HASHES);
CREATE OPERATOR FAMILY moods USING btree;
CREATE FUNCTION mood_order(mood, mood) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 0';
CREATE OPERATOR CLASS mood_ops FOR TYPE mood USING btree FAMILY moods AS OPERATOR 3 ===, FUNCTION 1 mood_order(mood, mood);
CREATE TEXT SEARCH DICTIONARY plain (TEMPLATE = simple, STOPWORDS = english);
CREATE TEXT SEARCH CONFIGURATION words (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION words ALTER MAPPING FOR asciiword WITH plain;
CREATE CONVERSION latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE VIEW same_moods AS SELECT a.id FROM things a JOIN things b ON a.feeling === b.feeling;
COMMENT ON TABLE things IS 'What there is';
COMMENT ON COLUMN things.price IS 'in euros';
COMMENT ON COLUMN cheap_things.p IS 'of a view';
COMMENT ON CONSTRAINT things_price_check ON things IS 'more than nothing';
COMMENT ON FUNCTION price(integer, numeric) IS 'one';
COMMENT ON FUNCTION price(text) IS 'the other';
COMMENT ON TYPE mood IS 'how one is';
COMMENT ON DOMAIN email IS 'an address';
COMMENT ON INDEX "Lower of" IS 'an index';
COMMENT ON TRIGGER touch ON things IS 'a trigger';
COMMENT ON POLICY mine ON things IS 'a policy';
COMMENT ON SEQUENCE counter IS 'a sequence';

--
-- PostgreSQL database dump
--

\restrict f28YEJxzzv1FyBTYwNiGi9GLFHRo3HJGtOpTGQmFAX9fpZWHELX2z2IevlIbbyf

-- Dumped from database version 15.18 (Debian 15.18-0+deb12u1)
-- Dumped by pg_dump version 15.18 (Debian 15.18-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: email; Type: DOMAIN; Schema: public; Owner: postgres
--

CREATE DOMAIN public.email AS text
	CONSTRAINT email_check CHECK ((VALUE ~~ '%@%'::text));


ALTER DOMAIN public.email OWNER TO postgres;

--
-- Name: state; Type: TYPE; Schema: public; Owner: postgres
--

CREATE TYPE public.state AS ENUM (
    'new',
    'paid'
);


ALTER TYPE public.state OWNER TO postgres;

--
-- Name: is_country(text); Type: FUNCTION; Schema: public; Owner: postgres
--

CREATE FUNCTION public.is_country(c text) RETURNS boolean
    LANGUAGE plpgsql
    AS $$BEGIN RETURN EXISTS (SELECT FROM public.countries WHERE code = c); END$$;


ALTER FUNCTION public.is_country(c text) OWNER TO postgres;

--
-- Name: same(public.state, integer); Type: FUNCTION; Schema: public; Owner: postgres
--

CREATE FUNCTION public.same(a public.state, b integer) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$SELECT a IS NOT NULL AND b = 1$$;


ALTER FUNCTION public.same(a public.state, b integer) OWNER TO postgres;

--
-- Name: total(integer); Type: FUNCTION; Schema: public; Owner: postgres
--

CREATE FUNCTION public.total(customer integer) RETURNS numeric
    LANGUAGE sql STABLE
    AS $$SELECT sum(amount) FROM orders WHERE customer_id = customer$$;


ALTER FUNCTION public.total(customer integer) OWNER TO postgres;

--
-- Name: touch(); Type: FUNCTION; Schema: public; Owner: postgres
--

CREATE FUNCTION public.touch() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN NEW.at := now(); RETURN NEW; END$$;


ALTER FUNCTION public.touch() OWNER TO postgres;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: orders; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.orders (
    id bigint NOT NULL,
    customer_id integer NOT NULL,
    state public.state DEFAULT 'new'::public.state NOT NULL,
    amount numeric NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT orders_amount_check CHECK ((amount > (0)::numeric))
);


ALTER TABLE public.orders OWNER TO postgres;

--
-- Name: TABLE orders; Type: COMMENT; Schema: public; Owner: postgres
--

COMMENT ON TABLE public.orders IS 'in public.orders; one a line';


--
-- Name: twice(integer); Type: FUNCTION; Schema: public; Owner: postgres
--

CREATE FUNCTION public.twice(a integer) RETURNS integer
    LANGUAGE sql
    BEGIN ATOMIC
 SELECT ((count(*))::integer * 2)
    FROM public.orders
   WHERE (orders.id = twice.a);
END;


ALTER FUNCTION public.twice(a integer) OWNER TO postgres;

--
-- Name: ===; Type: OPERATOR; Schema: public; Owner: postgres
--

CREATE OPERATOR public.=== (
    FUNCTION = public.same,
    LEFTARG = public.state,
    RIGHTARG = integer
);


ALTER OPERATOR public.=== (public.state, integer) OWNER TO postgres;

--
-- Name: customers; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.customers (
    id integer NOT NULL,
    mail public.email NOT NULL,
    note text DEFAULT 'public.note'::text,
    "Strange;Name" text,
    CONSTRAINT customers_note_check CHECK (((note IS NULL) OR (note <> 'public.customers'::text)))
);


ALTER TABLE public.customers OWNER TO postgres;

--
-- Name: customers_id_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public.customers_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE public.customers_id_seq OWNER TO postgres;

--
-- Name: customers_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: postgres
--

ALTER SEQUENCE public.customers_id_seq OWNED BY public.customers.id;


--
-- Name: events; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.events (
    at date NOT NULL,
    what text
)
PARTITION BY RANGE (at);


ALTER TABLE public.events OWNER TO postgres;

--
-- Name: events_2024; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.events_2024 (
    at date NOT NULL,
    what text
);


ALTER TABLE public.events_2024 OWNER TO postgres;

--
-- Name: flagged; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.flagged (
    s public.state,
    CONSTRAINT flagged_s_check CHECK ((s OPERATOR(public.===) 1))
);


ALTER TABLE public.flagged OWNER TO postgres;

--
-- Name: open_orders; Type: VIEW; Schema: public; Owner: postgres
--

CREATE VIEW public.open_orders AS
 SELECT o.id,
    o.customer_id,
    o.state,
    o.amount,
    o.at,
    c.mail,
    public.total(c.id) AS total
   FROM (public.orders o
     JOIN public.customers c ON ((c.id = o.customer_id)))
  WHERE (o.state = 'new'::public.state);


ALTER TABLE public.open_orders OWNER TO postgres;

--
-- Name: orders_id_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

ALTER TABLE public.orders ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.orders_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: events_2024; Type: TABLE ATTACH; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.events ATTACH PARTITION public.events_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');


--
-- Name: customers id; Type: DEFAULT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.customers ALTER COLUMN id SET DEFAULT nextval('public.customers_id_seq'::regclass);


--
-- Name: customers customers_mail_key; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.customers
    ADD CONSTRAINT customers_mail_key UNIQUE (mail);


--
-- Name: customers customers_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.customers
    ADD CONSTRAINT customers_pkey PRIMARY KEY (id);


--
-- Name: orders orders_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY (id);


--
-- Name: events_at_idx; Type: INDEX; Schema: public; Owner: postgres
--

CREATE INDEX events_at_idx ON ONLY public.events USING btree (at);


--
-- Name: events_2024_at_idx; Type: INDEX; Schema: public; Owner: postgres
--

CREATE INDEX events_2024_at_idx ON public.events_2024 USING btree (at);


--
-- Name: orders_by_state; Type: INDEX; Schema: public; Owner: postgres
--

CREATE INDEX orders_by_state ON public.orders USING btree (state) WHERE (state <> 'paid'::public.state);


--
-- Name: events_2024_at_idx; Type: INDEX ATTACH; Schema: public; Owner: postgres
--

ALTER INDEX public.events_at_idx ATTACH PARTITION public.events_2024_at_idx;


--
-- Name: orders touched; Type: TRIGGER; Schema: public; Owner: postgres
--

CREATE TRIGGER touched BEFORE UPDATE ON public.orders FOR EACH ROW EXECUTE FUNCTION public.touch();


--
-- Name: orders orders_customer_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customers(id);


--
-- Name: orders mine; Type: POLICY; Schema: public; Owner: postgres
--

CREATE POLICY mine ON public.orders USING ((customer_id > 0));


--
-- Name: orders; Type: ROW SECURITY; Schema: public; Owner: postgres
--

ALTER TABLE public.orders ENABLE ROW LEVEL SECURITY;

--
-- PostgreSQL database dump complete
--

\unrestrict f28YEJxzzv1FyBTYwNiGi9GLFHRo3HJGtOpTGQmFAX9fpZWHELX2z2IevlIbbyf


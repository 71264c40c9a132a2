
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

CREATE SCHEMA "Tenant-3";

CREATE SCHEMA tenant1;

CREATE SCHEMA tenant2;

CREATE TABLE "Tenant-3".django_content_type (
    id integer NOT NULL,
    app_label character varying(100) NOT NULL,
    model character varying(100) NOT NULL
);

CREATE SEQUENCE "Tenant-3".django_content_type_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE "Tenant-3".django_content_type_id_seq OWNED BY "Tenant-3".django_content_type.id;

CREATE TABLE "Tenant-3".django_migrations (
    id integer NOT NULL,
    app character varying(255) NOT NULL,
    name character varying(255) NOT NULL,
    applied timestamp with time zone NOT NULL
);

CREATE SEQUENCE "Tenant-3".django_migrations_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE "Tenant-3".django_migrations_id_seq OWNED BY "Tenant-3".django_migrations.id;

CREATE TABLE "Tenant-3".shop_category (
    id integer NOT NULL,
    name character varying(100) NOT NULL
);

CREATE SEQUENCE "Tenant-3".shop_category_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE "Tenant-3".shop_category_id_seq OWNED BY "Tenant-3".shop_category.id;

CREATE TABLE "Tenant-3".shop_product (
    id integer NOT NULL,
    name character varying(200) NOT NULL,
    price numeric(10,2) NOT NULL,
    category_id integer NOT NULL,
    plan_id integer,
    stock integer NOT NULL,
    note text,
    CONSTRAINT shop_product_stock_check CHECK ((stock >= 0))
);

CREATE SEQUENCE "Tenant-3".shop_product_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE "Tenant-3".shop_product_id_seq OWNED BY "Tenant-3".shop_product.id;

CREATE TABLE "Tenant-3".shop_supplier (
    id integer NOT NULL,
    name character varying(100) NOT NULL
);

CREATE SEQUENCE "Tenant-3".shop_supplier_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE "Tenant-3".shop_supplier_id_seq OWNED BY "Tenant-3".shop_supplier.id;

CREATE TABLE "Tenant-3".shop_supplier_products (
    id integer NOT NULL,
    supplier_id integer NOT NULL,
    product_id integer NOT NULL
);

CREATE SEQUENCE "Tenant-3".shop_supplier_products_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE "Tenant-3".shop_supplier_products_id_seq OWNED BY "Tenant-3".shop_supplier_products.id;

CREATE TABLE public.customers_client (
    id integer NOT NULL,
    schema_name character varying(63) NOT NULL,
    name character varying(100) NOT NULL,
    paid_until date,
    on_trial boolean NOT NULL,
    created_on date NOT NULL
);

CREATE SEQUENCE public.customers_client_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.customers_client_id_seq OWNED BY public.customers_client.id;

CREATE TABLE public.customers_domain (
    id integer NOT NULL,
    domain character varying(253) NOT NULL,
    is_primary boolean NOT NULL,
    tenant_id integer NOT NULL
);

CREATE SEQUENCE public.customers_domain_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.customers_domain_id_seq OWNED BY public.customers_domain.id;

CREATE TABLE public.customers_plan (
    id integer NOT NULL,
    name character varying(50) NOT NULL
);

CREATE SEQUENCE public.customers_plan_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.customers_plan_id_seq OWNED BY public.customers_plan.id;

CREATE TABLE public.django_migrations (
    id integer NOT NULL,
    app character varying(255) NOT NULL,
    name character varying(255) NOT NULL,
    applied timestamp with time zone NOT NULL
);

CREATE SEQUENCE public.django_migrations_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE public.django_migrations_id_seq OWNED BY public.django_migrations.id;

CREATE TABLE tenant1.django_content_type (
    id integer NOT NULL,
    app_label character varying(100) NOT NULL,
    model character varying(100) NOT NULL
);

CREATE SEQUENCE tenant1.django_content_type_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE tenant1.django_content_type_id_seq OWNED BY tenant1.django_content_type.id;

CREATE TABLE tenant1.django_migrations (
    id integer NOT NULL,
    app character varying(255) NOT NULL,
    name character varying(255) NOT NULL,
    applied timestamp with time zone NOT NULL
);

CREATE SEQUENCE tenant1.django_migrations_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE tenant1.django_migrations_id_seq OWNED BY tenant1.django_migrations.id;

CREATE TABLE tenant1.shop_category (
    id integer NOT NULL,
    name character varying(100) NOT NULL
);

CREATE SEQUENCE tenant1.shop_category_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE tenant1.shop_category_id_seq OWNED BY tenant1.shop_category.id;

CREATE TABLE tenant1.shop_product (
    id integer NOT NULL,
    name character varying(200) NOT NULL,
    price numeric(10,2) NOT NULL,
    category_id integer NOT NULL,
    plan_id integer,
    stock integer NOT NULL,
    CONSTRAINT shop_product_stock_check CHECK ((stock >= 0))
);

CREATE SEQUENCE tenant1.shop_product_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE tenant1.shop_product_id_seq OWNED BY tenant1.shop_product.id;

CREATE TABLE tenant1.shop_supplier (
    id integer NOT NULL,
    name character varying(100) NOT NULL
);

CREATE SEQUENCE tenant1.shop_supplier_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE tenant1.shop_supplier_id_seq OWNED BY tenant1.shop_supplier.id;

CREATE TABLE tenant1.shop_supplier_products (
    id integer NOT NULL,
    supplier_id integer NOT NULL,
    product_id integer NOT NULL
);

CREATE SEQUENCE tenant1.shop_supplier_products_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE tenant1.shop_supplier_products_id_seq OWNED BY tenant1.shop_supplier_products.id;

CREATE TABLE tenant2.django_content_type (
    id integer NOT NULL,
    app_label character varying(100) NOT NULL,
    model character varying(100) NOT NULL
);

CREATE SEQUENCE tenant2.django_content_type_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE tenant2.django_content_type_id_seq OWNED BY tenant2.django_content_type.id;

CREATE TABLE tenant2.django_migrations (
    id integer NOT NULL,
    app character varying(255) NOT NULL,
    name character varying(255) NOT NULL,
    applied timestamp with time zone NOT NULL
);

CREATE SEQUENCE tenant2.django_migrations_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE tenant2.django_migrations_id_seq OWNED BY tenant2.django_migrations.id;

CREATE TABLE tenant2.shop_category (
    id integer NOT NULL,
    name character varying(100) NOT NULL
);

CREATE SEQUENCE tenant2.shop_category_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE tenant2.shop_category_id_seq OWNED BY tenant2.shop_category.id;

CREATE TABLE tenant2.shop_product (
    id integer NOT NULL,
    name character varying(200) NOT NULL,
    price numeric(10,2) NOT NULL,
    category_id integer NOT NULL,
    plan_id integer,
    stock integer NOT NULL,
    CONSTRAINT shop_product_stock_check CHECK ((stock >= 0))
);

CREATE SEQUENCE tenant2.shop_product_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

ALTER SEQUENCE tenant2.shop_product_id_seq OWNED BY tenant2.shop_product.id;

ALTER TABLE ONLY "Tenant-3".django_content_type ALTER COLUMN id SET DEFAULT nextval('"Tenant-3".django_content_type_id_seq'::regclass);

ALTER TABLE ONLY "Tenant-3".django_migrations ALTER COLUMN id SET DEFAULT nextval('"Tenant-3".django_migrations_id_seq'::regclass);

ALTER TABLE ONLY "Tenant-3".shop_category ALTER COLUMN id SET DEFAULT nextval('"Tenant-3".shop_category_id_seq'::regclass);

ALTER TABLE ONLY "Tenant-3".shop_product ALTER COLUMN id SET DEFAULT nextval('"Tenant-3".shop_product_id_seq'::regclass);

ALTER TABLE ONLY "Tenant-3".shop_supplier ALTER COLUMN id SET DEFAULT nextval('"Tenant-3".shop_supplier_id_seq'::regclass);

ALTER TABLE ONLY "Tenant-3".shop_supplier_products ALTER COLUMN id SET DEFAULT nextval('"Tenant-3".shop_supplier_products_id_seq'::regclass);

ALTER TABLE ONLY public.customers_client ALTER COLUMN id SET DEFAULT nextval('public.customers_client_id_seq'::regclass);

ALTER TABLE ONLY public.customers_domain ALTER COLUMN id SET DEFAULT nextval('public.customers_domain_id_seq'::regclass);

ALTER TABLE ONLY public.customers_plan ALTER COLUMN id SET DEFAULT nextval('public.customers_plan_id_seq'::regclass);

ALTER TABLE ONLY public.django_migrations ALTER COLUMN id SET DEFAULT nextval('public.django_migrations_id_seq'::regclass);

ALTER TABLE ONLY tenant1.django_content_type ALTER COLUMN id SET DEFAULT nextval('tenant1.django_content_type_id_seq'::regclass);

ALTER TABLE ONLY tenant1.django_migrations ALTER COLUMN id SET DEFAULT nextval('tenant1.django_migrations_id_seq'::regclass);

ALTER TABLE ONLY tenant1.shop_category ALTER COLUMN id SET DEFAULT nextval('tenant1.shop_category_id_seq'::regclass);

ALTER TABLE ONLY tenant1.shop_product ALTER COLUMN id SET DEFAULT nextval('tenant1.shop_product_id_seq'::regclass);

ALTER TABLE ONLY tenant1.shop_supplier ALTER COLUMN id SET DEFAULT nextval('tenant1.shop_supplier_id_seq'::regclass);

ALTER TABLE ONLY tenant1.shop_supplier_products ALTER COLUMN id SET DEFAULT nextval('tenant1.shop_supplier_products_id_seq'::regclass);

ALTER TABLE ONLY tenant2.django_content_type ALTER COLUMN id SET DEFAULT nextval('tenant2.django_content_type_id_seq'::regclass);

ALTER TABLE ONLY tenant2.django_migrations ALTER COLUMN id SET DEFAULT nextval('tenant2.django_migrations_id_seq'::regclass);

ALTER TABLE ONLY tenant2.shop_category ALTER COLUMN id SET DEFAULT nextval('tenant2.shop_category_id_seq'::regclass);

ALTER TABLE ONLY tenant2.shop_product ALTER COLUMN id SET DEFAULT nextval('tenant2.shop_product_id_seq'::regclass);

INSERT INTO "Tenant-3".django_content_type VALUES (1, 'customers', 'client');
INSERT INTO "Tenant-3".django_content_type VALUES (2, 'customers', 'plan');
INSERT INTO "Tenant-3".django_content_type VALUES (3, 'customers', 'domain');
INSERT INTO "Tenant-3".django_content_type VALUES (4, 'contenttypes', 'contenttype');
INSERT INTO "Tenant-3".django_content_type VALUES (5, 'shop', 'category');
INSERT INTO "Tenant-3".django_content_type VALUES (6, 'shop', 'product');
INSERT INTO "Tenant-3".django_content_type VALUES (7, 'shop', 'supplier');

INSERT INTO "Tenant-3".django_migrations VALUES (1, 'contenttypes', '0001_initial', '2026-11-25 23:20:01.968206+00');
INSERT INTO "Tenant-3".django_migrations VALUES (2, 'contenttypes', '0002_remove_content_type_name', '2026-11-25 23:20:02.017999+00');
INSERT INTO "Tenant-3".django_migrations VALUES (3, 'customers', '0001_initial', '2026-11-25 23:20:02.065938+00');
INSERT INTO "Tenant-3".django_migrations VALUES (4, 'shop', '0001_initial', '2026-11-25 23:20:02.182444+00');
INSERT INTO "Tenant-3".django_migrations VALUES (5, 'shop', '0002_stock', '2026-11-25 23:20:02.186817+00');
INSERT INTO "Tenant-3".django_migrations VALUES (6, 'shop', '0003_supplier', '2026-11-25 23:20:02.231797+00');

INSERT INTO public.customers_client VALUES (1, 'public', 'Schemas Inc.', '2016-12-05', false, '2026-11-25');
INSERT INTO public.customers_client VALUES (2, 'tenant1', 'Fonzy Tenant', '2014-12-05', true, '2026-11-25');
INSERT INTO public.customers_client VALUES (3, 'tenant2', 'Bikes & Co.', NULL, false, '2026-11-25');
INSERT INTO public.customers_client VALUES (4, 'Tenant-3', 'Three', NULL, false, '2026-11-25');

INSERT INTO public.customers_domain VALUES (1, 'my-domain.com', true, 1);
INSERT INTO public.customers_domain VALUES (2, 'tenant.my-domain.com', true, 2);
INSERT INTO public.customers_domain VALUES (3, 'fonzy.example', false, 2);
INSERT INTO public.customers_domain VALUES (4, 'www.bikes.example', true, 3);
INSERT INTO public.customers_domain VALUES (5, 'three.my-domain.com', true, 4);

INSERT INTO public.customers_plan VALUES (1, 'basic');

INSERT INTO public.django_migrations VALUES (1, 'contenttypes', '0001_initial', '2026-11-25 23:19:59.205664+00');
INSERT INTO public.django_migrations VALUES (2, 'contenttypes', '0002_remove_content_type_name', '2026-11-25 23:19:59.226696+00');
INSERT INTO public.django_migrations VALUES (3, 'customers', '0001_initial', '2026-11-25 23:19:59.270573+00');
INSERT INTO public.django_migrations VALUES (4, 'shop', '0001_initial', '2026-11-25 23:19:59.283533+00');
INSERT INTO public.django_migrations VALUES (5, 'shop', '0002_stock', '2026-11-25 23:19:59.290866+00');
INSERT INTO public.django_migrations VALUES (6, 'shop', '0003_supplier', '2026-11-25 23:19:59.303787+00');

INSERT INTO tenant1.django_content_type VALUES (1, 'customers', 'client');
INSERT INTO tenant1.django_content_type VALUES (2, 'customers', 'plan');
INSERT INTO tenant1.django_content_type VALUES (3, 'customers', 'domain');
INSERT INTO tenant1.django_content_type VALUES (4, 'contenttypes', 'contenttype');
INSERT INTO tenant1.django_content_type VALUES (5, 'shop', 'category');
INSERT INTO tenant1.django_content_type VALUES (6, 'shop', 'product');
INSERT INTO tenant1.django_content_type VALUES (7, 'shop', 'supplier');

INSERT INTO tenant1.django_migrations VALUES (1, 'contenttypes', '0001_initial', '2026-11-25 23:20:01.054767+00');
INSERT INTO tenant1.django_migrations VALUES (2, 'contenttypes', '0002_remove_content_type_name', '2026-11-25 23:20:01.083043+00');
INSERT INTO tenant1.django_migrations VALUES (3, 'customers', '0001_initial', '2026-11-25 23:20:01.116403+00');
INSERT INTO tenant1.django_migrations VALUES (4, 'shop', '0001_initial', '2026-11-25 23:20:01.205659+00');
INSERT INTO tenant1.django_migrations VALUES (5, 'shop', '0002_stock', '2026-11-25 23:20:01.255844+00');
INSERT INTO tenant1.django_migrations VALUES (6, 'shop', '0003_supplier', '2026-11-25 23:20:01.313621+00');

INSERT INTO tenant2.django_content_type VALUES (1, 'customers', 'client');
INSERT INTO tenant2.django_content_type VALUES (2, 'customers', 'plan');
INSERT INTO tenant2.django_content_type VALUES (3, 'customers', 'domain');
INSERT INTO tenant2.django_content_type VALUES (4, 'contenttypes', 'contenttype');
INSERT INTO tenant2.django_content_type VALUES (5, 'shop', 'category');
INSERT INTO tenant2.django_content_type VALUES (6, 'shop', 'product');
INSERT INTO tenant2.django_content_type VALUES (7, 'shop', 'supplier');

INSERT INTO tenant2.django_migrations VALUES (1, 'contenttypes', '0001_initial', '2026-11-25 23:20:01.473543+00');
INSERT INTO tenant2.django_migrations VALUES (2, 'contenttypes', '0002_remove_content_type_name', '2026-11-25 23:20:01.491399+00');
INSERT INTO tenant2.django_migrations VALUES (3, 'customers', '0001_initial', '2026-11-25 23:20:01.503785+00');
INSERT INTO tenant2.django_migrations VALUES (4, 'shop', '0001_initial', '2026-11-25 23:20:01.55432+00');
INSERT INTO tenant2.django_migrations VALUES (5, 'shop', '0002_stock', '2026-11-25 23:20:01.567817+00');

SELECT pg_catalog.setval('"Tenant-3".django_content_type_id_seq', 7, true);

SELECT pg_catalog.setval('"Tenant-3".django_migrations_id_seq', 6, true);

SELECT pg_catalog.setval('"Tenant-3".shop_category_id_seq', 1, false);

SELECT pg_catalog.setval('"Tenant-3".shop_product_id_seq', 1, false);

SELECT pg_catalog.setval('"Tenant-3".shop_supplier_id_seq', 1, false);

SELECT pg_catalog.setval('"Tenant-3".shop_supplier_products_id_seq', 1, false);

SELECT pg_catalog.setval('public.customers_client_id_seq', 4, true);

SELECT pg_catalog.setval('public.customers_domain_id_seq', 5, true);

SELECT pg_catalog.setval('public.customers_plan_id_seq', 1, true);

SELECT pg_catalog.setval('public.django_migrations_id_seq', 6, true);

SELECT pg_catalog.setval('tenant1.django_content_type_id_seq', 7, true);

SELECT pg_catalog.setval('tenant1.django_migrations_id_seq', 6, true);

SELECT pg_catalog.setval('tenant1.shop_category_id_seq', 1, false);

SELECT pg_catalog.setval('tenant1.shop_product_id_seq', 1, false);

SELECT pg_catalog.setval('tenant1.shop_supplier_id_seq', 1, false);

SELECT pg_catalog.setval('tenant1.shop_supplier_products_id_seq', 1, false);

SELECT pg_catalog.setval('tenant2.django_content_type_id_seq', 7, true);

SELECT pg_catalog.setval('tenant2.django_migrations_id_seq', 6, true);

SELECT pg_catalog.setval('tenant2.shop_category_id_seq', 1, false);

SELECT pg_catalog.setval('tenant2.shop_product_id_seq', 1, false);

ALTER TABLE ONLY "Tenant-3".django_content_type
    ADD CONSTRAINT django_content_type_app_label_model_76bd3d3b_uniq UNIQUE (app_label, model);

ALTER TABLE ONLY "Tenant-3".django_content_type
    ADD CONSTRAINT django_content_type_pkey PRIMARY KEY (id);

ALTER TABLE ONLY "Tenant-3".django_migrations
    ADD CONSTRAINT django_migrations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY "Tenant-3".shop_category
    ADD CONSTRAINT shop_category_name_key UNIQUE (name);

ALTER TABLE ONLY "Tenant-3".shop_category
    ADD CONSTRAINT shop_category_pkey PRIMARY KEY (id);

ALTER TABLE ONLY "Tenant-3".shop_product
    ADD CONSTRAINT shop_product_pkey PRIMARY KEY (id);

ALTER TABLE ONLY "Tenant-3".shop_supplier
    ADD CONSTRAINT shop_supplier_pkey PRIMARY KEY (id);

ALTER TABLE ONLY "Tenant-3".shop_supplier_products
    ADD CONSTRAINT shop_supplier_products_pkey PRIMARY KEY (id);

ALTER TABLE ONLY "Tenant-3".shop_supplier_products
    ADD CONSTRAINT shop_supplier_products_supplier_id_product_id_c034f9fd_uniq UNIQUE (supplier_id, product_id);

ALTER TABLE ONLY public.customers_client
    ADD CONSTRAINT customers_client_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.customers_client
    ADD CONSTRAINT customers_client_schema_name_key UNIQUE (schema_name);

ALTER TABLE ONLY public.customers_domain
    ADD CONSTRAINT customers_domain_domain_key UNIQUE (domain);

ALTER TABLE ONLY public.customers_domain
    ADD CONSTRAINT customers_domain_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.customers_plan
    ADD CONSTRAINT customers_plan_name_key UNIQUE (name);

ALTER TABLE ONLY public.customers_plan
    ADD CONSTRAINT customers_plan_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.django_migrations
    ADD CONSTRAINT django_migrations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY tenant1.django_content_type
    ADD CONSTRAINT django_content_type_app_label_model_76bd3d3b_uniq UNIQUE (app_label, model);

ALTER TABLE ONLY tenant1.django_content_type
    ADD CONSTRAINT django_content_type_pkey PRIMARY KEY (id);

ALTER TABLE ONLY tenant1.django_migrations
    ADD CONSTRAINT django_migrations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY tenant1.shop_category
    ADD CONSTRAINT shop_category_name_key UNIQUE (name);

ALTER TABLE ONLY tenant1.shop_category
    ADD CONSTRAINT shop_category_pkey PRIMARY KEY (id);

ALTER TABLE ONLY tenant1.shop_product
    ADD CONSTRAINT shop_product_pkey PRIMARY KEY (id);

ALTER TABLE ONLY tenant1.shop_supplier
    ADD CONSTRAINT shop_supplier_pkey PRIMARY KEY (id);

ALTER TABLE ONLY tenant1.shop_supplier_products
    ADD CONSTRAINT shop_supplier_products_pkey PRIMARY KEY (id);

ALTER TABLE ONLY tenant1.shop_supplier_products
    ADD CONSTRAINT shop_supplier_products_supplier_id_product_id_c034f9fd_uniq UNIQUE (supplier_id, product_id);

ALTER TABLE ONLY tenant2.django_content_type
    ADD CONSTRAINT django_content_type_app_label_model_76bd3d3b_uniq UNIQUE (app_label, model);

ALTER TABLE ONLY tenant2.django_content_type
    ADD CONSTRAINT django_content_type_pkey PRIMARY KEY (id);

ALTER TABLE ONLY tenant2.django_migrations
    ADD CONSTRAINT django_migrations_pkey PRIMARY KEY (id);

ALTER TABLE ONLY tenant2.shop_category
    ADD CONSTRAINT shop_category_name_key UNIQUE (name);

ALTER TABLE ONLY tenant2.shop_category
    ADD CONSTRAINT shop_category_pkey PRIMARY KEY (id);

ALTER TABLE ONLY tenant2.shop_product
    ADD CONSTRAINT shop_product_pkey PRIMARY KEY (id);

CREATE INDEX shop_category_name_11b68823_like ON "Tenant-3".shop_category USING btree (name varchar_pattern_ops);

CREATE INDEX shop_product_category_id_14d7eea8 ON "Tenant-3".shop_product USING btree (category_id);

CREATE INDEX shop_product_name_b8d5e94c ON "Tenant-3".shop_product USING btree (name);

CREATE INDEX shop_product_name_b8d5e94c_like ON "Tenant-3".shop_product USING btree (name varchar_pattern_ops);

CREATE INDEX shop_product_plan_id_714e5669 ON "Tenant-3".shop_product USING btree (plan_id);

CREATE INDEX shop_supplier_products_product_id_eff2ba2e ON "Tenant-3".shop_supplier_products USING btree (product_id);

CREATE INDEX shop_supplier_products_supplier_id_89a59f03 ON "Tenant-3".shop_supplier_products USING btree (supplier_id);

CREATE INDEX customers_client_schema_name_e47dad99_like ON public.customers_client USING btree (schema_name varchar_pattern_ops);

CREATE INDEX customers_domain_domain_0e968586_like ON public.customers_domain USING btree (domain varchar_pattern_ops);

CREATE INDEX customers_domain_is_primary_73aefb26 ON public.customers_domain USING btree (is_primary);

CREATE INDEX customers_domain_tenant_id_82b7fe24 ON public.customers_domain USING btree (tenant_id);

CREATE INDEX customers_plan_name_36650545_like ON public.customers_plan USING btree (name varchar_pattern_ops);

CREATE INDEX shop_category_name_11b68823_like ON tenant1.shop_category USING btree (name varchar_pattern_ops);

CREATE INDEX shop_product_category_id_14d7eea8 ON tenant1.shop_product USING btree (category_id);

CREATE INDEX shop_product_name_b8d5e94c ON tenant1.shop_product USING btree (name);

CREATE INDEX shop_product_name_b8d5e94c_like ON tenant1.shop_product USING btree (name varchar_pattern_ops);

CREATE INDEX shop_product_plan_id_714e5669 ON tenant1.shop_product USING btree (plan_id);

CREATE INDEX shop_supplier_products_product_id_eff2ba2e ON tenant1.shop_supplier_products USING btree (product_id);

CREATE INDEX shop_supplier_products_supplier_id_89a59f03 ON tenant1.shop_supplier_products USING btree (supplier_id);

CREATE INDEX shop_category_name_11b68823_like ON tenant2.shop_category USING btree (name varchar_pattern_ops);

CREATE INDEX shop_product_category_id_14d7eea8 ON tenant2.shop_product USING btree (category_id);

CREATE INDEX shop_product_name_b8d5e94c ON tenant2.shop_product USING btree (name);

CREATE INDEX shop_product_name_b8d5e94c_like ON tenant2.shop_product USING btree (name varchar_pattern_ops);

CREATE INDEX shop_product_plan_id_714e5669 ON tenant2.shop_product USING btree (plan_id);

ALTER TABLE ONLY "Tenant-3".shop_product
    ADD CONSTRAINT shop_product_category_id_14d7eea8_fk_shop_category_id FOREIGN KEY (category_id) REFERENCES "Tenant-3".shop_category(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY "Tenant-3".shop_product
    ADD CONSTRAINT shop_product_plan_id_714e5669_fk_customers_plan_id FOREIGN KEY (plan_id) REFERENCES public.customers_plan(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY "Tenant-3".shop_supplier_products
    ADD CONSTRAINT shop_supplier_products_product_id_eff2ba2e_fk_shop_product_id FOREIGN KEY (product_id) REFERENCES "Tenant-3".shop_product(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY "Tenant-3".shop_supplier_products
    ADD CONSTRAINT shop_supplier_products_supplier_id_89a59f03_fk_shop_supplier_id FOREIGN KEY (supplier_id) REFERENCES "Tenant-3".shop_supplier(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.customers_domain
    ADD CONSTRAINT customers_domain_tenant_id_82b7fe24_fk_customers_client_id FOREIGN KEY (tenant_id) REFERENCES public.customers_client(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY tenant1.shop_product
    ADD CONSTRAINT shop_product_category_id_14d7eea8_fk_shop_category_id FOREIGN KEY (category_id) REFERENCES tenant1.shop_category(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY tenant1.shop_product
    ADD CONSTRAINT shop_product_plan_id_714e5669_fk_customers_plan_id FOREIGN KEY (plan_id) REFERENCES public.customers_plan(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY tenant1.shop_supplier_products
    ADD CONSTRAINT shop_supplier_products_product_id_eff2ba2e_fk_shop_product_id FOREIGN KEY (product_id) REFERENCES tenant1.shop_product(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY tenant1.shop_supplier_products
    ADD CONSTRAINT shop_supplier_products_supplier_id_89a59f03_fk_shop_supplier_id FOREIGN KEY (supplier_id) REFERENCES tenant1.shop_supplier(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY tenant2.shop_product
    ADD CONSTRAINT shop_product_category_id_14d7eea8_fk_shop_category_id FOREIGN KEY (category_id) REFERENCES tenant2.shop_category(id) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY tenant2.shop_product
    ADD CONSTRAINT shop_product_plan_id_714e5669_fk_customers_plan_id FOREIGN KEY (plan_id) REFERENCES public.customers_plan(id) DEFERRABLE INITIALLY DEFERRED;


BEGIN;
--
-- Create model Client
--
CREATE TABLE "customers_client" ("id" serial NOT NULL PRIMARY KEY, "schema_name" varchar(63) NOT NULL UNIQUE, "name" varchar(100) NOT NULL, "paid_until" date NULL, "on_trial" boolean NOT NULL, "created_on" date NOT NULL);
--
-- Create model Plan
--
CREATE TABLE "customers_plan" ("id" serial NOT NULL PRIMARY KEY, "name" varchar(50) NOT NULL UNIQUE);
--
-- Create model Domain
--
CREATE TABLE "customers_domain" ("id" serial NOT NULL PRIMARY KEY, "domain" varchar(253) NOT NULL UNIQUE, "is_primary" boolean NOT NULL, "tenant_id" integer NOT NULL);
CREATE INDEX "customers_client_schema_name_e47dad99_like" ON "customers_client" ("schema_name" varchar_pattern_ops);
CREATE INDEX "customers_plan_name_36650545_like" ON "customers_plan" ("name" varchar_pattern_ops);
ALTER TABLE "customers_domain" ADD CONSTRAINT "customers_domain_tenant_id_82b7fe24_fk_customers_client_id" FOREIGN KEY ("tenant_id") REFERENCES "customers_client" ("id") DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX "customers_domain_domain_0e968586_like" ON "customers_domain" ("domain" varchar_pattern_ops);
CREATE INDEX "customers_domain_is_primary_73aefb26" ON "customers_domain" ("is_primary");
CREATE INDEX "customers_domain_tenant_id_82b7fe24" ON "customers_domain" ("tenant_id");
COMMIT;

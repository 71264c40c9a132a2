BEGIN;
--
-- Create model Client
--
CREATE TABLE "customers_client" ("id" serial NOT NULL PRIMARY KEY, "domain_url" varchar(128) NOT NULL UNIQUE, "schema_name" varchar(63) NOT NULL UNIQUE, "name" varchar(100) NOT NULL, "paid_until" date NULL, "on_trial" boolean NOT NULL, "created_on" date NOT NULL);
--
-- Create model Plan
--
CREATE TABLE "customers_plan" ("id" serial NOT NULL PRIMARY KEY, "name" varchar(50) NOT NULL UNIQUE);
CREATE INDEX "customers_client_domain_url_842744eb_like" ON "customers_client" ("domain_url" varchar_pattern_ops);
CREATE INDEX "customers_client_schema_name_e47dad99_like" ON "customers_client" ("schema_name" varchar_pattern_ops);
CREATE INDEX "customers_plan_name_36650545_like" ON "customers_plan" ("name" varchar_pattern_ops);
COMMIT;

BEGIN;
--
-- Create model Category
--
CREATE TABLE "shop_category" ("id" serial NOT NULL PRIMARY KEY, "name" varchar(100) NOT NULL UNIQUE);
--
-- Create model Product
--
CREATE TABLE "shop_product" ("id" serial NOT NULL PRIMARY KEY, "name" varchar(200) NOT NULL, "price" numeric(10, 2) NOT NULL, "category_id" integer NOT NULL, "plan_id" integer NULL);
CREATE INDEX "shop_category_name_11b68823_like" ON "shop_category" ("name" varchar_pattern_ops);
ALTER TABLE "shop_product" ADD CONSTRAINT "shop_product_category_id_14d7eea8_fk_shop_category_id" FOREIGN KEY ("category_id") REFERENCES "shop_category" ("id") DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "shop_product" ADD CONSTRAINT "shop_product_plan_id_714e5669_fk_customers_plan_id" FOREIGN KEY ("plan_id") REFERENCES "customers_plan" ("id") DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX "shop_product_name_b8d5e94c" ON "shop_product" ("name");
CREATE INDEX "shop_product_name_b8d5e94c_like" ON "shop_product" ("name" varchar_pattern_ops);
CREATE INDEX "shop_product_category_id_14d7eea8" ON "shop_product" ("category_id");
CREATE INDEX "shop_product_plan_id_714e5669" ON "shop_product" ("plan_id");
COMMIT;

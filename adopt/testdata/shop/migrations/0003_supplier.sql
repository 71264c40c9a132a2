BEGIN;
--
-- Create model Supplier
--
CREATE TABLE "shop_supplier" ("id" serial NOT NULL PRIMARY KEY, "name" varchar(100) NOT NULL);
CREATE TABLE "shop_supplier_products" ("id" serial NOT NULL PRIMARY KEY, "supplier_id" integer NOT NULL, "product_id" integer NOT NULL);
ALTER TABLE "shop_supplier_products" ADD CONSTRAINT "shop_supplier_products_supplier_id_product_id_c034f9fd_uniq" UNIQUE ("supplier_id", "product_id");
ALTER TABLE "shop_supplier_products" ADD CONSTRAINT "shop_supplier_products_supplier_id_89a59f03_fk_shop_supplier_id" FOREIGN KEY ("supplier_id") REFERENCES "shop_supplier" ("id") DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE "shop_supplier_products" ADD CONSTRAINT "shop_supplier_products_product_id_eff2ba2e_fk_shop_product_id" FOREIGN KEY ("product_id") REFERENCES "shop_product" ("id") DEFERRABLE INITIALLY DEFERRED;
CREATE INDEX "shop_supplier_products_supplier_id_89a59f03" ON "shop_supplier_products" ("supplier_id");
CREATE INDEX "shop_supplier_products_product_id_eff2ba2e" ON "shop_supplier_products" ("product_id");
COMMIT;

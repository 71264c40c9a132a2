-- name: AddProducts :copyfrom
INSERT INTO products (name, stock) VALUES (@name, @stock);

-- name: ListProducts :many
SELECT id, name, stock FROM products ORDER BY id;

-- name: TakeFromStock :one
UPDATE products SET stock = stock - @quantity::integer WHERE id = @id RETURNING stock;

-- name: Restock :batchone
UPDATE products SET stock = stock + @quantity::integer WHERE id = @id RETURNING stock;

-- name: AddOrder :one
INSERT INTO orders (product_id, quantity) VALUES (@product_id, @quantity) RETURNING *;

-- name: ListOrders :many
SELECT orders.id, products.name, orders.quantity, orders.status
FROM orders
JOIN products ON products.id = orders.product_id
WHERE orders.status = ANY(@statuses::order_status[])
ORDER BY orders.id;

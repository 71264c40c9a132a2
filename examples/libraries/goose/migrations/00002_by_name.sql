-- +goose NO TRANSACTION

-- +goose Up
CREATE INDEX CONCURRENTLY authors_by_name ON authors (name);

-- +goose Down
DROP INDEX CONCURRENTLY authors_by_name;

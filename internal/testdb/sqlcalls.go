package testdb

import (
	"context"
	"database/sql"
	"errors"
)

// SQLCalls are the ways of database/sql to write a row, each into the table things of the
// schema that ctx leads to: its column name has a default for the others.
func SQLCalls(ctx context.Context, db *sql.DB) map[string]func() error {
	const insert = "INSERT INTO things VALUES ($1) RETURNING name"
	var name string
	return map[string]func() error{
		"Exec":      func() error { _, err := db.ExecContext(ctx, insert, "x"); return err },
		"Exec text": func() error { _, err := db.ExecContext(ctx, "INSERT INTO things VALUES ('x')"); return err },
		"QueryRow":  func() error { return db.QueryRowContext(ctx, insert, "x").Scan(&name) },
		"Query": func() error {
			rows, err := db.QueryContext(ctx, insert, "x")
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				if err := rows.Scan(&name); err != nil {
					return err
				}
			}
			return rows.Err()
		},
		"Stmt": func() error {
			stmt, err := db.PrepareContext(ctx, insert)
			if err != nil {
				return err
			}
			defer stmt.Close()
			_, err = stmt.ExecContext(ctx, "x")
			return err
		},
		"Begin": func() error {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, insert, "x")
			return errors.Join(err, tx.Commit())
		},
		"Conn": func() error {
			conn, err := db.Conn(ctx)
			if err != nil {
				return err
			}
			_, err = conn.ExecContext(ctx, insert, "x")
			return errors.Join(err, conn.Close())
		},
	}
}

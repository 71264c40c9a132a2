package main

import (
	"context"
	"database/sql"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/cotenant/cotenant/pgxtenant"
	"github.com/cotenant/cotenant/sqltenant"
)

// sqlQualified is the limit for database/sql.
func sqlQualified() way {
	return way{"database/sql, schema-qualified names", plainSQL(func(db *sql.DB, s *shop, statement int, key int64) error {
		return s.checkSQL(db.QueryContext(s.ctx, s.qualified[statement], key))
	})}
}

// sqlHandWritten is what people write: the path must be set on the connection that the
// query then takes.
func sqlHandWritten() way {
	return way{"database/sql, by hand: SET on a sql.Conn", plainSQL(func(db *sql.DB, s *shop, statement int, key int64) error {
		conn, err := db.Conn(s.ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		if _, err := conn.ExecContext(s.ctx, s.set); err != nil {
			return err
		}
		return s.checkSQL(conn.QueryContext(s.ctx, s.unqualified[statement], key))
	})}
}

// sqlSetLocal is right behind any pooler.
func sqlSetLocal() way {
	return way{"database/sql, by hand: BEGIN, SET LOCAL, query, COMMIT", plainSQL(func(db *sql.DB, s *shop, statement int, key int64) error {
		tx, err := db.BeginTx(s.ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		if _, err := tx.ExecContext(s.ctx, s.setLocal); err != nil {
			return err
		}
		if err := s.checkSQL(tx.QueryContext(s.ctx, s.unqualified[statement], key)); err != nil {
			return err
		}
		return tx.Commit()
	})}
}

// plainSQL is a way that needs a database of pgx's stdlib only.
func plainSQL(query func(*sql.DB, *shop, int, int64) error) func(context.Context, *pgxpool.Config) (*opened, error) {
	return func(_ context.Context, config *pgxpool.Config) (*opened, error) {
		db := stdlib.OpenDB(*config.ConnConfig)
		db.SetMaxOpenConns(int(config.MaxConns))
		db.SetMaxIdleConns(int(config.MaxConns))
		return &opened{
			query: func(s *shop, statement int, key int64) error { return query(db, s, statement, key) },
			close: func() { _ = db.Close() },
		}, nil
	}
}

// oursSQL is database/sql over pgxtenant.DB.
func oursSQL(mode pgxtenant.Mode) way {
	return way{"database/sql over cotenant, " + mode.String(), func(ctx context.Context, config *pgxpool.Config) (*opened, error) {
		db, err := openOurs(ctx, config, mode)
		if err != nil {
			return nil, err
		}
		std := sqltenant.OpenDB(db)
		return &opened{
			query: func(s *shop, statement int, key int64) error {
				return s.checkSQL(std.QueryContext(s.ctx, s.unqualified[statement], key))
			},
			close: func() {
				_ = std.Close()
				db.Close()
			},
		}, nil
	}}
}

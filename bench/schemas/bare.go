package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant/migrate"
)

// script is a transaction that was seen on the wire, in one schema, to be sent again for
// others.
type script struct {
	of         schema
	statements []sent
}

// observe has cotenant come to the next round in a schema of its own, and returns what
// it sent there for it: the lock, the check, the history's row and the version's are
// among that.
func (b *bench) observe(ctx context.Context, probe *fleet, dir string, round int) (*script, error) {
	tap := &tap{}
	t, err := open(ctx, probe.url, dir, tap)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	if err := migrateAll(ctx, t, &migrate.RunOptions{Jobs: 1}, 1); err != nil {
		return nil, err
	}
	s := &script{of: probe.schemas[0], statements: transactionOf(tap.take(), addColumnSQL(round))}
	if s.statements == nil {
		return nil, fmt.Errorf("no transaction with %q was sent", addColumnSQL(round))
	}
	return s, nil
}

// batch is the script for another schema.
func (s *script) batch(to schema) *pgconn.Batch {
	batch := &pgconn.Batch{}
	for _, one := range s.statements {
		values := make([][]byte, len(one.bind.Parameters))
		for i, value := range one.bind.Parameters {
			if value != nil {
				values[i] = []byte(s.translate(string(value), to))
			}
		}
		batch.ExecParams(strings.ReplaceAll(one.sql, s.of.Name, to.Name), values, one.parse.ParameterOIDs, one.bind.ParameterFormatCodes, one.bind.ResultFormatCodes)
	}
	return batch
}

// idBits are those of a lock's key that have the tenant's id.
const idBits = 1<<48 - 1

// translate returns a value for another schema: its name, its OID, the id of its tenant,
// and keys with that id in them. The first ids are chosen so that no other number is
// taken for one.
func (s *script) translate(value string, to schema) string {
	n, err := strconv.ParseInt(value, 10, 64)
	switch {
	case err != nil:
		return strings.ReplaceAll(value, s.of.Name, to.Name)
	case n == int64(s.of.OID):
		return strconv.FormatInt(int64(to.OID), 10)
	case n&idBits == s.of.ID:
		return strconv.FormatInt(n-s.of.ID+to.ID, 10)
	}
	return value
}

// bare is a turn of bare pgx: a transaction for each schema, sent in one go.
func bare(ctx context.Context, b *bench, f *fleet, _ string, _ int) (time.Duration, error) {
	return timed(func() error {
		return each(ctx, f.schemas, b.jobs, func(ctx context.Context) (worker, error) {
			conn, err := pgconn.Connect(ctx, f.url)
			if err != nil {
				return worker{}, err
			}
			return worker{
				do: func(ctx context.Context, s schema) error {
					return conn.ExecBatch(ctx, b.scripts[f.round].batch(s)).Close()
				},
				close: func() { _ = conn.Close(context.WithoutCancel(ctx)) },
			}, nil
		})
	})
}

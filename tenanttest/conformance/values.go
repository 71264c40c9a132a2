package conformance

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant/tenant"
)

// valueTraps are values and errors that come out otherwise once a statement is
// known, or because something of ours went out with it.
func valueTraps() []trap {
	return []trap{
		{"values are those of the first execution", valuesStay},
		{"errors are those of the first execution", errorsStay},
		{"errors point to the application's text", errorsPoint},
	}
}

// often is enough for a statement to be prepared, and for PostgreSQL to plan it for
// good.
const often = 7

func valuesStay(tr *trial) {
	west := time.FixedZone("west", -5*60*60)
	for _, c := range []struct {
		sql   string
		value any
	}{
		{"SELECT $1::date::text", time.Date(2024, 3, 1, 22, 0, 0, 0, west)},
		{"SELECT $1::timestamptz::text", time.Date(2024, 3, 1, 22, 0, 0, 0, west)},
		{"SELECT $1::timestamp::text", time.Date(2024, 3, 1, 22, 0, 0, 0, west)},
		{"SELECT $1::jsonb::text", map[string]any{"a": 1, "b": []any{"x"}}},
		{"SELECT $1::jsonb::text", struct{ A, B int }{1, 2}},
		{"SELECT $1::uuid::text", [16]byte{1, 2, 3}},
		{"SELECT $1::bytea::text", []byte{0, 1, 255}},
		{"SELECT $1::numeric::text", "1.50"},
		{"SELECT $1::bigint::text", int64(1) << 40},
		{"SELECT $1::float8::text", 0.1},
		{"SELECT $1::interval::text", 90 * time.Minute},
		{"SELECT $1::text", "O'Neil \\ */ -- $1"},
		{"SELECT $1::int::text", "no number"},
		{"SELECT ($1::text IS NULL)::text", nil},
	} {
		var first string
		for i := range often {
			for _, t := range []*tenant.Tenant{tr.a, tr.b} {
				value, err := one[string](tr.as(t), tr, c.sql, c.value)
				got := fmt.Sprintf("%s, %s, %t", value, sqlstate(err), err != nil)
				if first == "" {
					first = got
				}
				if got != first {
					tr.Errorf("%s with %v, execution %d of %v: %s (%v); the first was %s", c.sql, c.value, i+1, t, got, err, first)
				}
			}
		}
	}
}

// failing are statements that fail, with their SQLSTATE.
func failing() map[string]string {
	return map[string]string{
		"SELECT 1/0":                         "22012",
		"SELECT owner FROM nowhere":          "42P01",
		"SELECT nothing FROM things":         "42703",
		"SELEC 1":                            "42601",
		"SELECT 'x'::mood":                   "22P02",
		"INSERT INTO things VALUES (NULL)":   "23502",
		"SELECT owner FROM things WHERE n/n": "42804",
	}
}

func errorsStay(tr *trial) {
	for sql, want := range failing() {
		for i := range often {
			for _, t := range []*tenant.Tenant{tr.a, tr.b} {
				_, err := tr.Exec(tr.as(t), sql)
				if got := sqlstate(err); got != want {
					tr.Errorf("%s, execution %d of %v: %v; want %s", sql, i+1, t, err, want)
				}
				if err := tr.Query(tr.as(t), func(scan func(...any) error) error { return nil }, sql); sqlstate(err) != want {
					tr.Errorf("%s, query %d of %v: %v; want %s", sql, i+1, t, err, want)
				}
			}
		}
	}
	tr.owns(tr, tr.a)
}

func errorsPoint(tr *trial) {
	prefix := "SET search_path TO " + tr.a.Schema.String() + "; "
	before := int32(len(prefix)) //nolint:gosec // a few bytes
	for sql := range failing() {
		_, plain := tr.town.plain.Exec(tr.ctx, prefix+sql, pgx.QueryExecModeSimpleProtocol)
		_, err := tr.Exec(tr.as(tr.a), sql)
		var want *pgconn.PgError
		message, at, ok := complaint(err)
		if !errors.As(plain, &want) || !ok {
			tr.Errorf("%s: %v; plain: %v", sql, err, plain)
			continue
		}
		if position := max(0, want.Position-before); at != position || message != want.Message {
			tr.Errorf("%s: %q at %d; want %q at %d", sql, message, at, want.Message, position)
		}
	}
	tr.plain("DISCARD ALL")
}

// complaint returns the server's message, and where in the text it points to: of pgx's
// error, or of one that gives out the fields of the protocol, as lib/pq's does.
func complaint(err error) (message string, at int32, ok bool) {
	var pgErr *pgconn.PgError
	var fields interface{ Get(field byte) string }
	switch {
	case errors.As(err, &pgErr):
		return pgErr.Message, pgErr.Position, true
	case errors.As(err, &fields):
		n, _ := strconv.ParseInt(fields.Get('P'), 10, 32) // 0 if it points nowhere
		return fields.Get('M'), int32(n), true
	}
	return "", 0, false
}

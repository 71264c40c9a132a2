package pgxtenant

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// typesSQL finds the types of the names in $1 on the path, their arrays, and all
// that they are made of, the innermost first. pgx's own LoadTypes looks through the
// types of all schemas for that.
const typesSQL = `
WITH RECURSIVE needed (oid, depth) AS (
	SELECT CASE WHEN t.typarray <> 0 THEN t.typarray ELSE t.oid END, 0
	FROM unnest($1::text[]) AS name JOIN pg_catalog.pg_type AS t ON t.oid = pg_catalog.to_regtype(name)
UNION
	SELECT part.oid, depth + 1
	FROM needed JOIN pg_catalog.pg_type AS t ON t.oid = needed.oid
	CROSS JOIN LATERAL (
		SELECT t.typelem WHERE t.typcategory = 'A' AND t.typelem <> 0
		UNION ALL SELECT t.typbasetype WHERE t.typtype = 'd'
		UNION ALL SELECT atttypid FROM pg_catalog.pg_attribute WHERE t.typtype = 'c' AND attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped
		UNION ALL SELECT rngsubtype FROM pg_catalog.pg_range WHERE rngtypid = t.oid
		UNION ALL SELECT rngtypid FROM pg_catalog.pg_range WHERE rngmultitypid = t.oid
	) AS part (oid)
)
SELECT t.oid, n.nspname || '.' || t.typname, CASE WHEN t.typcategory = 'A' THEN 'a' ELSE t.typtype::text END, t.typdelim::text,
	CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE coalesce(r.rngsubtype, m.rngtypid, t.typelem) END,
	f.names, f.types
FROM (SELECT oid, max(depth) AS depth FROM needed GROUP BY oid) AS needed
JOIN pg_catalog.pg_type AS t USING (oid)
JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_range AS r ON r.rngtypid = t.oid
LEFT JOIN pg_catalog.pg_range AS m ON m.rngmultitypid = t.oid
CROSS JOIN LATERAL (
	SELECT array_agg(attname::text ORDER BY attnum), array_agg(atttypid ORDER BY attnum)
	FROM pg_catalog.pg_attribute WHERE t.typtype = 'c' AND attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped
) AS f (names, types)
WHERE n.nspname <> 'pg_catalog' AND (t.typtype <> 'b' OR t.typcategory = 'A')
ORDER BY needed.depth DESC`

// foundType is a row of typesSQL.
type foundType struct {
	OID        uint32
	Name       string // with its schema
	Kind       string // pg_type.typtype, or a for an array
	Delimiter  string
	Of         uint32 // what an array, a domain or a range is of
	Fields     []string
	FieldTypes []uint32
}

// loadTypes teaches the connection the types of Config.Types that are on the
// owner's path. They are known by OID, so those of other tenants stay.
func (s *session) loadTypes(ctx context.Context) error {
	rows, err := s.conn.Query(ctx, typesSQL, pgx.QueryExecModeExec, s.db.config.Types)
	if err != nil {
		return fmt.Errorf("%v: load the types of Config.Types: %w", s.owner, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[foundType])
	if err != nil {
		return fmt.Errorf("%v: load the types of Config.Types: %w", s.owner, err)
	}
	types := s.conn.TypeMap()
	for _, f := range found {
		codec, err := f.codec(types)
		if err != nil {
			return fmt.Errorf("%v: load the types of Config.Types: %s: %w", s.owner, f.Name, err)
		}
		types.RegisterType(&pgtype.Type{Name: f.Name, OID: f.OID, Codec: codec})
	}
	s.place.types = true
	return nil
}

// codec returns what reads and writes the type, given those that it is made of.
func (f foundType) codec(types *pgtype.Map) (pgtype.Codec, error) {
	switch f.Kind {
	case "e":
		return &pgtype.EnumCodec{}, nil
	case "c":
		codec := &pgtype.CompositeCodec{}
		for i, name := range f.Fields {
			t, err := known(types, f.FieldTypes[i])
			if err != nil {
				return nil, fmt.Errorf("field %s: %w", name, err)
			}
			codec.Fields = append(codec.Fields, pgtype.CompositeCodecField{Name: name, Type: t})
		}
		return codec, nil
	}
	of, err := known(types, f.Of)
	if err != nil {
		return nil, err
	}
	switch f.Kind {
	case "a":
		return &pgtype.ArrayCodec{ElementType: of, Delimiter: f.Delimiter[0]}, nil
	case "d":
		return of.Codec, nil
	case "r":
		return &pgtype.RangeCodec{ElementType: of}, nil
	case "m":
		return &pgtype.MultirangeCodec{ElementType: of}, nil
	}
	return nil, fmt.Errorf("a type of kind %q is not supported (leave it out of Config.Types)", f.Kind)
}

// known returns the type of an OID.
func known(types *pgtype.Map, oid uint32) (*pgtype.Type, error) {
	if t, ok := types.TypeForOID(oid); ok {
		return t, nil
	}
	return nil, fmt.Errorf("it is made of a type that pgx does not know, of OID %d (register that in pgxpool.Config.AfterConnect)", oid)
}

package registry

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cotenant/cotenant/tenant"
)

// Decode reads the columns of t's row into a struct: each field whose db tag
// names a column, of any type that pgx scans that column into. Embedded structs
// are read as well; fields without a tag, or with db:"-", are left alone.
//
//	type Client struct {
//		Name      string     `db:"name"`
//		PaidUntil *time.Time `db:"paid_until"`
//	}
//	client, err := registry.Decode[Client](t)
//
// An error says which column is missing, or is NULL where the field is no
// pointer, or does not fit the field.
func Decode[T any](t *tenant.Tenant) (T, error) {
	var dst T
	v := reflect.ValueOf(&dst).Elem()
	if t == nil {
		return dst, errors.New("decode: the tenant is nil")
	}
	if v.Kind() != reflect.Struct {
		return dst, fmt.Errorf("decode %v: %T is not a struct", t, dst)
	}
	if err := decodeStruct(t, pgtype.NewMap(), v); err != nil {
		var zero T
		return zero, fmt.Errorf("decode %v: %w", t, err)
	}
	return dst, nil
}

func decodeStruct(t *tenant.Tenant, types *pgtype.Map, v reflect.Value) error {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		column, tagged := field.Tag.Lookup("db")
		switch {
		case column == "-":
			continue
		case !tagged && field.Anonymous && field.Type.Kind() == reflect.Struct:
			if err := decodeStruct(t, types, v.Field(i)); err != nil {
				return err
			}
			continue
		case !tagged:
			continue
		case !field.IsExported():
			return fmt.Errorf("field %s has a db tag but is not exported", field.Name)
		}
		c, ok := columnOf(t, column)
		if !ok {
			return fmt.Errorf("the table has no column %q (field %s)", column, field.Name)
		}
		if err := types.Scan(c.TypeOID, pgtype.TextFormatCode, c.Text, v.Field(i).Addr().Interface()); err != nil {
			if c.Text == nil {
				return fmt.Errorf("column %q is NULL, and field %s is a %s (make it a pointer, or a type that takes NULL)", column, field.Name, field.Type)
			}
			return fmt.Errorf("column %q into field %s %s: %w", column, field.Name, field.Type, err)
		}
	}
	return nil
}

// columnOf returns a column of t's row, ours included.
func columnOf(t *tenant.Tenant, name string) (tenant.Column, bool) {
	c := tenant.Column{Name: name, TypeOID: pgtype.TextOID}
	switch name {
	case "id":
		c.TypeOID, c.Text = pgtype.Int8OID, strconv.AppendInt(nil, t.ID, 10)
	case "schema_name":
		c.Text = []byte(t.Schema.String())
	case "status":
		c.Text = []byte(t.Status)
	case "created_at":
		c.TypeOID, c.Text = pgtype.TimestamptzOID, t.CreatedAt.AppendFormat(nil, "2006-01-02 15:04:05.999999Z07:00")
	default:
		return t.Fields.Lookup(name)
	}
	return c, true
}

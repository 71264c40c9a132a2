package tenant

import (
	"database/sql/driver"
	"fmt"
	"strings"
)

// MaxSchemaLength is the length of the longest schema name, in bytes: one less
// than PostgreSQL's NAMEDATALEN (PostgreSQL manual, 4.1.1 "Identifiers and Key
// Words"). PostgreSQL truncates longer names without an error, so that two of
// them can meet; ParseSchema refuses them.
const MaxSchemaLength = 63

const publicName = "public"

// Schema is the validated name of a PostgreSQL schema. Values come from
// ParseSchema or PublicSchema only, so a bare string cannot be taken for one.
// The zero value names no schema. Schemas are comparable; two names that differ
// only in case cannot both exist in one tenancy.
type Schema struct{ name string }

// PublicSchema returns the schema public.
func PublicSchema() Schema { return Schema{publicName} }

// ParseSchema validates the name of a schema: 1 to 63 bytes of ASCII letters,
// digits, '_' and '-'. Reserved are public in any other case, the prefix pg_
// and the name information_schema (PostgreSQL's own) and the prefix cotenant
// (ours), each in any case. The case of the letters is kept.
//
// The error wraps ErrInvalidSchema and says what to write instead.
func ParseSchema(name string) (Schema, error) {
	if fault := schemaFault(name); fault != "" {
		return Schema{}, fmt.Errorf("%w %q: %s", ErrInvalidSchema, clip(name), fault)
	}
	return Schema{name}, nil
}

// MustParseSchema is ParseSchema for names that are known to be good, such as
// constants. It panics where ParseSchema returns an error.
func MustParseSchema(name string) Schema {
	s, err := ParseSchema(name)
	if err != nil {
		panic(err)
	}
	return s
}

// schemaFault says what is wrong with name and what to write instead; it is
// empty for a good name.
func schemaFault(name string) string {
	lower := strings.ToLower(name)
	switch {
	case name == "":
		return "it is empty (use 1 to 63 ASCII letters, digits, '_' and '-')"
	case len(name) > MaxSchemaLength:
		return fmt.Sprintf("it has %d bytes, PostgreSQL keeps %d (use a shorter name)", len(name), MaxSchemaLength)
	case strings.HasPrefix(lower, "pg_"):
		return `names that start with "pg_" are PostgreSQL's (use another prefix)`
	case strings.HasPrefix(lower, "cotenant"):
		return `names that start with "cotenant" are cotenant's own (use another prefix)`
	case lower == "information_schema":
		return "it is PostgreSQL's (use another name)"
	case lower == publicName && name != publicName:
		return `it differs from "public" only in case (write "public" for the main site, or use another name)`
	}
	for _, r := range name {
		if !isSchemaRune(r) {
			return fmt.Sprintf("it contains %q (use ASCII letters, digits, '_' and '-' only)", r)
		}
	}
	return ""
}

func isSchemaRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-'
}

// clip shortens what a user wrote so that an error stays within a line.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// String returns the name as it is stored in the catalog, unquoted.
func (s Schema) String() string { return s.name }

// IsZero reports whether s names no schema.
func (s Schema) IsZero() bool { return s.name == "" }

// IsPublic reports whether s is the schema public.
func (s Schema) IsPublic() bool { return s.name == publicName }

// MarshalText returns the name, for JSON, flags and configuration files.
func (s Schema) MarshalText() ([]byte, error) { return []byte(s.name), nil }

// UnmarshalText is ParseSchema for JSON, flags and configuration files.
func (s *Schema) UnmarshalText(text []byte) error {
	parsed, err := ParseSchema(string(text))
	if err != nil {
		return err
	}
	*s = parsed
	return nil
}

// Scan reads a schema from a text column (database/sql.Scanner) and validates
// it. NULL becomes the zero Schema.
func (s *Schema) Scan(src any) error {
	switch src := src.(type) {
	case nil:
		*s = Schema{}
		return nil
	case string:
		return s.UnmarshalText([]byte(src))
	case []byte:
		return s.UnmarshalText(src)
	}
	return fmt.Errorf("%w: cannot scan a %T (select a text column)", ErrInvalidSchema, src)
}

// Value returns the name for a text column (database/sql/driver.Valuer); the
// zero Schema becomes NULL.
func (s Schema) Value() (driver.Value, error) {
	if s.IsZero() {
		return nil, nil
	}
	return s.name, nil
}

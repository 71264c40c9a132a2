package migrate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/tenant"
)

// selection is a Selection that was looked at.
type selection struct {
	public   bool
	tenants  bool
	wanted   []string // regular expressions; nil for all
	given    []string // the names and patterns that they are for
	unwanted []string // regular expressions
}

// check refuses what contradicts itself.
func (s *Selection) check() (*selection, error) {
	for _, name := range append(append([]string{}, s.Schemas...), s.Exclude...) {
		if name == "" {
			return nil, errors.New("schema: the name is empty (give a name, or a pattern such as acme*)")
		}
	}
	switch {
	case s.Shared && s.Tenant:
		return nil, errors.New("shared and tenant exclude each other (give one, or none for both)")
	case s.Shared && len(s.Schemas) > 0:
		return nil, errors.New("shared and schema exclude each other: the shared apps are in public (give one)")
	case s.Shared && s.SkipPublic:
		return nil, errors.New("shared and skip-public exclude each other: the shared apps are in public (give one)")
	}
	r := &selection{public: !s.Tenant && !s.SkipPublic && len(s.Schemas) == 0, tenants: !s.Shared}
	for _, name := range s.Schemas {
		if name == "public" {
			r.public = true
			continue
		}
		e, err := parsePattern(name)
		if err != nil {
			return nil, err
		}
		r.wanted, r.given = append(r.wanted, e), append(r.given, name)
	}
	if len(s.Schemas) > 0 && r.wanted == nil {
		r.tenants = false
	}
	return r, r.leaveOut(s)
}

// leaveOut takes out what is not wanted.
func (s *selection) leaveOut(o *Selection) error {
	named := slices.Contains(o.Schemas, "public")
	out := named && (o.SkipPublic || o.Tenant)
	for _, name := range o.Exclude {
		e, err := parsePattern(name)
		if err != nil {
			return err
		}
		s.unwanted = append(s.unwanted, e)
		if slices.Contains(s.given, name) {
			return fmt.Errorf("schema %s is selected, and left out (give one)", name)
		}
		if public, err := regexp.MatchString(e, "public"); err != nil {
			return fmt.Errorf("schema %q: it is no pattern (give a name, or a pattern such as acme*)", name)
		} else if public {
			out = out || named || o.Shared
			s.public = false
		}
	}
	if out {
		return errors.New("schema public is selected, and left out (give one)")
	}
	return nil
}

// isPattern reports whether a pattern has more than a name.
func isPattern(pattern string) bool { return strings.ContainsAny(pattern, `*?[\`) }

// parsePattern returns a pattern, or a name, as a regular expression that Go and
// PostgreSQL understand alike: * is anything, ? one character, [a-c] one of those, [^a-c]
// none of those, and \ takes the meaning from what follows.
func parsePattern(pattern string) (string, error) {
	if !isPattern(pattern) {
		_, err := tenant.ParseSchema(pattern)
		return "^" + regexp.QuoteMeta(pattern) + "$", err
	}
	bad := fmt.Errorf("schema %q: it is no pattern (give a name, or a pattern such as acme*)", pattern)
	if _, err := path.Match(pattern, ""); err != nil {
		return "", bad
	}
	var b strings.Builder
	b.WriteString("^")
	in := false // brackets
	for rest := []rune(pattern); len(rest) > 0; rest = rest[1:] {
		switch c := rest[0]; {
		case c == '\\':
			rest = rest[1:]
			b.WriteString(quoteRune(rest[0]))
		case in && c == ']':
			in = false
			b.WriteString("]")
		case in && c == '-':
			b.WriteString("-") // path.Match has it between two characters only
		case !in && c == '[':
			in = true
			b.WriteString("[")
			if rest[1] == '^' {
				rest = rest[1:]
				b.WriteString("^")
			}
		case !in && c == '*':
			b.WriteString(".*")
		case !in && c == '?':
			b.WriteString(".")
		default:
			b.WriteString(quoteRune(c))
		}
	}
	b.WriteString("$")
	if _, err := regexp.Compile(b.String()); err != nil { // [c-a]
		return "", bad
	}
	return b.String(), nil
}

// quoteRune takes the special meaning from a character, also within brackets.
func quoteRune(c rune) string {
	if c == '-' {
		return `\-`
	}
	return regexp.QuoteMeta(string(c))
}

// unmatched returns an error for a name that no tenant has, or a pattern that none
// matches.
func (c changer) unmatched(ctx context.Context, s *selection) error {
	if len(s.wanted) == 0 {
		return nil
	}
	var at int
	err := c.conn.QueryRow(ctx, "SELECT p.at FROM unnest($1::text[]) WITH ORDINALITY AS p (expression, at) WHERE NOT EXISTS (SELECT FROM "+
		c.config.TenantsTable.Sanitize()+" AS t WHERE t.schema_name ~ p.expression) ORDER BY 1 LIMIT 1", pgx.QueryExecModeExec, s.wanted).Scan(&at)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return c.tablesError(err)
	}
	name := s.given[at-1]
	rows, err := c.conn.Query(ctx, "SELECT t.schema_name FROM "+c.config.TenantsTable.Sanitize()+" AS t ORDER BY 1", pgx.QueryExecModeExec)
	if err != nil {
		return c.tablesError(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return c.tablesError(err)
	}
	return fmt.Errorf("schema %q: %w%s", name, tenant.ErrTenantNotFound, cmp.Or(nearest(name, all), " (there are no tenants)"))
}

// only and without are the regular expressions of what is wanted and of what is not; nil
// for all, and for nothing. Each is one for all names, since PostgreSQL keeps a few dozen
// of them compiled.
func (s *selection) only() *string    { return either(s.wanted) }
func (s *selection) without() *string { return either(s.unwanted) }

func either(expressions []string) *string {
	if len(expressions) == 0 {
		return nil
	}
	return new(strings.Join(expressions, "|"))
}

package manage

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// selected counts the tenants that are selected. A name that no tenant has, or a pattern that
// none matches, is an error. public counts also where it has no row, if it is named.
func (f *fanFlags) selected(ctx context.Context, tenancy *cotenant.Tenancy) (int, error) {
	s := &f.selection
	matched := make([]bool, len(s.Schemas))
	total := 0
	err := f.eachSelected(ctx, tenancy, func(t *tenant.Tenant) error {
		total++
		for i, pattern := range s.Schemas {
			matched[i] = matched[i] || matches(pattern, t.Schema.String())
		}
		return nil
	}, func(bad *registry.RowError) {
		total++
		for i, pattern := range s.Schemas {
			matched[i] = matched[i] || matches(pattern, bad.Schema)
		}
	})
	if err != nil {
		return 0, err
	}
	for i, pattern := range s.Schemas {
		if matched[i] {
			continue
		}
		if _, err := tenant.ParseSchema(pattern); err != nil {
			names, err := schemaNamesOf(ctx, tenancy)
			if err != nil {
				return 0, err
			}
			return 0, fmt.Errorf("schema %q: no tenant that is selected has such a one%s", pattern, didYouMeanOf(pattern, names, "make one with tenant create"))
		}
		t, err := tenantOf(ctx, tenancy, pattern)
		if err != nil {
			return 0, err
		}
		if name := t.Schema.String(); name != pattern {
			return 0, fmt.Errorf("schema %q: no tenant has it (did you mean %s?)", pattern, name)
		}
		return 0, usagef("schema %q is selected, and left out (give one)", pattern)
	}
	if total == 0 {
		return 0, errors.New("there are no tenants to run it for (make one with tenant create)")
	}
	return total, nil
}

// excluded returns an error for a name that no tenant has: with a typing error, what is not
// to be done to a schema would be done. A pattern may match nothing.
func excluded(ctx context.Context, tenancy *cotenant.Tenancy, names []string) error {
	for _, name := range names {
		schema, err := tenant.ParseSchema(name)
		if err != nil || schema.IsPublic() {
			continue
		}
		if _, err := tenancy.Registry().BySchema(ctx, schema); !errors.Is(err, tenant.ErrTenantNotFound) {
			continue // what else is wrong is told elsewhere
		}
		if _, err := tenantOf(ctx, tenancy, name); err != nil {
			return fmt.Errorf("--exclude: %w", err)
		}
	}
	return nil
}

// eachSelected calls do for each tenant that is selected, public first, since tenants' rows
// may refer to what all share, and the others in the order of their ids; and bad for each row
// that is selected, and is no good.
func (f *fanFlags) eachSelected(ctx context.Context, tenancy *cotenant.Tenancy, do func(*tenant.Tenant) error, bad func(*registry.RowError)) error {
	s := &f.selection
	public := tenant.PublicSchema().String()
	if takes(s, public) {
		t, err := tenantOrPublic(ctx, tenancy, public)
		_, isBad := errors.AsType[*registry.RowError](err)
		switch {
		case isBad: // it is among those below
		case err != nil:
			return err
		case t.ID == 0 && !f.publicToo && !slices.Contains(s.Schemas, public): // it has no row
		default:
			if err := do(t); err != nil {
				return err
			}
		}
	}
	for t, err := range tenancy.Registry().All(ctx) {
		if row, ok := errors.AsType[*registry.RowError](err); ok {
			if takes(s, row.Schema) {
				bad(row)
			}
			continue
		}
		if err != nil {
			return err
		}
		if !t.IsPublic() && takes(s, t.Schema.String()) {
			if err := do(t); err != nil {
				return err
			}
		}
	}
	return nil
}

// takes reports whether a tenant with this schema is selected.
func takes(s *migrate.Selection, schema string) bool {
	of := func(pattern string) bool { return matches(pattern, schema) }
	switch {
	case s.SkipPublic && schema == tenant.PublicSchema().String(), slices.ContainsFunc(s.Exclude, of):
		return false
	}
	return len(s.Schemas) == 0 || slices.ContainsFunc(s.Schemas, of)
}

// matches reports whether a schema has a name, or matches a pattern.
func matches(pattern, schema string) bool {
	ok, err := path.Match(pattern, schema)
	return err == nil && ok
}

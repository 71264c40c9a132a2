package demo

import (
	"context"
	"fmt"
	"slices"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/tenant"
)

// checkOurs refuses a database that has the tenancy of somebody else: the demo would add its
// columns to their tenants, and its tables to their schemas.
func checkOurs(ctx context.Context, tenancy *cotenant.Tenancy) error {
	status, err := tenancy.Fleet().VerifiedStatus(ctx, nil)
	if err != nil {
		return err
	}
	if what := foreign(status); what != "" {
		return fmt.Errorf("the database has a tenancy that is not the demo's: %s (name an empty one; or unset DATABASE_URL, and the demo starts a server of its own)", what)
	}
	return nil
}

// foreign says what the demo does not have; it is empty if there is nothing.
func foreign(status *migrate.Status) string {
	if len(status.Orphans) > 0 {
		return "schema " + status.Orphans[0]
	}
	for _, g := range status.Groups {
		for _, schema := range g.Schemas {
			if !slices.ContainsFunc(clients(), func(c client) bool { return tenant.MustParseSchema(c.schema) == schema }) {
				return "tenant " + schema.String()
			}
		}
		switch {
		case len(g.Unknown) > 0:
			return fmt.Sprintf("%v in schema %v", g.Unknown[0], g.Schemas[0])
		case g.State != migrate.Current && g.State != migrate.Behind && g.State != migrate.Missing:
			return fmt.Sprintf("schema %v: %v", g.Schemas[0], g.Err)
		}
	}
	return ""
}

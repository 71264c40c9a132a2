package manage

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/tenant"
)

// noTenancy returns err, or says that the database is no tenancy yet where that is why. The
// database is asked: a command of the program's own may miss another table.
func noTenancy(cmd *cobra.Command, tenancy *cotenant.Tenancy, err error) error {
	switch dberr.Code(err) {
	default:
		return err
	case dberr.UndefinedTable, dberr.InvalidSchemaName:
	}
	tenants, _ := tenancy.Registry().Tables()
	var there bool
	asked := tenancy.DB().QueryRow(tenant.Public(cmd.Context()), "SELECT pg_catalog.to_regclass($1) IS NOT NULL", tenants.Sanitize()).Scan(&there)
	if asked != nil || there {
		return err
	}
	name := cmd.Root().CommandPath()
	return &openError{fmt.Sprintf("the database is no tenancy yet (run \"%[1]s migrate --shared\" or \"%[1]s sync --migrate\" first)", name), err}
}

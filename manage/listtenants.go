package manage

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/tenant"
)

// tenantLine is a tenant in JSON.
type tenantLine struct {
	ID        int64         `json:"id"`
	Schema    string        `json:"schema"`
	Status    string        `json:"status,omitempty"`
	CreatedAt *time.Time    `json:"created_at,omitempty"`
	Domains   []string      `json:"domains"`
	Fields    tenant.Fields `json:"fields"`
}

func newTenantLine(t *tenant.Tenant, domains []tenant.Domain) tenantLine {
	line := tenantLine{ID: t.ID, Schema: t.Schema.String(), Status: t.Status, Domains: []string{}, Fields: t.Fields}
	if !t.CreatedAt.IsZero() {
		line.CreatedAt = &t.CreatedAt
	}
	for _, d := range domains {
		line.Domains = append(line.Domains, d.String())
	}
	return line
}

func (p *program) listTenantsCommand(use string) *cobra.Command {
	f := tenantFlags{databaseFlags: databaseFlags{noApps: true}}
	cmd := &cobra.Command{
		Use:   use,
		Short: "List the tenants",
		Long: `List prints the tenants in the order in which they were created, the primary domain first.
With -v the columns that were added to cotenant.tenants are there too, with --json
everything: a line for each tenant,
  {"id":N,"schema":"…","status":"…","created_at":"…","domains":["…"],"fields":{…}}`,
		Example: fmt.Sprintf("  %[1]s tenant list\n  %[1]s tenant list --json | jq -r 'select(.fields.on_trial) | .schema'", p.config.name()),
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withTenancy(cmd, &f, func(ctx context.Context, tenancy *cotenant.Tenancy) error { return f.list(ctx, cmd, tenancy) })
		},
	}
	addGroups(cmd, "", f.outputFlags.group(), f.databaseFlags.group(p.config.Project))
	return cmd
}

// list prints all tenants, a page at a time. What is wrong with rows is told in the end.
func (f *tenantFlags) list(ctx context.Context, cmd *cobra.Command, tenancy *cotenant.Tenancy) error {
	const page = 500
	table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	var tenants []*tenant.Tenant
	var failed []error
	printed := 0
	flush := func() error {
		domains, err := tenancy.Registry().DomainsOf(ctx, tenants...)
		if errors.Is(err, tenant.ErrInvalidDomain) {
			failed, err = append(failed, err), nil
		}
		if err != nil {
			return err
		}
		for _, t := range tenants {
			if f.json {
				err = writeJSON(cmd.OutOrStdout(), newTenantLine(t, domains[t.ID]))
			} else {
				err = f.row(table, t, domains[t.ID], printed == 0)
			}
			if err != nil {
				return err
			}
			printed++
		}
		tenants = tenants[:0]
		return table.Flush()
	}
	for t, err := range tenancy.Registry().All(ctx) {
		if err != nil {
			if len(failed) < most {
				failed = append(failed, err)
			}
			continue
		}
		if tenants = append(tenants, t); len(tenants) == page {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	if printed == 0 && failed == nil {
		f.say(cmd, "there are no tenants (make one with %s tenant create)", cmd.Root().Name())
	}
	return errors.Join(failed...)
}

// row prints a line of the table.
func (f *tenantFlags) row(table *tabwriter.Writer, t *tenant.Tenant, domains []tenant.Domain, first bool) error {
	head, cells := []string{"SCHEMA", "STATUS", "CREATED", "DOMAINS"}, []string{t.Schema.String(), printable(t.Status), "", strings.TrimPrefix(hosts(domains), ": ")}
	if !t.CreatedAt.IsZero() {
		cells[2] = t.CreatedAt.Local().Format(time.DateTime)
	}
	if f.verbosity > 1 {
		for name := range t.Fields.All() {
			c, _ := t.Fields.Lookup(name)
			head, cells = append(head, printable(strings.ToUpper(name))), append(cells, printable(strings.Join(strings.Fields(string(c.Text)), " ")))
		}
	}
	if first {
		if _, err := fmt.Fprintln(table, strings.Join(head, "\t")); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(table, strings.Join(cells, "\t"))
	return err
}

package adopt

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// newcomer is a row that can become a tenant.
type newcomer struct {
	registry.AdoptParams

	creates    bool   // the login may create in it
	oldID      int64  // that it had, if that is not kept
	newID      bool   // it had another one
	owner      string // of the schema
	ports, www int    // that were taken off its domains
	sourced    bool   // the source says which domains there are

	written map[string]string // how the source has domains that it has otherwise
}

// newcomer makes of a row what the registry takes, or says why that cannot be.
func (r *run) newcomer(t row) (*newcomer, error) {
	schema, err := tenant.ParseSchema(t.schema)
	if err != nil {
		return nil, fmt.Errorf("%w; rename it there first (ALTER SCHEMA … RENAME TO …, and the row)", err)
	}
	switch {
	case r.overview.names[strings.ToLower(t.schema)] && r.source.tenants == nil:
		return nil, fmt.Errorf("schema %q: another schema of the pattern differs from it only in case (rename one: ALTER SCHEMA … RENAME TO …, or name those that you mean)", t.schema)
	case r.overview.names[strings.ToLower(t.schema)]:
		return nil, fmt.Errorf("schema %q: several rows have that name, or one that differs only in case (rename or delete one)", t.schema)
	case t.owner == nil && !schema.IsPublic():
		return nil, fmt.Errorf("schema %q: it does not exist, and has a row (delete the row, or restore the schema)", t.schema)
	}
	n := &newcomer{AdoptParams: registry.AdoptParams{Schema: schema}, sourced: r.source.domain != ""}
	if r.source.domainPattern != "" {
		t.domains = []string{strings.ReplaceAll(r.source.domainPattern, placeholder, t.schema)}
	}
	for _, text := range t.domains {
		if err := n.addDomain(text, r.overview.domains); err != nil {
			return nil, err
		}
	}
	for i, column := range r.columns {
		if n.Fields == nil {
			n.Fields = make(map[string]any, len(r.columns))
		}
		n.Fields[column.name] = nil
		if t.fields[i] != nil {
			n.Fields[column.name] = *t.fields[i]
		}
	}
	if t.id != nil && *t.id > 0 && *t.id < maxID {
		n.ID = *t.id
	}
	if n.newID = n.ID == 0 && t.id != nil; n.newID {
		n.oldID = *t.id
	}
	return n, nil
}

var port = regexp.MustCompile(`:[0-9]+$`)

// parseDomain brings a domain into the form in which it is kept: without a port and www.,
// which the other systems leave out where they look a host up, too.
func parseDomain(text string) (tenant.Domain, error) {
	host := port.ReplaceAllString(text, "")
	for isWWW(host) {
		host = host[len("www."):]
	}
	return tenant.ParseDomain(host)
}

func isWWW(host string) bool {
	return len(host) > len("www.") && strings.EqualFold(host[:len("www.")], "www.")
}

// addDomain adds a domain, of which no other schema may claim the form in which it is kept.
func (n *newcomer) addDomain(text string, claimed map[string]string) error {
	d, err := parseDomain(text)
	if err != nil {
		return fmt.Errorf("schema %q: %w; correct it there first", n.Schema, err)
	}
	if text != d.String() && n.written[d.String()] == "" {
		if n.written == nil {
			n.written = map[string]string{}
		}
		n.written[d.String()] = text
	}
	if schemas := claimed[d.String()]; schemas != "" {
		return fmt.Errorf("schema %q: domain %s: %w: several schemas claim it: %s (correct that there first)", n.Schema, n.domain(d), tenant.ErrDomainTaken, schemas)
	}
	if port.MatchString(text) {
		n.ports++
	}
	if isWWW(text) {
		n.www++
	}
	if !slices.Contains(n.Domains, d) {
		n.Domains = append(n.Domains, d)
	}
	return nil
}

// domain is a domain as it is kept, and as the source has it where that is another way.
func (n *newcomer) domain(d tenant.Domain) string {
	text := strconv.Quote(d.String())
	if written := n.written[d.String()]; written != "" {
		text += " (" + strconv.Quote(written) + " in the source)"
	}
	return text
}

// errThere says that a tenant has the schema already.
var errThere = errors.New("a tenant has it already")

// free looks whether the registry has what a newcomer wants: its schema, its domains; and
// gives it another id if that is taken.
func (n *newcomer) free(taken *registry.Taken) error {
	if has, ok := taken.Tenants[strings.ToLower(n.Schema.String())]; ok {
		if has.Schema != n.Schema.String() {
			return fmt.Errorf("schema %q: %w by a tenant whose schema differs from it only in case: %s (rename one: ALTER SCHEMA … RENAME TO …, and the row)", n.Schema, tenant.ErrSchemaTaken, has.Schema)
		}
		return errThere
	}
	for _, d := range n.Domains {
		schema, ok := taken.Domains[d.String()]
		if ok && schema == n.Schema.String() {
			return errThere // another program was faster, between the two queries
		}
		if ok {
			return fmt.Errorf("schema %q: domain %s: %w by the tenant of schema %q (remove it there first, or correct it in the source)", n.Schema, n.domain(d), tenant.ErrDomainTaken, schema)
		}
	}
	if n.ID != 0 && taken.IDs[n.ID] {
		n.oldID, n.ID, n.newID = n.ID, 0, true
	}
	return nil
}

// renumbered tells which id the tenant gets in place of its own, if it does not keep that. made
// is nil in a dry run.
func (n *newcomer) renumbered(made *tenant.Tenant) *Renumbered {
	if !n.newID {
		return nil
	}
	renumbered := &Renumbered{Schema: n.Schema, From: n.oldID}
	if made != nil {
		renumbered.To = made.ID
	}
	return renumbered
}

// contradictions are what the tenant that has the schema already has otherwise than the
// source: domains, if that has any, and the id.
func (n *newcomer) contradictions(has registry.Holder, taken map[string]string) []string {
	var list []string
	var missing []string
	for _, d := range n.Domains {
		if slices.Contains(has.Domains, d.String()) {
			continue
		}
		text := d.String()
		if schema, ok := taken[text]; ok {
			text += fmt.Sprintf(" (which leads to schema %q)", schema)
		}
		missing = append(missing, text)
	}
	if len(missing) > 0 {
		list = append(list, "only the source has "+strings.Join(missing, ", "))
	}
	var more []string
	for _, domain := range has.Domains {
		if !slices.ContainsFunc(n.Domains, func(d tenant.Domain) bool { return d.String() == domain }) {
			more = append(more, domain)
		}
	}
	if len(more) > 0 && n.sourced {
		list = append(list, "only the tenant has "+strings.Join(more, ", "))
	}
	if id := cmp.Or(n.ID, n.oldID); id != 0 && id != has.ID {
		list = append(list, fmt.Sprintf("its id is %d, and %d in the source", has.ID, id))
	}
	return list
}

package adopt

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

// newcomer is a row that can become a tenant.
type newcomer struct {
	registry.AdoptParams

	newID      bool   // it had another one
	owner      string // of the schema
	ports, www int    // that were taken off its domains
}

// newcomer makes of a row what the registry takes, or says why that cannot be.
func (r *run) newcomer(t row) (*newcomer, error) {
	schema, err := tenant.ParseSchema(t.schema)
	if err != nil {
		return nil, fmt.Errorf("%w; rename it there first (ALTER SCHEMA … RENAME TO …, and the row)", err)
	}
	switch {
	case r.overview.names[strings.ToLower(t.schema)]:
		return nil, fmt.Errorf("schema %q: several rows have that name, or one that differs only in case (rename or delete one)", t.schema)
	case t.owner == nil && !schema.IsPublic():
		return nil, fmt.Errorf("schema %q: it does not exist, and has a row (delete the row, or restore the schema)", t.schema)
	}
	n := &newcomer{AdoptParams: registry.AdoptParams{Schema: schema}}
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
		n.Fields[column] = nil
		if t.fields[i] != nil {
			n.Fields[column] = *t.fields[i]
		}
	}
	if t.id != nil && *t.id > 0 && *t.id < maxID {
		n.ID = *t.id
	}
	n.newID = n.ID == 0 && t.id != nil
	return n, nil
}

var port = regexp.MustCompile(`:[0-9]+$`)

// addDomain adds a domain in the form in which it is kept: without a port and www., which the
// other systems leave out where they look a host up, too.
func (n *newcomer) addDomain(text string, claimed map[string]string) error {
	host := port.ReplaceAllString(strings.ToLower(text), "")
	if len(host) < len(text) {
		n.ports++
	}
	if strings.HasPrefix(host, "www.") {
		n.www++
	}
	for strings.HasPrefix(host, "www.") {
		host = strings.TrimPrefix(host, "www.")
	}
	d, err := tenant.ParseDomain(host)
	if err != nil {
		return fmt.Errorf("schema %q: %w; correct it there first", n.Schema, err)
	}
	for _, form := range []string{strings.TrimSuffix(host, "."), d.String()} {
		if schemas := claimed[form]; schemas != "" {
			return fmt.Errorf("schema %q: domain %q: %w: several schemas claim it: %s (correct that there first)", n.Schema, d, tenant.ErrDomainTaken, schemas)
		}
	}
	if !slices.Contains(n.Domains, d) {
		n.Domains = append(n.Domains, d)
	}
	return nil
}

// errThere says that a tenant has the schema already.
var errThere = errors.New("a tenant has it already")

// free looks whether the registry has what a newcomer wants: its schema, its domains; and
// gives it another id if that is taken.
func (n *newcomer) free(taken *registry.Taken) error {
	if taken.Schemas[strings.ToLower(n.Schema.String())] {
		return errThere
	}
	for _, d := range n.Domains {
		schema, ok := taken.Domains[d.String()]
		if ok && strings.EqualFold(schema, n.Schema.String()) {
			return errThere // another program was faster, between the two queries
		}
		if ok {
			return fmt.Errorf("schema %q: domain %q: %w by the tenant of schema %q (remove it there first, or correct it in the source)", n.Schema, d, tenant.ErrDomainTaken, schema)
		}
	}
	if n.ID != 0 && taken.IDs[n.ID] {
		n.ID, n.newID = 0, true
	}
	return nil
}

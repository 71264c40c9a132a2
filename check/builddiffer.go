package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cotenant/cotenant/internal/catalog"
)

// differ compares what schema.sql and the migrations make of all apps that could be built
// both ways.
func (b *builder) differ(a, m *side) []Finding {
	findings := b.differIn(b.shared, a.public, m.public)
	if len(b.tenants) > 0 {
		findings = append(findings, b.differIn(b.tenants, a.tenant, m.tenant)...)
	}
	return findings
}

func (b *builder) differIn(apps []*appFiles, a, m *built) []Finding {
	var findings []Finding
	for _, d := range differences(a.snapshot, m.snapshot) {
		app := find(apps, a, m, d.id)
		if app == nil || a.failed[app.name] || m.failed[app.name] {
			continue
		}
		var what string
		switch {
		case d.before == nil:
			what = "the migrations make it, and schema.sql does not"
		case d.after == nil:
			what = "schema.sql makes it, and the migrations do not"
		default:
			what = d.change("by schema.sql", "by the migrations")
		}
		f := app.finding(schemaDiffers(), d.name()+": "+what, names(*d.object())...)
		if d.object().Kind == catalog.Comment || d.onlyValidity() {
			f.Severity = Warning
		}
		findings = append(findings, f)
	}
	for id, columns := range a.columns {
		others := m.columns[id]
		if slices.Equal(columns, others) || !sameSet(columns, others) {
			continue
		}
		if app := find(apps, a, m, objectID{id.schema, string(catalog.Table) + " " + id.key}); app != nil && !a.failed[app.name] && !m.failed[app.name] {
			f := app.finding(columnOrder(), fmt.Sprintf("table %s: its columns are (%s) by schema.sql, and (%s) by the migrations", id.key, strings.Join(columns, ", "), strings.Join(others, ", ")), id.key)
			findings = append(findings, f)
		}
	}
	return findings
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// find is the app whose object it is; nil if that is not known.
func find(apps []*appFiles, a, m *built, id objectID) *appFiles {
	for _, b := range []*built{a, m} {
		if i := slices.IndexFunc(apps, func(app *appFiles) bool { return app.name == b.owners[id] }); i >= 0 {
			return apps[i]
		}
	}
	return nil
}

// hidden finds objects of tenant apps that have the name of a shared one.
func (b *builder) hidden(a, m *side) []Finding {
	if len(b.tenants) == 0 {
		return nil
	}
	shared := map[string]objectID{} // by what hides it
	for _, s := range []*side{a, m} {
		for id, o := range s.public.objects {
			if name := hides(o); name != "" && id.schema == "public" {
				shared[name] = id
			}
		}
	}
	found := map[string]Finding{}
	for _, s := range []*side{a, m} {
		for id, o := range s.tenant.objects {
			at, ok := shared[hides(o)]
			if !ok {
				continue
			}
			app, other := find(b.tenants, a.tenant, m.tenant, id), find(b.shared, a.public, m.public, at)
			if app == nil || other != nil && other.name == app.name {
				continue // an app in both lists is there twice, as it is meant
			}
			message := fmt.Sprintf("%s: public has a %s, too", o.Key(), at.key)
			if other != nil {
				message += fmt.Sprintf(", of app %q", other.name)
			}
			f := app.finding(hidesShared(), message, names(o)...)
			found[id.key] = f
		}
	}
	var findings []Finding
	for _, f := range found {
		findings = append(findings, f)
	}
	return findings
}

// hides is the name by which an object hides others; empty if it hides none. What belongs
// to another object is known by that.
func hides(o catalog.Object) string {
	switch o.Kind {
	case catalog.Table, catalog.View, catalog.MaterializedView, catalog.ForeignTable, catalog.Sequence:
		if o.Of == "" {
			return "relation " + o.Name
		}
	case catalog.Type, catalog.Domain:
		return "type " + o.Name
	case catalog.Function, catalog.Procedure, catalog.Aggregate:
		return "function " + o.Name
	default:
	}
	return ""
}

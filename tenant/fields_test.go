package tenant_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/cotenant/cotenant/tenant"
)

func TestFields(t *testing.T) {
	t.Parallel()

	fields := tenant.NewFields(
		tenant.Column{Name: "name", Text: []byte("Fonzy"), Value: "Fonzy"},
		tenant.Column{Name: "paid_until"},
	)
	if fields.Get("name") != "Fonzy" || fields.Get("paid_until") != nil || fields.Get("missing") != nil {
		t.Errorf("Get = %v, %v, %v", fields.Get("name"), fields.Get("paid_until"), fields.Get("missing"))
	}
	if _, ok := fields.Lookup("paid_until"); !ok {
		t.Error("Lookup of a NULL column: not found")
	}
	if _, ok := fields.Lookup("missing"); ok {
		t.Error("Lookup of a missing column: found")
	}
	var names []string
	for name := range fields.All() {
		names = append(names, name)
	}
	if !slices.Equal(names, []string{"name", "paid_until"}) {
		t.Errorf("All yields %q", names)
	}
	text, err := json.Marshal(fields)
	if err != nil || string(text) != `{"name":"Fonzy","paid_until":null}` {
		t.Errorf("Marshal = %s, %v", text, err)
	}
	if text, err := json.Marshal(tenant.Fields{}); err != nil || string(text) != "{}" {
		t.Errorf("Marshal of no fields = %s, %v", text, err)
	}
}

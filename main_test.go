package cotenant_test

import (
	"testing"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/tenant"
)

func TestMain(m *testing.M) { testdb.Main(m) }

func mustSchema(t *testing.T, name string) tenant.Schema {
	t.Helper()
	s, err := tenant.ParseSchema(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mustDomain(t *testing.T, name string) tenant.Domain {
	t.Helper()
	d, err := tenant.ParseDomain(name)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

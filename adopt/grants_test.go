package adopt_test

import (
	"testing"
	"testing/fstest"

	"github.com/cotenant/cotenant/adopt"
	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate"
	"github.com/cotenant/cotenant/registry"
)

// New tenants can refer to the shared tables of the other system, without a run of the
// migrations, which would have nothing to do.
func TestNewTenantsReferToShared(t *testing.T) {
	t.Parallel()

	const order = "orders (id int PRIMARY KEY, plan int REFERENCES public.plans)"
	d := made(t, accounts+`CREATE TABLE public.plans (id int PRIMARY KEY); CREATE SCHEMA a; CREATE TABLE a.`+order+`; INSERT INTO public.accounts VALUES (1, 'a', 'a.example')`,
		fstest.MapFS{"shop/migrations/0001_initial.sql": file("CREATE TABLE " + order)})
	role := testdb.RoleName(t, d.address)
	d.exec("CREATE ROLE " + role) // as another database of the server has it
	d.config.Migrate = &migrate.Config{MigratorRole: role}
	d.open()
	before := d.all()
	d.adopt(&adopt.Options{DryRun: true})
	d.same(d.all(), before)
	if report := d.adopt(nil); report.Adopted != 1 || report.Differ() {
		t.Errorf("%+v", report)
	}
	if _, err := d.tenancy.Registry().Create(t.Context(), registry.CreateParams{Schema: schema("fresh")}); err != nil {
		t.Error(err)
	}
	if drift, err := d.tenancy.Drift(t.Context(), nil, nil); err != nil || drift.Same != 2 {
		t.Errorf("%+v, %v", drift, err)
	}
}

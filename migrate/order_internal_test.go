package migrate

import (
	"strings"
	"testing"
)

// The order of a run is not exported; what it comes to is seen only where a database
// is.
func TestOrder(t *testing.T) {
	t.Parallel()

	app := func(name string, schema bool, migrations ...string) loadedApp {
		l := loadedApp{name: name}
		if schema {
			l.schema = &script{app: name, name: schemaFile}
		}
		for _, m := range migrations {
			m, required, _ := strings.Cut(m, "<")
			s := script{app: name, name: m}
			if required != "" {
				s.requires = strings.Split(required, "<")
			}
			l.migrations = append(l.migrations, s)
		}
		return l
	}
	ids := func(scripts []*script) string {
		var ids []string
		for _, s := range scripts {
			ids = append(ids, s.id())
		}
		return strings.Join(ids, " ")
	}
	for _, tt := range []struct {
		name            string
		apps            []loadedApp
		order, creation string
	}{
		{"none", nil, "", ""},
		{"by app, then by number", []loadedApp{app("b", false, "1", "2"), app("a", false, "1", "2")}, "b/1 b/2 a/1 a/2", "b/1 b/2 a/1 a/2"},
		{"what is required first", []loadedApp{app("a", false, "1", "2<b/1", "3"), app("b", false, "1", "2")}, "a/1 b/1 a/2 a/3 b/2", "a/1 b/1 a/2 a/3 b/2"},
		{"through another", []loadedApp{app("a", false, "1<b/1"), app("b", false, "1<c/2"), app("c", false, "1", "2", "3")}, "c/1 c/2 b/1 a/1 c/3", "c/1 c/2 b/1 a/1 c/3"},
		{"shared apps have run", []loadedApp{app("a", false, "1<shared/9"), app("b", false, "1")}, "a/1 b/1", "a/1 b/1"},
		{"with schema.sql", []loadedApp{app("a", true, "1", "2<b/1"), app("b", true, "1", "2"), app("c", true)}, "a/1 b/1 a/2 b/2", "b/schema.sql a/schema.sql c/schema.sql"},
		{"with and without", []loadedApp{app("a", true, "1<b/2"), app("b", false, "1", "2", "3<c/schema.sql"), app("c", true)}, "b/1 b/2 a/1 b/3", "b/1 b/2 a/schema.sql c/schema.sql b/3"},
		{"in turn, with schema.sql", []loadedApp{app("a", true, "1", "2<b/1", "3"), app("b", true, "1", "2<a/1")}, "a/1 b/1 a/2 a/3 b/2", "a/schema.sql b/schema.sql"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			if err := circle(tt.apps); err != nil {
				t.Fatal(err)
			}
			if got := ids(order(tt.apps)); got != tt.order {
				t.Errorf("order: %s; want %s", got, tt.order)
			}
			if got := ids(arrange(tt.apps, func(*loadedApp) bool { return true })); got != tt.creation {
				t.Errorf("creation: %s; want %s", got, tt.creation)
			}
		})
	}
}

package check

import (
	"context"

	"github.com/cotenant/cotenant/migrate"
)

// checker looks at the files of all apps.
type checker struct {
	files []*file
	// extra are the schemas that are on every path.
	extra map[string]bool
	// public and tenant are what the files make of each in the end.
	public, tenant *state
	rules          []rule
	found          []found
	hiding         []string // the names that hide those of shared apps
}

// found is a finding with its place.
type found struct {
	Finding
	file *file
	stmt *statement // nil where it is about no statement
}

func newChecker(m *migrate.Config, files []*file) *checker {
	c := &checker{files: files, extra: map[string]bool{}, rules: rules()}
	for _, s := range m.ExtraSchemas {
		c.extra[s.String()] = true
	}
	c.public, c.tenant = newState("public"), newState("")
	for _, f := range files {
		if c.tells(f) {
			c.state(f).applyFile(f)
		}
	}
	return c
}

// state is the one that a file leads to in the end.
func (c *checker) state(f *file) *state {
	if f.Tenant {
		return c.tenant
	}
	return c.public
}

// tells reports whether a file is one of those that say what a schema has in the end: the
// migrations, and for apps that have none, schema.sql.
func (c *checker) tells(f *file) bool {
	return f.Kind == migrate.KindUp || f.Kind == migrate.KindSchema && !c.hasMigrations(f)
}

func (c *checker) hasMigrations(f *file) bool {
	for _, other := range c.files {
		if other.Kind == migrate.KindUp && other.App == f.App && other.Tenant == f.Tenant {
			return true
		}
	}
	return false
}

// run has the rules look at all files. schema.sql stands on what apps without it make, and
// migrations on what apps without migrations have.
func (c *checker) run(ctx context.Context) error {
	for _, tenant := range []bool{false, true} {
		schemas, migrations := newState(c.schema(tenant)), newState(c.schema(tenant))
		for _, f := range c.files {
			if f.Tenant == tenant && f.Kind == migrate.KindUp && !c.hasSchema(f) {
				schemas.applyFile(f)
			}
		}
		for _, f := range c.files {
			if err := ctx.Err(); err != nil {
				return context.Cause(ctx)
			}
			switch {
			case f.Tenant != tenant:
			case f.Kind == migrate.KindSchema:
				c.look(f, schemas)
				if !c.hasMigrations(f) {
					migrations.applyFile(f)
				}
			case f.Kind == migrate.KindUp:
				c.look(f, migrations)
			case f.Kind == migrate.KindDown:
				c.look(f, migrations.clone())
			}
		}
	}
	c.namesInBoth()
	return nil
}

func (c *checker) schema(tenant bool) string {
	if tenant {
		return ""
	}
	return "public"
}

func (c *checker) hasSchema(f *file) bool {
	for _, other := range c.files {
		if other.Kind == migrate.KindSchema && other.App == f.App && other.Tenant == f.Tenant {
			return true
		}
	}
	return false
}

// look has the rules look at a file, and brings the state to where it leads.
func (c *checker) look(f *file, here *state) {
	kind := map[migrate.FileKind]kinds{migrate.KindSchema: inSchema, migrate.KindUp: inUp, migrate.KindDown: inDown}[f.Kind]
	for i := range f.statements {
		stmt := &f.statements[i]
		if stmt.fault != "" && !stmt.refused {
			c.found = append(c.found, found{c.finding(unparsed(), f, stmt.Line, stmt.fault), f, stmt})
		}
		for _, n := range stmt.nodes {
			for j := range c.rules {
				if r := &c.rules[j]; r.in&kind != 0 && !stmt.refused {
					r.look(&visit{checker: c, rule: r, file: f, stmt: stmt, at: i, node: n, here: here})
				}
			}
			here.apply(f, stmt.SQL, n)
		}
	}
	here.end()
}

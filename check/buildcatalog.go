package check

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/catalog"
	"github.com/cotenant/cotenant/internal/sqltext"
)

// objectID tells an object from all others of a database.
type objectID struct{ schema, key string }

// snapshot is what schemas have at a moment.
type snapshot struct {
	objects map[objectID]catalog.Object
	columns map[objectID][]string // of tables, in order
}

// kindSchema is what a shared app may make besides what is in public. The catalog has
// what is in schemas only.
const kindSchema catalog.Kind = "schema"

// schemasSQL are the schemas that shared apps can have something in.
const schemasSQL = `SELECT n.nspname::text FROM pg_catalog.pg_namespace AS n WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
	AND n.nspname <> ALL ($1::text[]) ORDER BY 1`

// columnsSQL are the columns of a schema's tables, which the catalog has without their order.
const columnsSQL = `SELECT pg_catalog.quote_ident(c.relname), pg_catalog.array_agg(pg_catalog.quote_ident(a.attname) ORDER BY a.attnum)
	FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
	JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
	WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'f') GROUP BY 1`

// read takes a snapshot: of the schema of a tenant, or where it is public of all that the
// shared apps can have made.
func (s *side) read(ctx context.Context, schema string) (snapshot, error) {
	shot := snapshot{map[objectID]catalog.Object{}, map[objectID][]string{}}
	names := []string{schema}
	if schema == "public" {
		var err error
		if names, err = s.sharedSchemas(ctx); err != nil {
			return shot, err
		}
	}
	for _, name := range names {
		if name != schema {
			shot.objects[objectID{name, "schema"}] = catalog.Object{Kind: kindSchema, Name: name}
		}
		if err := s.readSchema(ctx, name, shot); err != nil {
			return shot, err
		}
	}
	return shot, nil
}

func (s *side) sharedSchemas(ctx context.Context) ([]string, error) {
	rows, err := s.reader.Query(ctx, schemasSQL, []string{scratchTenant, createdTenant})
	if err != nil {
		return nil, fmt.Errorf("look at the schemas: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

func (s *side) readSchema(ctx context.Context, name string, shot snapshot) error {
	return pgx.BeginFunc(ctx, s.reader, func(tx pgx.Tx) error {
		objects, err := catalog.ReadNamed(ctx, tx, name)
		if err != nil {
			return err
		}
		for _, o := range objects {
			o.Access, o.Definition = s.access(o), catalog.Normal(defaultNull.ReplaceAllString(o.Definition, "$1"))
			shot.objects[objectID{name, o.Key()}] = o
		}
		rows, err := tx.Query(ctx, columnsSQL, name)
		if err != nil {
			return err
		}
		var table string
		var columns []string
		_, err = pgx.ForEachRow(rows, []any{&table, &columns}, func() error {
			shot.columns[objectID{name, table}] = slices.Clone(columns)
			return nil
		})
		return err
	})
}

// defaultNull is a default that does what none does: with it pg_dump writes that a partition
// does not have the default of its table.
var defaultNull = regexp.MustCompile(` DEFAULT NULL::[a-z0-9_ ."()\[\],]+?( STORAGE | COMPRESSION | STATISTICS | WITH \(| OPTIONS \(|$)`)

// access is who may do what with an object, so that it can be compared: PostgreSQL writes
// privileges in the order in which they were given, and those that everybody has by default
// or the owner has anyway only where others were given or taken. What the migrator role has
// of shared objects is not the files' doing.
func (s *side) access(o catalog.Object) string {
	words := strings.FieldsFunc(o.Access, func(r rune) bool { return strings.ContainsRune(" ,{}", r) })
	var owner string
	if len(words) > 0 && !strings.Contains(words[0], "=") { // columns are their table's
		owner, words = strings.Trim(words[0], `"`), words[1:]
	}
	var given []string
	for _, word := range words {
		grantee, what, _ := strings.Cut(word, "=")
		if grantee = strings.Trim(grantee, `"`); grantee != owner && grantee != s.roles.migrator {
			what, _, _ = strings.Cut(what, "/") // who gave it
			given = append(given, grantee+"="+what)
		}
	}
	if len(words) == 0 {
		switch o.Kind {
		case catalog.Function, catalog.Procedure, catalog.Aggregate:
			given = []string{"=X"}
		case catalog.Type, catalog.Domain:
			given = []string{"=U"}
		default:
		}
	}
	slices.Sort(given)
	return strings.TrimSpace(s.roles.configuredName(owner) + " " + strings.Join(given, " "))
}

// difference is an object that two snapshots do not have alike.
type difference struct {
	id            objectID
	before, after *catalog.Object // nil where it is not there
}

func (d difference) object() *catalog.Object { return cmp.Or(d.after, d.before) }

// changes are all objects that differ.
func changes(before, after snapshot) map[objectID]difference {
	all := map[objectID]difference{}
	for id, b := range before.objects {
		d := difference{id: id, before: &b}
		if a, ok := after.objects[id]; ok {
			d.after = &a
		}
		if d.after == nil || !sameDefinition(b, *d.after) || b.Access != d.after.Access {
			all[id] = d
		}
	}
	for id, a := range after.objects {
		if _, ok := before.objects[id]; !ok {
			all[id] = difference{id: id, after: &a}
		}
	}
	return all
}

// differences are the objects that differ, in order, but for those of what one of the
// snapshots does not have as a whole, and those that a partition has from its table.
func differences(before, after snapshot) []difference {
	all := changes(before, after)
	same := func(a, b *catalog.Object) bool { return (a == nil) == (b == nil) }
	with := func(d difference, of objectID) bool {
		p, ok := all[of]
		return ok && of != d.id && same(p.before, d.before) && same(p.after, d.after) && (p.before == nil || p.after == nil)
	}
	inherits := func(d difference) bool {
		id, ok := inherited(d, before, after)
		p, differs := all[id]
		return ok && differs && same(p.before, d.before) && same(p.after, d.after)
	}
	var top []difference
	for id, d := range all {
		if !with(d, objectID{id.schema, d.object().Of}) && !with(d, objectID{id.schema, "schema"}) && !inherits(d) {
			top = append(top, d)
		}
	}
	slices.SortFunc(top, func(a, b difference) int {
		return cmp.Or(strings.Compare(a.id.schema, b.id.schema), strings.Compare(a.id.key, b.id.key))
	})
	return top
}

// inherited is the object that the parent of a partition has in place of one of the
// partition's.
func inherited(d difference, before, after snapshot) (objectID, bool) {
	o := d.object()
	table, ok := after.objects[objectID{d.id.schema, o.Of}]
	if !ok {
		table = before.objects[objectID{d.id.schema, o.Of}]
	}
	_, parent, ok := strings.Cut(table.Definition, "PARTITION OF ")
	if !ok {
		return objectID{}, false
	}
	parent, _, _ = strings.Cut(parent, " ")
	own, ok := strings.CutPrefix(o.Name, table.Name+".")
	return objectID{d.id.schema, string(o.Kind) + " " + parent + "." + own}, ok
}

// name is the object in words: with its schema, where that says more than the list that its
// app is in.
func (d difference) name() string {
	o := d.object()
	if d.id.schema == "public" || d.id.schema == scratchTenant || o.Kind == kindSchema {
		return o.Key()
	}
	return string(o.Kind) + " " + d.id.schema + "." + o.Name
}

// sameDefinition reports whether two objects do the same: comments and white space in the
// body of a function do nothing.
func sameDefinition(a, b catalog.Object) bool {
	if a.Definition == b.Definition {
		return true
	}
	if a.Kind != catalog.Function && a.Kind != catalog.Procedure {
		return false
	}
	head, _, _ := strings.Cut(a.Definition, "\n")
	known := strings.Contains(head, "LANGUAGE sql") || strings.Contains(head, "LANGUAGE plpgsql")
	return known && sqltext.Plain(a.Definition) == sqltext.Plain(b.Definition)
}

// onlyValidity reports whether a constraint differs by NOT VALID alone: for new rows it
// does the same.
func (d difference) onlyValidity() bool {
	const not = " NOT VALID"
	return d.before != nil && d.after != nil && d.before.Access == d.after.Access &&
		strings.Replace(d.before.Definition, not, "", 1) == strings.Replace(d.after.Definition, not, "", 1)
}

// change says what of an object differs, from one state to the other.
func (d difference) change(before, after string) string {
	if sameDefinition(*d.before, *d.after) {
		return fmt.Sprintf("its owner and privileges are %q %s, and %q %s", d.before.Access, before, d.after.Access, after)
	}
	x, y := excerpts(d.before.Definition, d.after.Definition)
	return fmt.Sprintf("it is %s %s, and %s %s", shown(x), before, shown(y), after)
}

// shown is a definition; an ordinary table has none.
func shown(definition string) string {
	if definition == "" {
		return "an ordinary one"
	}
	return strconv.Quote(definition)
}

// excerpts are two texts, or where they are long what is around the place at which they
// begin to differ.
func excerpts(a, b string) (x, y string) {
	const most, ahead = 100, 30
	if len(a) <= most && len(b) <= most {
		return a, b
	}
	ra, rb := []rune(a), []rune(b)
	at := 0
	for at < len(ra) && at < len(rb) && ra[at] == rb[at] {
		at++
	}
	cut := func(r []rune) string {
		from, to := min(max(0, at-ahead), len(r)), min(at+most-ahead, len(r))
		text := string(r[from:to])
		if from > 0 {
			text = "… " + text
		}
		if to < len(r) {
			text += " …"
		}
		return text
	}
	return cut(ra), cut(rb)
}

package drift

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/aymanbagabas/go-udiff"

	"github.com/cotenant/cotenant/internal/catalog"
)

// Change is how a schema differs from the reference in an object.
type Change string

// The changes.
const (
	Different Change = "different" // both have it, with other definitions
	Extra     Change = "extra"     // the schema has it, and the reference does not
	Missing   Change = "missing"   // the reference has it, and the schema does not
)

// Difference is an object that a schema has otherwise than the reference.
type Difference struct {
	Change Change
	// Object is what it is about: "column things.price", "index things_name_idx",
	// "access to table things".
	Object string
	// Parts is how many objects belong to it, and are missing or extra with it: the
	// columns of a table, their comments. They are no differences of their own.
	Parts int
	// Reference is the object's definition in the reference, in SQL or nearly so. It is
	// empty for an ordinary table.
	Reference string
	// Schema is the definition in the schema.
	Schema string
}

// Compare returns what a schema has otherwise than the reference. Both must have been
// read with the same options.
func Compare(reference, schema *Snapshot) []Difference {
	if reference.fingerprint == schema.fingerprint {
		return nil
	}
	wants, haves := reference.byKey(), schema.byKey()
	var all []difference
	for key, want := range wants {
		have, ok := haves[key]
		switch {
		case !ok:
			all = append(all, difference{Difference{Change: Missing, Object: key, Reference: want.Definition}, want})
		case have.Definition != want.Definition || have.Of != want.Of:
			d := difference{Difference{Change: Different, Object: key, Reference: want.Definition, Schema: have.Definition}, want}
			if want.Kind != orderKind || !sameOrder(want.Definition, have.Definition) {
				all = append(all, d)
			}
		}
	}
	for key, have := range haves {
		if _, ok := wants[key]; !ok {
			all = append(all, difference{Difference{Change: Extra, Object: key, Schema: have.Definition}, have})
		}
	}
	return sorted(whole(all, wants, haves), wants, haves)
}

func (s *Snapshot) byKey() map[string]catalog.Object {
	objects := make(map[string]catalog.Object, len(s.objects))
	for _, o := range s.objects {
		objects[o.Key()] = o
	}
	return objects
}

// difference knows the object that it is about.
type difference struct {
	Difference
	object catalog.Object
}

// whole counts what is missing or extra with what it belongs to as parts of that.
func whole(all []difference, wants, haves map[string]catalog.Object) []difference {
	changes := make(map[string]Change, len(all))
	for _, d := range all {
		changes[d.Object] = d.Change
	}
	parts := map[string]int{}
	kept := make([]difference, 0, len(all))
	for _, d := range all {
		objects := wants
		if d.Change == Extra {
			objects = haves
		}
		top := d.Object
		for of := d.object.Of; of != "" && d.Change != Different; of = objects[of].Of {
			if changes[of] == d.Change {
				top = of
			}
		}
		if top != d.Object {
			parts[top]++
			continue
		}
		kept = append(kept, d)
	}
	for i := range kept {
		kept[i].Parts = parts[kept[i].Object]
	}
	return kept
}

// sameOrder reports whether two lists have the names that are in both in one order: that
// others are missing is said elsewhere.
func sameOrder(a, b string) bool {
	x, y := strings.Split(a, ", "), strings.Split(b, ", ")
	common := func(list, other []string) []string {
		return slices.DeleteFunc(slices.Clone(list), func(name string) bool { return !slices.Contains(other, name) })
	}
	return slices.Equal(common(x, y), common(y, x))
}

// sorted puts the differences of a table together.
func sorted(all []difference, wants, haves map[string]catalog.Object) []Difference {
	root := func(d difference) string {
		key := d.Object
		for of := d.object.Of; of != ""; {
			key = of
			o, ok := wants[of]
			if !ok {
				o = haves[of]
			}
			of = o.Of
		}
		return key
	}
	slices.SortFunc(all, func(a, b difference) int {
		rootA, rootB := root(a), root(b)
		return cmp.Or(cmp.Compare(rootA, rootB), -compareBool(a.Object == rootA, b.Object == rootB), cmp.Compare(a.Object, b.Object))
	})
	differences := make([]Difference, len(all))
	for i, d := range all {
		differences[i] = d.Difference
	}
	return differences
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// String shows the difference as a patch would: with - what the schema lacks, with + what
// it has in addition, with ~ what it has otherwise; where that takes more than a line,
// with the lines that are different below it.
//
//   - index things_name_idx ON things USING btree (name)
//   - column things.note text
//     ~ column things.price: numeric(10,2) → numeric(12,2)
func (d Difference) String() string {
	switch d.Change {
	case Missing:
		return "- " + d.Object + d.whole(d.Reference)
	case Extra:
		return "+ " + d.Object + d.whole(d.Schema)
	case Different:
	}
	const short = 100
	if len(d.Reference) <= short && len(d.Schema) <= short && !strings.Contains(d.Reference+d.Schema, "\n") {
		return fmt.Sprintf("~ %s: %s → %s", d.Object, side(d.Reference), side(d.Schema))
	}
	return "~ " + d.Object + ":\n" + lines(d.Reference, d.Schema)
}

// whole is the definition of an object that is missing or extra, on one line.
func (d Difference) whole(definition string) string {
	const most = 200
	text := strings.Join(strings.Fields(definition), " ")
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + " …"
	}
	if text != "" {
		text = " " + text
	}
	switch d.Parts {
	case 0:
		return text
	case 1:
		return text + " (and 1 object of it)"
	}
	return fmt.Sprintf("%s (and %d objects of it)", text, d.Parts)
}

// side is a definition on one side of an arrow.
func side(definition string) string {
	if definition == "" {
		return "ordinary"
	}
	return definition
}

// lines are the lines of a and b that are different, and those around them.
func lines(a, b string) string {
	const context = 2
	end := func(text string) string { return strings.TrimRight(text, "\n") + "\n" }
	a, b = end(a), end(b)
	unified, err := udiff.ToUnified("", "", a, udiff.Lines(a, b), context)
	if err != nil { // its edits are of a
		return "    - " + a + "    + " + strings.TrimRight(b, "\n")
	}
	var out []string
	hunks := 0
	for line := range strings.Lines(unified) {
		switch {
		case strings.HasPrefix(line, "@@ "):
			if hunks++; hunks > 1 {
				out = append(out, "    …")
			}
		case hunks > 0: // behind the names of the files
			out = append(out, strings.TrimRight("    "+line, " \n"))
		}
	}
	return strings.Join(out, "\n")
}

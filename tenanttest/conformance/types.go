package conformance

import (
	"fmt"
	"strings"

	"github.com/cotenant/cotenant/tenant"
)

// typeTraps are types, tables and functions of one name that differ by schema.
func typeTraps() []trap {
	return []trap{
		{"enums, arrays and composites differ by schema", typesDiffer},
		{"tenants at different migrations", migrationsDiffer},
		{"functions of one name", functionsDiffer},
		{"a table that is altered", tableAltered},
	}
}

// everyMode calls f with what each mode puts in front of arguments, again and again
// for the tenants in turn.
func (tr *trial) everyMode(f func(t *tenant.Tenant, mode []any)) {
	modes := [][]any{nil}
	for _, m := range tr.way.Modes {
		modes = append(modes, []any{m})
	}
	for _, mode := range modes {
		for range 3 {
			f(tr.a, mode)
			f(tr.b, mode)
		}
	}
}

func typesDiffer(tr *trial) {
	tr.everyMode(func(t *tenant.Tenant, mode []any) {
		got, err := readPerson(tr.as(t), tr, append(mode, label(t.ID))...)
		if err != nil || got != person(t.ID) {
			tr.Errorf("%v, mode %v: %q, %v; want %q", t, mode, got, err, person(t.ID))
		}
		moods := []string{label(t.ID)}
		n, err := one[int64](tr.as(t), tr, "SELECT count(*) FROM people WHERE moods && $1::text[]::mood[]", append(mode, moods)...)
		if err != nil || n != rows {
			tr.Errorf("%v, mode %v, array: %d, %v", t, mode, n, err)
		}
	})
}

func migrationsDiffer(tr *trial) {
	tr.everyMode(func(t *tenant.Tenant, mode []any) {
		got, err := readProfile(tr.as(t), tr, t.ID, mode...)
		if err != nil || got != profile(t.ID) {
			tr.Errorf("%v, mode %v: %q, %v; want %q", t, mode, got, err, profile(t.ID))
		}
	})
}

func functionsDiffer(tr *trial) {
	tr.everyMode(func(t *tenant.Tenant, mode []any) {
		got, err := one[int64](tr.as(t), tr, "SELECT whoami()", mode...)
		if err != nil || got != t.ID {
			tr.Errorf("%v, mode %v: whoami() is %d, %v", t, mode, got, err)
		}
	})
}

// What was learnt of a statement before ALTER TABLE must not break it for good.
func tableAltered(tr *trial) {
	columns := func(t *tenant.Tenant, n int) error {
		return tr.Query(tr.as(t), func(scan func(...any) error) error {
			dest := make([]any, n)
			for i := range dest {
				dest[i] = new(any)
			}
			return scan(dest...)
		}, "SELECT * FROM things")
	}
	for i := range 3 {
		tr.must("before", columns(tr.a, 3+i))
		tr.must("the other", columns(tr.b, 3))
		tr.plain("ALTER TABLE %s.things ADD COLUMN more%d int", tr.a.Schema, i)
		err := columns(tr.a, 4+i)
		if err != nil {
			tr.harmless("the first call after ALTER TABLE", err)
			err = columns(tr.a, 4+i)
		}
		tr.must("after ALTER TABLE", err)
	}
	tr.reads(tr, tr.a)
	tr.reads(tr, tr.b)
}

// What readPerson and readProfile send.
const (
	selectPerson  = "SELECT mood, moods::text, place::text FROM people WHERE mood = $1"
	selectProfile = "SELECT * FROM profiles"
)

// readPerson returns the only row of people with a mood, in the form of person.
func readPerson(ctx contextOf, s Session, args ...any) (string, error) {
	var mood, moods, place string
	err := s.Query(ctx, func(scan func(...any) error) error { return scan(&mood, &moods, &place) },
		selectPerson, args...)
	return strings.Join([]string{mood, moods, place}, " "), err
}

// readProfile returns the only row of profiles, in the form of profile.
func readProfile(ctx contextOf, s Session, owner int64, args ...any) (string, error) {
	var id int64
	values := []any{new(any)}
	if ahead(owner) {
		values = append(values, new(any))
	}
	err := s.Query(ctx, func(scan func(...any) error) error { return scan(append([]any{&id}, values...)...) },
		selectProfile, args...)
	if err == nil && id != owner {
		err = foreignError{owner, id}
	}
	var texts []string
	for _, v := range values {
		texts = append(texts, fmt.Sprint(*v.(*any)))
	}
	return strings.Join(texts, " "), err
}

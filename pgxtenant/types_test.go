package pgxtenant_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/pgxtenant"
	"github.com/cotenant/cotenant/tenant"
)

const differingTypes = `
	CREATE TYPE public.shape AS (sides int);
	CREATE SCHEMA a;
	CREATE TYPE a.mood AS ENUM ('sad', 'fine'); CREATE DOMAIN a.euro AS numeric CHECK (VALUE > 0); CREATE TYPE a.span AS RANGE (subtype = int);
	CREATE TYPE a.price AS (amount a.euro, mood a.mood);
	CREATE TABLE a.items (id int, price a.price, prices a.price[], mood a.mood, moods a.mood[], span a.span, shape shape);
	CREATE SCHEMA b;
	CREATE TYPE b.mood AS ENUM ('fine');
	CREATE TYPE b.price AS (mood b.mood, currency text, amount int);
	CREATE TABLE b.items (id int, price b.price, prices b.price[], mood b.mood, moods b.mood[], shape shape);
	CREATE SCHEMA c;`

// Types of the same name that differ from tenant to tenant are read and written on
// one connection, also by COPY, which takes no others; a tenant that has none of
// them does without.
func TestTypes(t *testing.T) {
	t.Parallel()

	db := newDBWith(t, &pgxtenant.Config{Types: []string{"mood", "price", "euro", "span", "shape", "nonsense"}}, differingTypes, one)
	a, b, c := as(t, 1, "a"), as(t, 2, "b"), as(t, 3, "c")
	type priceA struct {
		Amount float64
		Mood   string
	}
	type priceB struct {
		Mood, Currency string
		Amount         int
	}
	type shape struct{ Sides int }
	for i := range 4 {
		pa, pb := priceA{1.5, "sad"}, priceB{"fine", "EUR", 2}
		if _, err := db.CopyFrom(a, pgx.Identifier{"items"}, []string{"id", "price", "prices", "mood", "moods", "shape"},
			pgx.CopyFromRows([][]any{{i, pa, []priceA{pa, pa}, "sad", []string{"fine", "sad"}, shape{3}}})); err != nil {
			t.Fatal(err)
		}
		if _, err := db.CopyFrom(b, pgx.Identifier{"items"}, []string{"id", "price", "prices", "mood", "moods", "shape"},
			pgx.CopyFromRows([][]any{{i, pb, []priceB{pb}, "fine", []string{"fine"}, shape{4}}})); err != nil {
			t.Fatal(err)
		}
		var gotA priceA
		var gotAs []priceA
		var gotB priceB
		var gotBs []priceB
		var mood string
		var moods []string
		var s shape
		err := db.QueryRow(a, "SELECT price, prices, mood, moods, shape FROM items WHERE price = $1::price", pa).Scan(&gotA, &gotAs, &mood, &moods, &s)
		if err != nil || gotA != pa || len(gotAs) != 2 || gotAs[1] != pa || mood != "sad" || len(moods) != 2 || s.Sides != 3 {
			t.Errorf("a: %v, %v, %v, %v, %v, %v", gotA, gotAs, mood, moods, s, err)
		}
		err = db.QueryRow(b, "SELECT price, prices, mood, moods, shape FROM items WHERE price = $1::price", pb).Scan(&gotB, &gotBs, &mood, &moods, &s)
		if err != nil || gotB != pb || len(gotBs) != 1 || gotBs[0] != pb || mood != "fine" || len(moods) != 1 || s.Sides != 4 {
			t.Errorf("b: %v, %v, %v, %v, %v, %v", gotB, gotBs, mood, moods, s, err)
		}
		if err := db.QueryRow(c, "SELECT row(5)::shape").Scan(&s); err != nil || s.Sides != 5 {
			t.Errorf("c: %v, %v", s, err)
		}
	}
}

// Types are looked up once for each connection and tenant, and again where a
// statement had to be tried again.
func TestTypesAreLookedUpOnce(t *testing.T) {
	t.Parallel()

	w := &writes{}
	db := newDBWith(t, &pgxtenant.Config{Types: []string{"price"}}, differingTypes+"INSERT INTO a.items (price) VALUES ((1, 'sad'))", one, w.count)
	a := as(t, 1, "a")
	read := func(dest any) error {
		return db.QueryRow(a, "SELECT price FROM items WHERE price IS NOT NULL").Scan(dest)
	}
	for range 3 {
		if err := read(&struct {
			Amount float64
			Mood   string
		}{}); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.during(t, func() error { return db.Ping(a) }); n != 1 {
		t.Errorf("%d writes for a tenant whose types are known", n)
	}
	change(t, db, "ALTER TABLE items DROP COLUMN price; DROP TYPE price CASCADE; CREATE TYPE price AS (cents int); ALTER TABLE items ADD COLUMN price price; UPDATE items SET price = row(5)")
	var price struct{ Cents int }
	if err := read(&price); err != nil || price.Cents != 5 {
		t.Errorf("after the type was made anew: %v, %v", price, err)
	}
}

// A type that is made of one that pgx does not know is an error that says so.
func TestTypesUnknown(t *testing.T) {
	t.Parallel()

	db := newDBWith(t, &pgxtenant.Config{Types: []string{"odd"}}, "CREATE SCHEMA a; CREATE TYPE a.odd AS (x pg_catalog.pg_lsn, y pg_catalog.gtsvector)", one)
	err := db.Ping(as(t, 1, "a"))
	want := fmt.Sprintf(`tenant "a": load the types of Config.Types: a.odd: field %s`, "")
	if err == nil || len(err.Error()) < len(want) || err.Error()[:len(want)] != want {
		t.Errorf("Ping: %v", err)
	}
	if err := db.Ping(as(t, 2, "gone")); err == nil || errors.Is(err, tenant.ErrOtherTenant) {
		t.Errorf("Ping: %v", err)
	}
}

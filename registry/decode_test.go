package registry_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cotenant/cotenant/registry"
	"github.com/cotenant/cotenant/tenant"
)

type plan string

type address struct {
	City string `json:"city"`
}

type contact struct {
	Email *string `db:"email"`
}

type client struct {
	contact
	Contact2 contact // no tag and not embedded: left alone

	ID        int64          `db:"id"`
	Schema    tenant.Schema  `db:"schema_name"`
	Status    string         `db:"status"`
	CreatedAt time.Time      `db:"created_at"`
	Name      string         `db:"name"`
	PaidUntil *time.Time     `db:"paid_until"`
	Renewed   pgtype.Date    `db:"renewed"`
	OnTrial   bool           `db:"on_trial"`
	Seats     int32          `db:"seats"`
	Price     pgtype.Numeric `db:"price"`
	PriceText string         `db:"price"`
	PriceF    float64        `db:"price"`
	Tags      []string       `db:"tags"`
	Scores    []int          `db:"scores"`
	Address   address        `db:"address"`
	Plan      plan           `db:"plan"`
	Key       [16]byte       `db:"key"`
	Blob      []byte         `db:"blob"`
	Ignored   int            `db:"-"`
	Untagged  int
}

func TestDecode(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{}, false)
	f.exec(t, `CREATE TYPE public.plan AS ENUM ('free', 'pro'); ALTER TABLE cotenant.tenants
		ADD COLUMN name text DEFAULT 'Acme', ADD COLUMN paid_until date DEFAULT '2027-12-05', ADD COLUMN renewed date,
		ADD COLUMN on_trial bool DEFAULT true, ADD COLUMN seats int DEFAULT 7, ADD COLUMN price numeric(8, 2) DEFAULT 9.90,
		ADD COLUMN tags text[] DEFAULT '{a,"b, c"}', ADD COLUMN scores int[] DEFAULT '{1,2}', ADD COLUMN address jsonb DEFAULT '{"city": "Bern"}',
		ADD COLUMN plan public.plan DEFAULT 'pro', ADD COLUMN key uuid DEFAULT '00000000-0000-0000-0000-00000000000a',
		ADD COLUMN blob bytea DEFAULT '\x0102', ADD COLUMN email text`)
	created := f.create(t, "acme")
	c, err := registry.Decode[client](created)
	if err != nil {
		t.Fatal(err)
	}
	if c.ID != created.ID || c.Schema != created.Schema || c.Status != "active" || !c.CreatedAt.Equal(created.CreatedAt) {
		t.Errorf("our columns: %+v", c)
	}
	if c.Name != "Acme" || c.PaidUntil == nil || c.PaidUntil.Format(time.DateOnly) != "2027-12-05" || c.Renewed.Valid || !c.OnTrial || c.Seats != 7 ||
		c.PriceText != "9.90" || c.PriceF != 9.9 || c.Price.Exp != -2 || c.Email != nil {
		t.Errorf("plain columns: %+v", c)
	}
	if len(c.Tags) != 2 || c.Tags[1] != "b, c" || len(c.Scores) != 2 || c.Scores[1] != 2 || c.Address.City != "Bern" || c.Plan != "pro" || c.Key[15] != 10 || string(c.Blob) != "\x01\x02" {
		t.Errorf("other columns: %+v", c)
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()

	f := newFixture(t, registry.Config{}, false)
	f.exec(t, "ALTER TABLE cotenant.tenants ADD COLUMN name text, ADD COLUMN seats int DEFAULT 300")
	created := f.create(t, "acme")

	check := func(err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Decode: %v; want %q", err, want)
		}
	}
	_, err := registry.Decode[struct {
		Name string `db:"nickname"`
	}](created)
	check(err, `no column "nickname" (field Name)`)
	_, err = registry.Decode[struct {
		Name string `db:"name"`
	}](created)
	check(err, `column "name" is NULL, and field Name is a string (make it a pointer`)
	_, err = registry.Decode[struct {
		Seats int8 `db:"seats"`
	}](created)
	check(err, `column "seats"`)
	_, err = registry.Decode[struct {
		name string `db:"name"`
	}](created)
	check(err, "not exported")
	_, err = registry.Decode[int](created)
	check(err, "not a struct")
	_, err = registry.Decode[client](nil)
	check(err, "nil")
}

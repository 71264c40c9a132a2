package doctor_test

import (
	"context"
	"crypto/rand"
	"net/url"
	"strings"
	"testing"

	"github.com/cotenant/cotenant/doctor"
	"github.com/cotenant/cotenant/internal/testdb"
)

// A database in another encoding than UTF8 works, and is told.
func TestDatabaseEncoding(t *testing.T) {
	t.Parallel()
	address := testdb.New(t)
	silent(t, newClinic(t, address).examine(t), "database-encoding")
	admin := connect(t, address)
	for encoding, want := range map[string]string{"LATIN1": "is stored as other characters", "SQL_ASCII": "neither converted nor checked"} {
		name := "cotenant_test_" + strings.ToLower(rand.Text())
		if _, err := admin.Exec(t.Context(), "CREATE DATABASE "+name+" TEMPLATE template0 LOCALE 'C' ENCODING '"+encoding+"'"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _, _ = admin.Exec(context.WithoutCancel(t.Context()), "DROP DATABASE "+name+" WITH (FORCE)") })
		other, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		other.Path = "/" + name
		noticed(t, newClinic(t, other.String()).examine(t), "database-encoding", doctor.Warning, `database "`+name+`"`, "its encoding is "+encoding, want, "ENCODING 'UTF8'")
	}
}

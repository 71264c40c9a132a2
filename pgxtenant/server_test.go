package pgxtenant_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/pgxtenant"
)

func TestCheckServer(t *testing.T) {
	t.Parallel()

	conn, err := pgx.Connect(t.Context(), testdb.New(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if err := pgxtenant.CheckServer(t.Context(), conn); err != nil {
		t.Errorf("CheckServer: %v", err)
	}
}

// A pooler is found out, in whatever mode it is.
func TestCheckServerFindsPooler(t *testing.T) {
	t.Parallel()

	for _, mode := range []string{"session", "transaction"} {
		conn, err := pgx.Connect(t.Context(), testdb.PgBouncer(t, testdb.New(t), mode))
		if err != nil {
			t.Fatal(err)
		}
		if err := pgxtenant.CheckServer(t.Context(), conn); !errors.Is(err, pgxtenant.ErrPooler) {
			t.Errorf("CheckServer through PgBouncer in %s mode: %v", mode, err)
		}
		if err := conn.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

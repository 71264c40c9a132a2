package pgbouncer_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/pgbouncer"
	"github.com/cotenant/cotenant/internal/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }

// Whoever asks is sent to the server behind, until it is stopped.
func TestStartAndStop(t *testing.T) {
	t.Parallel()

	testdb.PgBouncer(t, testdb.New(t), "session") // skips without the program
	address := testdb.New(t)
	s, err := pgbouncer.Start(t.Context(), address, "transaction")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), s.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var database string
	if err := conn.QueryRow(t.Context(), "SELECT current_database()", pgx.QueryExecModeExec).Scan(&database); err != nil || !strings.Contains(address, database) {
		t.Errorf("database %q, %v; want that of %s", database, err, address)
	}
	s.Stop()
	s.Stop()
	if conn, err := pgx.Connect(t.Context(), s.URL()); err == nil {
		t.Error("it answers after Stop")
		_ = conn.Close(t.Context())
	}
}

// Why it does not start, it says itself.
func TestRefused(t *testing.T) {
	t.Parallel()

	if _, err := exec.LookPath("pgbouncer"); err != nil {
		t.Skip("pgbouncer is not installed")
	}
	if _, err := pgbouncer.Start(t.Context(), testdb.New(t), "nonsense"); err == nil || !strings.Contains(err.Error(), "pool_mode") {
		t.Errorf("%v; want what is wrong with pool_mode", err)
	}
	if _, err := pgbouncer.Start(t.Context(), "postgres://%", "transaction"); err == nil {
		t.Error("no error for an address that is none")
	}
}

package schemasync_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate/internal/schemasync"
	"github.com/cotenant/cotenant/migrate/internal/sqlfile"
)

// A login that may not make the scratch schema is told what to grant, and its transaction
// goes on.
func TestLearnMayNot(t *testing.T) {
	t.Parallel()
	url := testdb.New(t)
	conn := connect(t, testdb.Role(t, url))
	config := conn.Config()
	execute(t, connect(t, url), "REVOKE CREATE ON DATABASE "+config.Database+" FROM "+config.User)
	err := pgx.BeginFunc(t.Context(), conn, func(tx pgx.Tx) error {
		_, err := schemasync.Learn(t.Context(), tx, [][]sqlfile.Statement{split(t, "CREATE TABLE a ()")}, nil)
		want := "(SQLSTATE 42501) (GRANT CREATE ON DATABASE " + pgx.Identifier{config.Database}.Sanitize() + " TO " + pgx.Identifier{config.User}.Sanitize() + ")"
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("Learn: %v; want … %s", err, want)
		}
		_, err = tx.Exec(t.Context(), "SELECT 1")
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

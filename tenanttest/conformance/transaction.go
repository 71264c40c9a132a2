package conformance

import (
	"database/sql"
	"fmt"
	"strings"

	"github.com/cotenant/cotenant/tenant"
)

// transactionTraps are transactions, and the ends that they take.
func transactionTraps() []trap {
	return []trap{
		{"transaction", transactionEnds},
		{"transactions of other kinds", transactionKinds},
		{"savepoints", savepoints},
		{"transaction control in one text", controlInText},
		{"transaction control, statement by statement", controlByStatement},
		{"panic in a transaction", panicIn},
		{"cursor", cursor},
	}
}

// begin begins a transaction that is rolled back, at the latest, with the trial.
func (tr *trial) begin(t *tenant.Tenant) Tx {
	tr.Helper()
	tx, err := tr.Begin(tr.as(t))
	tr.must(fmt.Sprintf("begin as %v", t), err)
	tr.Cleanup(func() { _ = tx.Rollback(tr.ctx) })
	return tx
}

func transactionEnds(tr *trial) {
	for i := range 4 {
		for _, t := range []*tenant.Tenant{tr.a, tr.b} {
			tx := tr.begin(t)
			tr.owns(tx, t)
			if i%2 == 0 {
				tr.must("commit", tx.Commit(tr.as(t)))
			} else {
				tr.must("rollback", tx.Rollback(tr.as(t)))
			}
			tr.reads(tr, t)
		}
	}
}

// transactionKinds: the options of a transaction reach the server beside the path.
func transactionKinds(tr *trial) {
	beginner := needs[Beginner](tr)
	for _, t := range []*tenant.Tenant{tr.a, tr.b} {
		for _, isolation := range []sql.IsolationLevel{sql.LevelReadCommitted, sql.LevelRepeatableRead, sql.LevelSerializable} {
			for _, readOnly := range []bool{true, false} {
				kind := fmt.Sprintf("%v, read only %t", isolation, readOnly)
				tx, err := beginner.BeginTx(tr.as(t), isolation, readOnly)
				if err != nil {
					tr.Errorf("begin, %s: %v", kind, err)
					continue
				}
				level, err := one[string](tr.as(t), tx, "SELECT current_setting('transaction_isolation')")
				if err != nil || !strings.EqualFold(level, isolation.String()) {
					tr.Errorf("%s: %q, %v", kind, level, err)
				}
				tr.reads(tx, t)
				_, err = tx.Exec(tr.as(t), insertThing, t.ID)
				if refused := sqlstate(err) == "25006"; refused != readOnly {
					tr.Errorf("%s: written: %v", kind, err)
				}
				tr.harmless("commit", tx.Commit(tr.as(t)))
				tr.owns(tr, t)
			}
		}
	}
}

func savepoints(tr *trial) {
	for _, t := range []*tenant.Tenant{tr.a, tr.b} {
		tx := tr.begin(t)
		texts := []string{"SAVEPOINT one", "SELECT 1/0", "ROLLBACK TO one", "SAVEPOINT two", "SET LOCAL search_path TO public", "ROLLBACK TO two"}
		if tr.way.Sessions {
			texts = append(texts, "SET search_path TO public", "ROLLBACK TO one")
		}
		for _, sql := range texts {
			_, err := tx.Exec(tr.as(t), sql)
			tr.harmless(sql, err)
		}
		tr.owns(tx, t)
		tr.must("commit", tx.Commit(tr.as(t)))
		tr.owns(tr, t)
	}
}

// control are texts that end transactions where there may be none, with a write
// behind: it goes to the tenant, or nowhere.
func control() []string {
	return []string{
		"ROLLBACK; INSERT INTO things VALUES ($id)",
		"COMMIT; INSERT INTO things VALUES ($id)",
		"BEGIN; INSERT INTO things VALUES ($id); COMMIT",
		"BEGIN; INSERT INTO things VALUES ($id); ROLLBACK",
		"BEGIN; INSERT INTO things VALUES ($id); ROLLBACK; INSERT INTO things VALUES ($id)",
		"BEGIN; SELECT 1; ROLLBACK AND CHAIN; INSERT INTO things VALUES ($id); COMMIT",
		"BEGIN; COMMIT AND CHAIN; INSERT INTO things VALUES ($id); COMMIT",
		"SELECT 1; ABORT; INSERT INTO things VALUES ($id)",
		"SELECT 1;/**/ROLLBACK;INSERT INTO things VALUES ($id)",
		"SELECT ';' ; -- ;\nrollback\n; INSERT INTO things VALUES ($id)",
		"START TRANSACTION; INSERT INTO things VALUES ($id); END",
		"BEGIN; SAVEPOINT s; ROLLBACK TO s; INSERT INTO things VALUES ($id); COMMIT",
		"BEGIN; PREPARE TRANSACTION 'conformance'",
		"INSERT INTO things VALUES ($id); SELECT 1/0; INSERT INTO things VALUES ($id)",
		"SELECT 1;",
		"",
		";",
	}
}

func controlInText(tr *trial) {
	for _, sql := range control() {
		for _, t := range []*tenant.Tenant{tr.a, tr.b} {
			_, err := tr.Exec(tr.as(t), withID(sql, t))
			tr.harmless(sql, err)
			tr.owns(tr, t)
			tx := tr.begin(t)
			_, err = tx.Exec(tr.as(t), withID(sql, t))
			tr.harmless("in a transaction: "+sql, err)
			_, err = tx.Exec(tr.as(t), insertThing, t.ID)
			tr.harmless("behind it", err)
			tr.harmless("commit", tx.Commit(tr.as(t)))
			tr.owns(tr, t)
		}
	}
}

// The statements come one by one, on a connection that stays open in between.
func controlByStatement(tr *trial) {
	acquirer := needs[Acquirer](tr)
	for _, t := range []*tenant.Tenant{tr.a, tr.b, tr.a} {
		conn, err := acquirer.Acquire(tr.as(t))
		tr.must("acquire", err)
		for _, sql := range []string{
			"ROLLBACK", "INSERT INTO things VALUES ($id)", "BEGIN", "INSERT INTO things VALUES ($id)", "ROLLBACK AND CHAIN",
			"INSERT INTO things VALUES ($id)", "COMMIT AND CHAIN", "INSERT INTO things VALUES ($id)", "ROLLBACK", "INSERT INTO things VALUES ($id)",
			"SELECT 1/0", "INSERT INTO things VALUES ($id)", "BEGIN", "SELECT 1/0", "COMMIT", "INSERT INTO things VALUES ($id)",
		} {
			_, err := conn.Exec(tr.as(t), withID(sql, t))
			tr.harmless(sql, err)
		}
		tr.harmless("read", tr.tries(conn, t))
		conn.Release()
		tr.owns(tr, t)
	}
}

func panicIn(tr *trial) {
	transactor := needs[Transactor](tr)
	for _, t := range []*tenant.Tenant{tr.a, tr.b, tr.a} {
		func() {
			defer func() {
				if recover() == nil {
					tr.Error("the panic was swallowed")
				}
			}()
			tr.harmless("panic", transactor.InTx(tr.as(t), func(s Session) error {
				_, err := s.Exec(tr.as(t), "INSERT INTO things VALUES ($1, 'never')", t.ID)
				tr.must("write", err)
				panic("as meant")
			}))
		}()
		n, err := one[int64](tr.as(t), tr, "SELECT count(*) FROM things WHERE name = 'never'")
		if err != nil || n != 0 {
			tr.Errorf("%d rows of a transaction that panicked, %v", n, err)
		}
	}
	tr.owns(tr, tr.b)
}

func cursor(tr *trial) {
	for _, t := range []*tenant.Tenant{tr.a, tr.b, tr.a} {
		tx := tr.begin(t)
		_, err := tx.Exec(tr.as(t), "DECLARE c CURSOR FOR SELECT owner FROM things")
		tr.must("declare", err)
		found, err := all[int64](tr.as(t), tx, "FETCH ALL FROM c")
		tr.must("fetch", err)
		tr.own(t, found)
		tr.must("commit", tx.Commit(tr.as(t)))
	}
}

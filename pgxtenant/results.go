package pgxtenant

import (
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant/internal/scope"
)

// batchResults are the results of a tenant's batch.
type batchResults struct {
	pgx.BatchResults
	owner scope.Owner
	tx    *transaction // that the batch began, or nil
	done  func()       // gives the connection back; nil if tx does, and after that
}

// newBatchResults returns the results of a batch that was sent on s. The connection
// is the transaction's, if the batch began one.
func newBatchResults(s *session, o scope.Owner, results pgx.BatchResults, done func()) *batchResults {
	b := &batchResults{BatchResults: results, owner: o, done: done}
	if tx := results.Tx(); tx != nil {
		b.tx = &transaction{session: s, owner: b.owner, tx: tx, done: done}
		b.done = nil
	}
	return b
}

// Close reads what was not read.
func (b *batchResults) Close() error {
	err := b.BatchResults.Close()
	if done := b.done; done != nil {
		b.done = nil
		done()
	}
	return refused(b.owner, err)
}

// Exec reads the result of the next statement.
func (b *batchResults) Exec() (pgconn.CommandTag, error) {
	tag, err := b.BatchResults.Exec()
	return tag, refused(b.owner, err)
}

// Query reads the rows of the next statement.
func (b *batchResults) Query() (pgx.Rows, error) {
	r, err := b.BatchResults.Query()
	return &rows{Rows: r, owner: b.owner}, refused(b.owner, err)
}

// QueryRow reads the row of the next statement.
func (b *batchResults) QueryRow() pgx.Row {
	r, _ := b.Query()
	return row{r}
}

// Tx returns the transaction that the batch began, or nil.
func (b *batchResults) Tx() pgx.Tx {
	if b.tx == nil {
		return nil
	}
	return b.tx
}

// The errors of checkBatch.
var (
	errNoBatch = errors.New("the batch is nil (queue statements on a &pgx.Batch{})")
	errNoText  = errors.New("the batch has a statement without a text (leave it out)")
)

// checkBatch refuses a batch that pgx would panic about.
func checkBatch(b *pgx.Batch) error {
	if b == nil {
		return errNoBatch
	}
	for _, q := range b.QueuedQueries {
		if q == nil || q.SQL == "" {
			return errNoText
		}
	}
	return nil
}

// failedBatch are the results of a batch that was refused before it was sent.
type failedBatch struct {
	pgx.BatchResults
	err error
}

// failBatch returns the results of b, which was refused.
func failBatch(b *pgx.Batch, err error) failedBatch {
	if b == nil {
		b = &pgx.Batch{}
	}
	return failedBatch{pgx.FailedBatchResults(b, err), err}
}

// Tx returns a transaction whose methods return the error, if the batch would have
// begun one.
func (b failedBatch) Tx() pgx.Tx {
	if b.BatchResults.Tx() == nil {
		return nil
	}
	return &transaction{err: b.err}
}

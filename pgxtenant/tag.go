package pgxtenant

import (
	"context"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/jackc/pgx/v5"
)

// tagging tags what another rewriter makes of a statement.
type tagging struct {
	pgx.QueryRewriter
	tag string
}

// RewriteQuery rewrites the statement.
func (r tagging) RewriteQuery(ctx context.Context, conn *pgx.Conn, sql string, args []any) (newSQL string, newArgs []any, err error) {
	sql, args, err = r.QueryRewriter.RewriteQuery(ctx, conn, sql, args)
	return sql + r.tag, args, err
}

// texts remembers the last statements that were seen. It is safe for concurrent
// use.
type texts lru.Cache[text, string]

// text is a statement as the application wrote it, and its tag.
type text struct{ sql, tag string }

// newTexts returns a memory for n statements.
func newTexts(n int) (*texts, error) {
	seen, err := lru.New[text, string](n)
	return (*texts)(seen), err
}

// see returns the tagged text, and whether it was remembered.
func (t *texts) see(sql, tag string) (string, bool) {
	seen, key := (*lru.Cache[text, string])(t), text{sql, tag}
	if s, ok := seen.Get(key); ok {
		return s, true
	}
	s := sql + tag
	seen.Add(key, s)
	return s, false
}

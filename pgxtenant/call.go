package pgxtenant

import (
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/scope"
)

// call is a statement on its way through pgx.
type call struct {
	text  string // as pgx has it
	sql   string // as the application wrote it
	args  []any
	batch *pgx.Batch // the application's, if it is a batch

	remembers bool // pgx may know its types from an earlier time
	described bool // it did not: the types come from the server
}

// options are the leading arguments of a call that are meant for pgx.
type options struct {
	n        int // how many there are
	mode     pgx.QueryExecMode
	rewriter int // where that is, or -1
}

// optionsOf looks at args as pgx does.
func optionsOf(args []any) options {
	o := options{rewriter: -1}
	for _, arg := range args {
		switch arg := arg.(type) {
		case pgx.QueryExecMode:
			o.mode = arg
		case pgx.QueryRewriter:
			o.rewriter = o.n
		case pgx.QueryResultFormats, pgx.QueryResultFormatsByOID:
		default:
			return o
		}
		o.n++
	}
	return o
}

// begin notes a statement of the application, and returns it as pgx is to have it:
// with the owner's tag, and in the mode that pays.
func (s *session) begin(sql string, args []any, exec bool) (text string, given []any) {
	s.call = call{sql: sql, args: args}
	s.call.text, given = s.dress(sql, args, exec)
	return s.call.text, given
}

// dress returns the statement of begin. Each mode that it may choose has the server
// describe the statement, as the others encode some values in another way.
func (s *session) dress(sql string, args []any, exec bool) (text string, given []any) {
	if _, ok := s.named[sql]; ok || scope.IsBlank(sql) {
		return sql, args
	}
	o := optionsOf(args)
	if o.rewriter >= 0 {
		args = slices.Clone(args)
		args[o.rewriter] = tagging{args[o.rewriter].(pgx.QueryRewriter), s.place.tag}
	}
	mode := o.mode
	bare := exec && o.rewriter < 0 && o.n == len(args) // pgx sends it as it is
	if mode == 0 && !bare {
		if text, mode = s.db.see(sql, s.place.tag); mode != 0 {
			args = slices.Concat([]any{mode}, args)
		}
	} else {
		text = sql + s.place.tag
	}
	s.call.remembers = !bare && (mode == pgx.QueryExecModeCacheDescribe || mode == pgx.QueryExecModeCacheStatement)
	if o.rewriter >= 0 {
		text = sql
	}
	return text, args
}

// see returns the tagged text, and the mode to send it in: prepared if it came back
// while it was remembered, else described. It is 0 where the connection's own mode
// is to be left alone.
func (db *DB) see(sql, tag string) (string, pgx.QueryExecMode) {
	if db.texts == nil {
		return sql + tag, db.mode
	}
	text, again := db.texts.see(sql, tag)
	if again {
		return text, pgx.QueryExecModeCacheStatement
	}
	return text, db.mode
}

// beginBatch notes a batch of the application, and returns a copy for pgx whose
// statements have the owner's tag, so that the application's can be sent again, and
// for another tenant. The callbacks are the same.
func (s *session) beginBatch(b *pgx.Batch) *pgx.Batch {
	s.call = call{batch: b}
	copied := *b
	copied.QueuedQueries = make([]*pgx.QueuedQuery, len(b.QueuedQueries))
	for i, q := range b.QueuedQueries {
		sql, args := q.SQL, q.Arguments
		if len(args) > 0 {
			if r, ok := args[0].(pgx.QueryRewriter); ok {
				args = append([]any{tagging{r, s.place.tag}}, args[1:]...)
				copied.QueuedQueries[i] = &pgx.QueuedQuery{SQL: sql, Arguments: args, Fn: q.Fn}
				continue
			}
		}
		if _, ok := s.named[sql]; !ok && !scope.IsBlank(sql) {
			sql += s.place.tag
		}
		copied.QueuedQueries[i] = &pgx.QueuedQuery{SQL: sql, Arguments: args, Fn: q.Fn}
	}
	return &copied
}

// batchMode chooses the mode of the batch that begins now, for which pgx has no
// option: a tagged one may be remembered. One in QueryExecModeExec is described
// instead: pgconn writes such a batch past the frontend, and so past what sets the
// path. restore has the connection's own mode again.
func (s *session) batchMode(tagged bool) {
	switch {
	case tagged && s.db.mode != 0:
		s.config.DefaultQueryExecMode = s.db.mode
	case s.mode == pgx.QueryExecModeExec:
		s.config.DefaultQueryExecMode = pgx.QueryExecModeDescribeExec
	}
}

func (s *session) restore() { s.config.DefaultQueryExecMode = s.mode }

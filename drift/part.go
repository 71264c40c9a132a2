package drift

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/internal/catalog"
	"github.com/cotenant/cotenant/tenant"
)

// Roots are the objects of the snapshot that belong to no other, and stand for all that
// belongs to them: "table things", "function total(integer)". They are in the order of
// their names within a kind. Extensions, which schemas share, are none.
func (s *Snapshot) Roots() []string {
	var roots []string
	for _, o := range s.objects {
		if o.Of == "" && o.Kind != catalog.Extension {
			roots = append(roots, o.Key())
		}
	}
	return roots
}

// Only returns what the snapshot has of some roots, with all that belongs to them.
func (s *Snapshot) Only(roots map[string]bool) *Snapshot {
	owners := make(map[string]string, len(s.objects))
	for _, o := range s.objects {
		owners[o.Key()] = o.Of
	}
	part := &Snapshot{options: s.options}
	for _, o := range s.objects {
		root := o.Key()
		for owners[root] != "" {
			root = owners[root]
		}
		if roots[root] {
			part.objects = append(part.objects, o)
		}
	}
	part.fingerprint = s.options.fingerprint(part.objects)
	return part
}

// Empty reports whether the snapshot has nothing.
func (s *Snapshot) Empty() bool { return len(s.objects) == 0 }

// ReadSettled is Read with the settings of the session that Find and Reader have, so that
// the snapshot can be compared with theirs. tx is afterwards as before.
func ReadSettled(ctx context.Context, tx pgx.Tx, schema tenant.Schema, options *Options) (*Snapshot, error) {
	nested, err := tx.Begin(ctx)
	if err != nil {
		return nil, err
	}
	var s *Snapshot
	if err = settle(ctx, nested, true); err == nil {
		s, err = Read(ctx, nested, schema, options)
	}
	if undo := nested.Rollback(ctx); err == nil {
		err = undo
	}
	return s, err
}

// Reader reads the snapshots of many schemas, one after the other, over connections of its
// own, which it replaces when they have read much. It is not safe for concurrent use.
type Reader struct{ reader reader }

// NewReader returns a Reader. The pool leads to the server itself, not to a pooler, and is
// not scoped to tenants; its connections are closed after they were used. Close must be
// called in the end.
func NewReader(pool *pgxpool.Pool, options *Options) *Reader {
	if options == nil {
		options = &Options{}
	}
	return &Reader{reader{pool: pool, options: options}}
}

// Read reads a schema, and again where it is changed meanwhile. The error wraps
// tenant.ErrSchemaNotFound if there is no such schema.
func (r *Reader) Read(ctx context.Context, schema tenant.Schema) (*Snapshot, error) {
	return r.reader.snapshot(ctx, schema, (*Options).read)
}

// Close gives up the connection.
func (r *Reader) Close(ctx context.Context) { r.reader.close(ctx) }

// Access is who may do what with an object.
type Access struct {
	Owner string
	// Grants are what others than the owner may, each as role=letter, sorted.
	Grants []string
}

// Access returns that to some of the objects, by their names: "table things". It is no part
// of the fingerprint, and is known without Options.Access.
func (s *Snapshot) Access(some func(object string) bool) map[string]Access {
	all := map[string]Access{}
	for _, o := range s.objects {
		key := o.Key()
		if o.Access == "" || o.Kind == accessKind || !some(key) {
			continue
		}
		if owner, grants := o.Grants(); owner != "" {
			all[key] = Access{Owner: owner, Grants: grants}
		}
	}
	return all
}

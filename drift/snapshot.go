package drift

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/catalog"
	"github.com/cotenant/cotenant/tenant"
)

// Fingerprint is the SHA-256 of what a schema has. Two schemas with one fingerprint have
// the same, compared with the same options on the same version of PostgreSQL.
type Fingerprint [sha256.Size]byte

// String is the fingerprint in hex.
func (f Fingerprint) String() string { return hex.EncodeToString(f[:]) }

// MarshalText is String, for JSON.
func (f Fingerprint) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// Snapshot is what a schema had when it was read. It does not change, so it is safe for
// concurrent use.
type Snapshot struct {
	fingerprint Fingerprint
	objects     []catalog.Object // by key
	needs       map[string][]string
	options     *Options
}

// Fingerprint tells the snapshot from others of the same options.
func (s *Snapshot) Fingerprint() Fingerprint { return s.fingerprint }

// Read reads a schema, in one query, or two with Access. Of the options Access,
// ColumnOrder and Comments matter; nil is all defaults. The error wraps
// tenant.ErrSchemaNotFound if there is no such schema.
//
// What PostgreSQL writes of dates, numbers and names depends on the settings of the
// session: they must be the same for all snapshots that are compared.
func Read(ctx context.Context, tx pgx.Tx, schema tenant.Schema, options *Options) (*Snapshot, error) {
	if options == nil {
		options = &Options{}
	}
	return options.read(ctx, tx, schema)
}

func (o *Options) read(ctx context.Context, tx pgx.Tx, schema tenant.Schema) (*Snapshot, error) {
	objects, err := catalog.Read(ctx, tx, schema)
	if err != nil {
		return nil, err
	}
	return o.snapshot(ctx, tx, schema, objects)
}

// readNeeds is Read that also reads what the objects need, for a repair.
func (o *Options) readNeeds(ctx context.Context, tx pgx.Tx, schema tenant.Schema) (*Snapshot, error) {
	if !o.Repair {
		return o.read(ctx, tx, schema)
	}
	objects, needs, err := catalog.ReadNeeds(ctx, tx, schema.String())
	if err != nil {
		return nil, err
	}
	s, err := o.snapshot(ctx, tx, schema, objects)
	if err == nil {
		s.needs = needs
	}
	return s, err
}

// Kinds of what is compared only if that is asked for.
const (
	accessKind catalog.Kind = "access to"
	orderKind  catalog.Kind = "column order of"
)

// snapshot makes a snapshot of objects.
func (o *Options) snapshot(ctx context.Context, tx pgx.Tx, schema tenant.Schema, objects []catalog.Object) (*Snapshot, error) {
	if o.Access {
		more, err := catalog.ReadAccess(ctx, tx, schema.String())
		if err != nil {
			return nil, err
		}
		objects = append(objects, more...)
	}
	if o.ColumnOrder {
		objects = append(objects, columnOrders(objects)...)
	}
	s := &Snapshot{options: o}
	for _, object := range objects {
		if o.Access && object.Access != "" {
			s.objects = append(s.objects, catalog.Object{Kind: accessKind, Name: strings.TrimSpace(object.Key()), Of: ownerOf(object), Definition: object.Access})
		}
		switch object.Kind {
		case catalog.SchemaItself:
			continue // it has nothing else
		case catalog.Extension:
			if o.noExtensions {
				continue
			}
		case catalog.Comment:
			if !o.Comments {
				continue
			}
		case catalog.Function, catalog.Procedure: // their text is the application's
		default:
			object.Definition = catalog.Normal(object.Definition)
		}
		s.objects = append(s.objects, object)
	}
	slices.SortFunc(s.objects, func(a, b catalog.Object) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	s.fingerprint = o.fingerprint(s.objects)
	return s, nil
}

// ownerOf is what the access to an object belongs to: with that it comes and goes.
func ownerOf(o catalog.Object) string {
	if o.Kind == catalog.SchemaItself {
		return ""
	}
	return o.Key()
}

// columnOrders are the orders of the columns of all tables.
func columnOrders(objects []catalog.Object) []catalog.Object {
	columns := map[string][]catalog.Object{}
	for _, o := range objects {
		if o.Kind == catalog.Column {
			columns[o.Of] = append(columns[o.Of], o)
		}
	}
	orders := make([]catalog.Object, 0, len(columns))
	for table, list := range columns {
		slices.SortFunc(list, func(a, b catalog.Object) int { return cmp.Compare(a.Position, b.Position) })
		_, prefix, _ := strings.Cut(table, " ")
		prefix = strings.TrimPrefix(prefix, "table ") // of "foreign table things"
		names := make([]string, len(list))
		for i, o := range list {
			names[i] = strings.TrimPrefix(o.Name, prefix+".")
		}
		orders = append(orders, catalog.Object{Kind: orderKind, Name: prefix, Of: table, Definition: strings.Join(names, ", ")})
	}
	return orders
}

// format changes when equal schemas get another fingerprint than before.
const format = "cotenant drift 1"

// fingerprint is of objects in their order. Each text has its length before it, so that
// none can pass for two.
func (o *Options) fingerprint(objects []catalog.Object) (f Fingerprint) {
	h := sha256.New()
	write(h, fmt.Sprintf("%s access=%t column-order=%t comments=%t", format, o.Access, o.ColumnOrder, o.Comments))
	for _, object := range objects {
		write(h, string(object.Kind), object.Name, object.Of, object.Definition)
	}
	h.Sum(f[:0])
	return f
}

func write(h hash.Hash, texts ...string) {
	var length [8]byte
	for _, text := range texts {
		binary.BigEndian.PutUint64(length[:], uint64(len(text)))
		_, _ = h.Write(length[:]) // it never fails
		_, _ = h.Write([]byte(text))
	}
}

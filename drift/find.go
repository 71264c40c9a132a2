package drift

import (
	"context"
	"errors"
	"fmt"

	"github.com/cenkalti/backoff/v5"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/tenant"
)

// Find reads the schemas, and tells which of them differ from the reference, and in what:
//
//  1. The reference is read: a schema that Build makes in a transaction that is rolled
//     back, or the one that Like names.
//  2. Every schema is read, several at a time, and is forgotten but for its fingerprint
//     and its name. Connections that have read much are replaced.
//  3. Those of one fingerprint are a group. With Majority the largest is the reference.
//  4. For each group one schema is read again, and compared object by object.
//
// Schemas that are not there or cannot be read are in the report, and the rest goes on.
// The error is about the whole: the reference, the list of schemas, the connections. Find
// changes nothing that lasts.
func Find(ctx context.Context, config *Config) (*Report, error) {
	c, err := config.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("drift: %w", err)
	}
	report, err := (&finder{Config: c}).find(ctx)
	if err != nil {
		return nil, fmt.Errorf("drift: %w", err)
	}
	return report, nil
}

// finder is a call of Find.
type finder struct {
	*Config
	collector
}

func (f *finder) find(ctx context.Context) (*Report, error) {
	if f.Count != nil {
		n, err := f.Count(ctx)
		if err != nil {
			return nil, err
		}
		if f.OnStart != nil {
			f.OnStart(n)
		}
	}
	reference, name, err := f.reference(ctx)
	if err != nil {
		return nil, err
	}
	if reference != nil {
		f.collector.reference = &reference.fingerprint
	}
	if err := f.readAll(ctx); err != nil {
		return nil, err
	}
	r := f.reader()
	defer r.close(ctx)
	if f.Majority {
		if reference, name, err = f.majority(ctx, r); err != nil {
			return nil, err
		}
	}
	return f.report(ctx, r, reference, name)
}

func (f *finder) reader() *reader { return &reader{pool: f.Pool, options: &f.Options} }

// reference reads what all schemas are compared with, and says in words what that is; it
// is nil where that is not known before they were read.
func (f *finder) reference(ctx context.Context) (*Snapshot, string, error) {
	if f.Majority {
		return nil, "", nil
	}
	r := f.reader()
	defer r.close(ctx)
	if f.Like.IsZero() {
		s, err := r.fresh(ctx, f.Build)
		return s, "a fresh build", err
	}
	s, err := r.withNeeds(ctx, f.Like)
	if errors.Is(err, tenant.ErrSchemaNotFound) {
		err = fmt.Errorf("schema %q, to compare with: %w (name one that is there)", f.Like, tenant.ErrSchemaNotFound)
	} else if err != nil {
		err = fmt.Errorf("schema %q, to compare with: %w", f.Like, err)
	}
	return s, "schema " + f.Like.String(), err
}

// fresh reads what build makes.
func (r *reader) fresh(ctx context.Context, build func(context.Context, pgx.Tx) (tenant.Schema, error)) (*Snapshot, error) {
	s, err := backoff.Retry(ctx, func() (s *Snapshot, err error) {
		conn, err := r.pool.Acquire(ctx)
		if err != nil {
			return nil, &connError{err}
		}
		r.conn = conn
		defer r.close(ctx) // the files may have done anything to the session
		tx, err := conn.Begin(ctx)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, tx.Rollback(context.WithoutCancel(ctx))) }()
		schema, err := build(ctx, tx)
		if err == nil {
			if err = settle(ctx, tx, true); err == nil {
				s, err = r.options.readNeeds(ctx, tx, schema)
			}
		}
		if err != nil && !dberr.IsBeside(err) {
			err = backoff.Permanent(err)
		}
		return s, err
	}, backoff.WithMaxTries(attempts), backoff.WithBackOff(pauses()))
	if err != nil {
		return nil, fmt.Errorf("a fresh build, to compare with: %w", err)
	}
	return s, nil
}

// withNeeds reads a schema that is a reference.
func (r *reader) withNeeds(ctx context.Context, schema tenant.Schema) (*Snapshot, error) {
	return r.snapshot(ctx, schema, (*Options).readNeeds)
}

// job is a schema to read, and which of them it is.
type job struct {
	index  int
	schema tenant.Schema
}

// readAll reads all schemas, for the collector.
func (f *finder) readAll(ctx context.Context) error {
	todo := make(chan job)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(todo)
		return f.list(ctx, todo)
	})
	for range f.Jobs {
		group.Go(func() error {
			r := f.reader()
			defer func() { r.close(ctx) }()
			for j := range todo {
				s, err := r.snapshot(ctx, j.schema, (*Options).read)
				if _, ok := errors.AsType[*connError](err); ok || ctx.Err() != nil {
					return err
				}
				f.add(j, s, err, f.OnSchema)
			}
			return nil
		})
	}
	return group.Wait()
}

// list sends the schemas to todo.
func (f *finder) list(ctx context.Context, todo chan<- job) error {
	index := 0
	for schema, err := range f.Schemas {
		if errors.Is(err, tenant.ErrInvalidSchema) {
			f.add(job{index: index}, nil, err, f.OnSchema)
			index++
			continue
		}
		if err != nil {
			return err
		}
		select {
		case todo <- job{index, schema}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		index++
	}
	return nil
}

// majority reads the schema that stands for most, and takes its group for the reference.
func (f *finder) majority(ctx context.Context, r *reader) (*Snapshot, string, error) {
	most := f.largest()
	if most == nil {
		return nil, "", errors.New("no schema could be read, so there is no majority (see which schemas are selected)")
	}
	if f.unlisted >= most.count { // they may all have the same
		return nil, "", fmt.Errorf("the schemas have more than %d kinds of content, so which is the most frequent is not known (compare with a fresh build, or with a schema that is as it should be)", maxGroups)
	}
	first := most.members[0].schema
	s, err := r.withNeeds(ctx, first)
	if err != nil {
		return nil, "", fmt.Errorf("schema %q, which stands for most: %w", first, err)
	}
	if s.fingerprint != most.fingerprint {
		return nil, "", fmt.Errorf("schema %q, which stands for most, was changed while the others were read (run it again)", first)
	}
	return s, fmt.Sprintf("the majority, such as schema %s", first), nil
}

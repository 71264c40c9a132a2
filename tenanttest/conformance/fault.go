package conformance

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// fault is what is done to an operation, or to whatever else goes on while it runs.
type fault struct {
	limit time.Duration                   // the operation's time, or negative
	run   func(ctx context.Context) error // runs beside it
}

// fault chooses one, most often none. Per thousand operations: 20 run out of time
// somewhere between the first and the last byte, 10 see a cancel request go to some
// connection, 2 a backend killed, 12 a schema renamed, 4 a schema dropped, of those
// that may be. What replaces connections costs most of the storm's time.
func (w *worker) fault(h *house) fault {
	if w.storm.config.Calm {
		return fault{limit: -1}
	}
	town, n := w.storm.town, w.random.IntN(1000)
	switch {
	case n < 20:
		w.tally.faults["contexts ended"]++
		return fault{limit: w.moment()}
	case n < 30:
		w.tally.faults["cancel requests"]++
		return fault{-1, func(ctx context.Context) error { return town.strike(ctx, "pg_cancel_backend") }}
	case n < 32:
		w.tally.faults["backends killed"]++
		return fault{-1, func(ctx context.Context) error { return town.strike(ctx, "pg_terminate_backend") }}
	case n < 44 && !h.stable && h.away.TryLock():
		w.tally.faults["schemas renamed"]++
		return fault{-1, func(ctx context.Context) error {
			defer h.away.Unlock()
			return town.renameAndBack(ctx, h, w.storm.way.Blinks)
		}}
	case n < 48 && !h.stable && h.away.TryLock():
		w.tally.faults["schemas dropped"]++
		return fault{-1, func(ctx context.Context) error {
			defer h.away.Unlock()
			return town.dropAndBuild(ctx, h, w.storm.way.Blinks)
		}}
	}
	return fault{limit: -1}
}

// renameAndBack gives a schema another name, and its own again: at once, or where a
// blink is not noticed when nothing that saw it before goes on.
func (w *town) renameAndBack(ctx context.Context, h *house, blink bool) error {
	name := pgx.Identifier{h.Schema.String()}.Sanitize()
	away := pgx.Identifier{h.Schema.String() + "_away"}.Sanitize()
	if err := w.exec(ctx, "ALTER SCHEMA "+name+" RENAME TO "+away); err != nil {
		return err
	}
	if !blink {
		h.settled()
	}
	return w.exec(ctx, "ALTER SCHEMA "+away+" RENAME TO "+name)
}

// dropAndBuild drops a schema, if that does not take too long, and makes it anew. It is
// renamed away first: PostgreSQL lets others see that its tables are gone before it
// tells them that the schema is, so that in between names are found in public, and a
// look-up of the schema that is cached does not notice.
func (w *town) dropAndBuild(ctx context.Context, h *house, blink bool) error {
	name := pgx.Identifier{h.Schema.String()}.Sanitize()
	away := pgx.Identifier{h.Schema.String() + "_away"}.Sanitize()
	if err := w.exec(ctx, "ALTER SCHEMA "+name+" RENAME TO "+away); err != nil {
		return err
	}
	err := w.exec(ctx, "SET LOCAL lock_timeout = '1s'; DROP SCHEMA "+away+" CASCADE")
	if code := sqlstate(err); code == "55P03" || code == "40P01" {
		// A statement holds it: another time.
		if !blink {
			h.settled()
		}
		return w.exec(ctx, "ALTER SCHEMA "+away+" RENAME TO "+name)
	}
	if err != nil {
		return err
	}
	if !blink {
		h.settled()
	}
	return w.build(ctx, h.Tenant)
}

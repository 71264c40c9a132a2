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

// fault chooses one, most often none: Config.Faults of a thousand operations. Of 48,
// 20 run out of time somewhere between the first and the last byte, 10 see a cancel
// request go to some connection, 2 a backend killed, 12 a schema renamed, 4 a schema
// dropped, of those that may be.
func (w *worker) fault(h *house) fault {
	if w.storm.config.Calm || w.random.IntN(1000) >= w.storm.config.Faults {
		return fault{limit: -1}
	}
	town, way := w.storm.town, w.storm.way
	// A call that ran out of time may still be at it, for a schema that is gone.
	limited := h.stable || way.Watched
	switch n := w.random.IntN(faultsUsual); {
	case n < 20 && limited:
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
			return town.renameAndBack(ctx, h, way)
		}}
	case n >= 44 && !h.stable && h.away.TryLock():
		w.tally.faults["schemas dropped"]++
		return fault{-1, func(ctx context.Context) error {
			defer h.away.Unlock()
			return town.dropAndBuild(ctx, h, way)
		}}
	}
	return fault{limit: -1}
}

// leaves gives a schema another name: beside what goes on in it, or where that is not
// noticed when nothing does.
func (w *town) leaves(ctx context.Context, h *house, way Way) error {
	if !way.Watched {
		h.busy.Lock()
		defer h.busy.Unlock()
	}
	return w.exec(ctx, "ALTER SCHEMA "+h.quoted()+" RENAME TO "+h.quotedAway())
}

// comesBack gives it its own name again: at once, or where a blink is not noticed when
// nothing that saw it before goes on.
func (w *town) comesBack(ctx context.Context, h *house, way Way) error {
	if !way.Blinks {
		h.settled()
	}
	return w.exec(ctx, "ALTER SCHEMA "+h.quotedAway()+" RENAME TO "+h.quoted())
}

func (h *house) quoted() string     { return pgx.Identifier{h.Schema.String()}.Sanitize() }
func (h *house) quotedAway() string { return pgx.Identifier{h.Schema.String() + "_away"}.Sanitize() }

func (w *town) renameAndBack(ctx context.Context, h *house, way Way) error {
	if err := w.leaves(ctx, h, way); err != nil {
		return err
	}
	return w.comesBack(ctx, h, way)
}

// dropAndBuild drops a schema, if that does not take too long, and makes it anew. It is
// renamed away first: PostgreSQL lets others see that its tables are gone before it
// tells them that the schema is, so that in between names are found in public, and a
// look-up of the schema that is cached does not notice.
func (w *town) dropAndBuild(ctx context.Context, h *house, way Way) error {
	if err := w.leaves(ctx, h, way); err != nil {
		return err
	}
	err := w.exec(ctx, "SET LOCAL lock_timeout = '1s'; DROP SCHEMA "+h.quotedAway()+" CASCADE")
	if code := sqlstate(err); code == "55P03" || code == "40P01" {
		return w.comesBack(ctx, h, way) // a statement holds it: another time
	}
	if err != nil {
		return err
	}
	// Nothing goes on in it while it is made: PostgreSQL shows a schema a moment before it
	// tells other sessions of the functions that are in it.
	h.busy.Lock()
	defer h.busy.Unlock()
	return w.build(ctx, h.Tenant)
}

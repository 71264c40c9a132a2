package conformance

import (
	"bytes"
	"context"
	"fmt"
	"strings"
)

// readings are the operations that only read.
func readings() []operation {
	return []operation{
		{"read", 60, func(g *gust, ctx context.Context) error {
			return g.reads(ctx, g, "SELECT owner, pg_backend_pid() FROM things LIMIT 3", g.mode()...)
		}},
		{"read the extremes", 15, func(g *gust, ctx context.Context) error {
			const sql = "SELECT min(owner), pg_backend_pid() FROM things UNION ALL SELECT max(owner), pg_backend_pid() FROM things"
			return g.reads(ctx, g, sql, g.mode()...)
		}},
		{"read by a parameter", 30, func(g *gust, ctx context.Context) error {
			return g.reads(ctx, g, "SELECT owner, pg_backend_pid() FROM people WHERE mood = $1", g.mode(label(g.ID))...)
		}},
		{"read a function", 15, func(g *gust, ctx context.Context) error {
			return g.reads(ctx, g, "SELECT whoami(), pg_backend_pid()", g.mode()...)
		}},
		{"read any table", 30, func(g *gust, ctx context.Context) error {
			return g.reads(ctx, g, "SELECT owner, pg_backend_pid() FROM "+pick(g.random, tables)+" LIMIT 2", g.mode()...)
		}},
		{"read types", 24, func(g *gust, ctx context.Context) error { return g.person(ctx, g, g.mode()...) }},
		{"read another migration", 24, func(g *gust, ctx context.Context) error { return g.profile(ctx, g, g.mode()...) }},
	}
}

func (g *gust) person(ctx context.Context, s Session, mode ...any) error {
	got, err := readPerson(ctx, s, append(mode, label(g.ID))...)
	if err == nil && got != person(g.ID) {
		err = fmt.Errorf("%w: %q", foreignError{g.ID, 0}, got)
	}
	return err
}

func (g *gust) profile(ctx context.Context, s Session, mode ...any) error {
	got, err := readProfile(ctx, s, g.ID, mode...)
	if err == nil && got != profile(g.ID) {
		err = fmt.Errorf("%w: %q", foreignError{g.ID, 0}, got)
	}
	return err
}

func (g *gust) copyOut(ctx context.Context) error {
	out, err := g.Access.(Copier).CopyOut(ctx, "COPY (SELECT owner FROM things LIMIT 5) TO STDOUT")
	if err != nil {
		return err
	}
	for line := range bytes.Lines(out) {
		if got := strings.TrimSpace(string(line)); got != literal(g.ID) {
			return fmt.Errorf("%w: %q", foreignError{g.ID, 0}, got)
		}
	}
	return nil
}

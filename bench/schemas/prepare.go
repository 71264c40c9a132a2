package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/jackc/pgx/v5"
)

// prepare does what is not measured without waiting for the disk: a schema is a dozen
// files, and each would be waited for. Before it returns all is on the disk, and the
// server waits for that again.
func (b *bench) prepare(ctx context.Context, f func() error) (err error) {
	if b.fast {
		return f()
	}
	if err := b.setFsync(ctx, "off"); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, execute(ctx, b.url, "CHECKPOINT"), b.setFsync(ctx, "on"), writeBack(ctx), execute(ctx, b.url, "CHECKPOINT"))
	}()
	return f()
}

// writeBack has the system write what the server did not wait for. Where there is no
// such program it does that at some other time, and may disturb a turn.
func writeBack(ctx context.Context) error {
	err := exec.CommandContext(ctx, "sync").Run()
	if errors.Is(err, exec.ErrNotFound) {
		return nil
	}
	return err
}

// setFsync returns when connections have the setting.
func (b *bench) setFsync(ctx context.Context, value string) error {
	if err := execute(ctx, b.url, "ALTER SYSTEM SET fsync = "+value, "SELECT pg_reload_conf()"); err != nil {
		return err
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, b.url)
		if err != nil {
			return err
		}
		var now string
		err = conn.QueryRow(ctx, "SHOW fsync").Scan(&now)
		if err := errors.Join(err, conn.Close(ctx)); err != nil {
			return fmt.Errorf("fsync: %w", err)
		}
		if now == value {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/migrate"
)

// open opens a tenancy with the apps in a folder. What it sends goes through the tap,
// unless that is nil.
func open(ctx context.Context, url, dir string, tap *tap) (*cotenant.Tenancy, error) {
	pool, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	if tap != nil {
		dial := pool.ConnConfig.DialFunc
		pool.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &tappedConn{Conn: conn, tap: tap}, nil
		}
	}
	config := &cotenant.Config{Pool: pool, TenantApps: migrate.Dirs(os.DirFS(dir), appName)}
	if _, err := os.Stat(filepath.Join(dir, sharedName)); err == nil {
		config.SharedApps = migrate.Dirs(os.DirFS(dir), sharedName)
	}
	return cotenant.Open(ctx, config)
}

// migrateAll brings the schemas of a tenancy to where its files are, and looks that as
// many were behind as should be.
func migrateAll(ctx context.Context, t *cotenant.Tenancy, options *migrate.RunOptions, behind int) error {
	done, err := t.Fleet().Migrate(ctx, &migrate.MigrateOptions{RunOptions: *options})
	if err != nil {
		return err
	}
	if done.Done != behind || done.Failed != 0 || done.Untouched != 0 {
		return fmt.Errorf("of %d schemas that were behind, %d were migrated, %d failed and %d were not touched", behind, done.Done, done.Failed, done.Untouched)
	}
	return nil
}

// ours is a turn of cotenant, whose program has opened its tenancy: that is the same
// however many schemas there are, and in another table.
func ours(ctx context.Context, b *bench, f *fleet, dir string, want int) (time.Duration, error) {
	t, err := open(ctx, f.url, dir, nil)
	if err != nil {
		return 0, err
	}
	defer t.Close()
	return timed(func() error {
		return migrateAll(ctx, t, &migrate.RunOptions{Jobs: b.jobs}, min(want, 1)*len(f.schemas))
	})
}

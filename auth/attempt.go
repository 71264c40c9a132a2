package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/tenant"
)

// attemptWindow is how long failures are remembered after the last one.
const attemptWindow = 24 * time.Hour

// bound is what attempts are counted for, and how many may fail before one has to wait. Keys
// are hashed: people type passwords in place of names, too.
type bound struct {
	key  [sha256.Size]byte
	free int
}

// bounds are those of an attempt to be u, who may be nil: of the name with the address, and of
// the address. A device that u has logged in from has one of its own in place of both.
func (a *Auth) bounds(c Credentials, u *User) []bound {
	if u.knowsDevice(c.Device) {
		return []bound{{sha256.Sum256([]byte("device\x00" + c.Device)), a.config.Failures}}
	}
	name, err := ParseUsername(c.Username)
	if err != nil {
		name = strings.ToLower(c.Username)
	}
	address := network(c.Address).String()
	return []bound{
		{sha256.Sum256([]byte("name\x00" + address + "\x00" + name)), a.config.Failures},
		{sha256.Sum256([]byte("address\x00" + address)), a.config.AddressFailures},
	}
}

// network is what one client has: an address, or with IPv6 the 64 bits in front, behind
// which it has as many as it likes.
func network(address netip.Addr) netip.Prefix {
	address = address.Unmap().WithZone("")
	bits := 32
	if address.Is6() {
		bits = 64
	}
	prefix, _ := address.Prefix(bits) // it fails only for bits that an address does not have
	return prefix
}

// count counts an attempt as failed, for each bound, or returns a *LockedError and counts it
// for none. What is old is cleared: more rows than an attempt can add.
func (a *Auth) count(ctx context.Context, home tenant.Schema, bounds []bound) error {
	attempts := table(home, "auth_attempt")
	// All take the row of a name before that of an address, so that none waits for one that
	// waits for it.
	err := pgx.BeginFunc(ctx, a.db, func(tx pgx.Tx) error {
		for _, b := range bounds {
			if err := a.countKey(ctx, tx, attempts, b.key[:], b.free); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	// On its own it waits for no row, and so nobody can wait for it and be waited for.
	_, err = a.db.Exec(ctx, "DELETE FROM "+attempts+" WHERE key IN (SELECT key FROM "+attempts+" WHERE last_failure < now() - $1::interval ORDER BY last_failure LIMIT 10 FOR UPDATE SKIP LOCKED)", attemptWindow)
	return err
}

// waits is how long one has to wait after the last failure: 2 to the power of those beyond
// $2, in seconds, and at most $3.
const waits = "CASE WHEN failures < $2::int THEN interval '0' ELSE least(power(2, least(failures - $2::int, 30)) * interval '1 second', $3::interval) END"

func (a *Auth) countKey(ctx context.Context, tx pgx.Tx, attempts string, key []byte, free int) error {
	var failures int
	err := tx.QueryRow(ctx, "INSERT INTO "+attempts+" AS a (key, failures, last_failure) VALUES ($1, 1, clock_timestamp()) ON CONFLICT (key) DO UPDATE SET failures = CASE WHEN a.last_failure < now() - $4::interval THEN 1 ELSE a.failures + 1 END, last_failure = clock_timestamp() WHERE a.last_failure + "+
		strings.ReplaceAll(waits, "failures", "a.failures")+" <= clock_timestamp() RETURNING failures", key, free, a.config.MaxDelay, attemptWindow).Scan(&failures)
	if !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	var after time.Duration
	if err := tx.QueryRow(ctx, "SELECT greatest(interval '1 second', last_failure + "+waits+" - clock_timestamp()) FROM "+attempts+" WHERE key = $1", key, free, a.config.MaxDelay).Scan(&after); err != nil {
		return err
	}
	return &LockedError{RetryAfter: after}
}

// forget takes back what count counted, for an attempt that was right: the failures of that
// name from there, or of the device, and this one of the address.
func (a *Auth) forget(ctx context.Context, home tenant.Schema, bounds []bound) error {
	attempts := table(home, "auth_attempt")
	return pgx.BeginFunc(ctx, a.db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM "+attempts+" WHERE key = $1", bounds[0].key[:]); err != nil {
			return err
		}
		for _, b := range bounds[1:] {
			if _, err := tx.Exec(ctx, "UPDATE "+attempts+" SET failures = failures - 1 WHERE key = $1 AND failures > 0", b.key[:]); err != nil {
				return err
			}
		}
		return nil
	})
}

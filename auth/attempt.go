package auth

import (
	"context"
	"crypto/sha256"
	"math"
	"net/netip"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/tenant"
)

// attemptWindow is how long failures are remembered.
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

// Failures are forgotten at an even pace, one in each $5, so that the $4 which count at most
// are gone after attemptWindow. That does not depend on when the last one was: neighbours at an
// address fail and log in all the time.
const (
	// faded is how many were forgotten since that was last noted.
	faded = "floor(least(greatest(extract(epoch FROM statement_timestamp() - a.forgotten_until) / extract(epoch FROM $5::interval), 0), $4::int))::int"
	// failures are those that still count.
	failures = "greatest(least(a.failures, $4::int) - " + faded + ", 0)"
	// waits is how long one has to wait after the last attempt: 2 to the power of the failures
	// beyond $2, in seconds, and at most $3.
	waits = "CASE WHEN " + failures + " < $2::int THEN interval '0' ELSE least(power(2, least(" + failures + " - $2::int, 30)) * interval '1 second', $3::interval) END"
)

// most is how many failures count: with more, one waits no longer.
func (a *Auth) most(free int) int {
	return free + int(math.Ceil(math.Log2(max(1, a.config.MaxDelay.Seconds()))))
}

func (a *Auth) countKey(ctx context.Context, tx pgx.Tx, attempts string, key []byte, free int) error {
	most := a.most(free)
	args := []any{key, free, a.config.MaxDelay, most, attemptWindow / time.Duration(most)}
	done, err := tx.Exec(ctx, "INSERT INTO "+attempts+" AS a (key, failures, last_failure, forgotten_until) VALUES ($1, 1, clock_timestamp(), statement_timestamp()) ON CONFLICT (key) DO UPDATE SET failures = "+failures+
		" + 1, last_failure = clock_timestamp(), forgotten_until = CASE WHEN "+failures+" = 0 THEN statement_timestamp() ELSE a.forgotten_until + "+faded+" * $5::interval END WHERE a.last_failure + "+waits+" <= clock_timestamp()", args...)
	if err != nil || done.RowsAffected() > 0 {
		return err
	}
	var after time.Duration
	if err := tx.QueryRow(ctx, "SELECT greatest(interval '1 second', last_failure + "+waits+" - clock_timestamp()) FROM "+attempts+" AS a WHERE key = $1", args...).Scan(&after); err != nil {
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

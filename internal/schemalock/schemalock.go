// Package schemalock names the advisory locks of schemas, which everything takes that
// changes a schema.
//
// They are always tried and never waited for: a session that waits in pg_advisory_lock
// holds a snapshot, which makes CREATE INDEX CONCURRENTLY elsewhere deadlock.
package schemalock

// class sets the keys apart from the application's: the upper 16 bits of the key, above
// the tenant's id.
const class int64 = 0x7C07 << 48

// Key is the key of the lock of a tenant's schema: by the tenant's id, since the name can
// change. That of public is Key(0).
func Key(id int64) int64 { return class | id }

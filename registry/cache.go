package registry

import (
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/cotenant/cotenant/tenant"
)

// name is what a tenant is looked up by: a domain, or a schema in lower case.
type name struct {
	kind nameKind
	text string
}

type nameKind string

const (
	domainName nameKind = "domain"
	schemaName nameKind = "schema"
)

// cache remembers tenants by id and ids by name, so that a tenant that changes is
// forgotten in one step, however many domains it has. Names that lead nowhere
// have a cache of their own, so that made-up ones do not evict good ones. It is
// bounded, and safe for concurrent use.
type cache struct {
	ids        *lru.Cache[name, int64]
	tenants    *lru.Cache[int64, entry]
	unknown    *lru.Cache[name, time.Time] // until when
	known      *lru.Cache[name, struct{}]  // led to a tenant at some time
	ttl        time.Duration
	unknownTTL time.Duration
	changes    atomic.Uint64
}

type entry struct {
	tenant *tenant.Tenant
	until  time.Time
}

func newCache(c Config) (*cache, error) {
	ids, err := lru.New[name, int64](c.CacheSize)
	if err != nil {
		return nil, err
	}
	tenants, err := lru.New[int64, entry](c.CacheSize)
	if err != nil {
		return nil, err
	}
	unknown, err := lru.New[name, time.Time](c.UnknownSize)
	if err != nil {
		return nil, err
	}
	known, err := lru.New[name, struct{}](c.CacheSize)
	if err != nil {
		return nil, err
	}
	return &cache{ids: ids, tenants: tenants, unknown: unknown, known: known, ttl: c.CacheTTL, unknownTTL: c.UnknownTTL}, nil
}

// get returns the tenant of n; or that n is known to lead nowhere; or neither.
func (c *cache) get(n name, now time.Time) (t *tenant.Tenant, unknown bool) {
	if id, ok := c.ids.Get(n); ok {
		if e, ok := c.tenants.Get(id); ok && now.Before(e.until) {
			return e.tenant, false
		}
		return nil, false
	}
	until, ok := c.unknown.Get(n)
	return nil, ok && now.Before(until)
}

// knew reports whether n led to a tenant at some time, whatever was forgotten since.
func (c *cache) knew(n name) bool { return c.known.Contains(n) }

// generation is to be read before the database is asked; see put.
func (c *cache) generation() uint64 { return c.changes.Load() }

// put stores what the database said of n: a tenant, or nil for nobody. Where
// something changed since generation, the answer may be older than the change,
// and is not stored.
func (c *cache) put(n name, t *tenant.Tenant, generation uint64, now time.Time) {
	if c.changes.Load() != generation {
		return
	}
	if t == nil {
		c.ids.Remove(n)
		c.unknown.Add(n, now.Add(c.unknownTTL))
	} else {
		c.unknown.Remove(n)
		c.tenants.Add(t.ID, entry{t, now.Add(c.ttl)})
		c.ids.Add(n, t.ID)
		c.known.Add(n, struct{}{})
	}
	// A change between the test above and here forgot too early.
	if c.changes.Load() != generation {
		c.forgetName(n)
		if t != nil {
			c.tenants.Remove(t.ID)
		}
	}
}

func (c *cache) forgetTenant(id int64) {
	c.changes.Add(1)
	c.tenants.Remove(id)
}

func (c *cache) forgetName(n name) {
	c.changes.Add(1)
	c.ids.Remove(n)
	c.unknown.Remove(n)
}

func (c *cache) forgetEverything() {
	c.changes.Add(1)
	c.ids.Purge()
	c.tenants.Purge()
	c.unknown.Purge()
}

// forget does what the payload of a notification says; see schema.sql. What it
// does not understand comes from another version and means everything.
func (c *cache) forget(payload string) {
	kind, text, _ := strings.Cut(payload, " ")
	switch kind {
	case "tenant":
		if id, err := strconv.ParseInt(text, 10, 64); err == nil {
			c.forgetTenant(id)
			return
		}
	case string(schemaName):
		c.forgetName(name{schemaName, strings.ToLower(text)})
		return
	case string(domainName):
		c.forgetName(name{domainName, text})
		return
	}
	c.forgetEverything()
}

package conformance

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// Config says how a storm is to be. Zero values mean the defaults.
type Config struct {
	// Calm leaves the faults out: what fails then is the way's own doing.
	// Defaults to false.
	Calm bool

	// Connections is how many connections the way in has. Fewer than goroutines
	// means that each changes hands all the time. Defaults to 8.
	Connections int

	// Duration ends the storm. Defaults to none: Operations ends it.
	Duration time.Duration

	// Faults is how many of a thousand operations have something done to them, or
	// to whatever else goes on: their time runs out, a request to cancel or to
	// terminate goes to some connection, a schema is renamed or dropped. As often,
	// operations leave a session that must be replaced. To make anew what was
	// broken takes most of the time of a storm with many of them. Defaults to 48.
	Faults int

	// Goroutines is how many do operations. Defaults to 16.
	Goroutines int

	// Operations is how many there are, all told. Defaults to 20,000.
	Operations int64

	// Seed is that of the random choices. Each goroutine's are the same for the
	// same seed; what they meet is not. Defaults to 1.
	Seed uint64

	// Tenants is how many there are. Every other one has a schema that is renamed
	// and dropped. Defaults to 100.
	Tenants int

	// URL is that of the database for a superuser, without a pooler. There is no
	// default.
	URL string
}

// faultsUsual is the default of Config.Faults.
const faultsUsual = 48

// withDefaults returns the configuration with every field set.
func (c Config) withDefaults() (Config, error) {
	if c.URL == "" {
		return c, errors.New("Config.URL is empty (give the URL of the database for a superuser)")
	}
	if c.Faults < 0 || c.Faults > 1000 {
		return c, fmt.Errorf("Config.Faults is %d (it is of a thousand; for none use Config.Calm)", c.Faults)
	}
	if c.Connections < 0 || c.Goroutines < 0 || c.Operations < 0 || c.Tenants < 0 || c.Tenants == 1 {
		return c, fmt.Errorf("%d connections, %d goroutines, %d operations, %d tenants: none may be negative, and one tenant has nobody to leak to",
			c.Connections, c.Goroutines, c.Operations, c.Tenants)
	}
	c.Connections = cmp.Or(c.Connections, 8)
	c.Faults = cmp.Or(c.Faults, faultsUsual)
	c.Goroutines = cmp.Or(c.Goroutines, 16)
	c.Operations = cmp.Or(c.Operations, 20_000)
	c.Seed = cmp.Or(c.Seed, 1)
	c.Tenants = cmp.Or(c.Tenants, 100)
	return c, nil
}

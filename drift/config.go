package drift

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant/tenant"
)

// Config says what Find compares. Pool, Schemas and, unless Options name another
// reference, Build are required.
type Config struct {
	Options

	// Build makes a schema as all should be, within tx, and returns its name. tx is
	// rolled back. The session is not used for anything else. Where it cannot have a lock
	// (SQLSTATE 55P03) it is called again, in another transaction.
	Build func(ctx context.Context, tx pgx.Tx) (tenant.Schema, error)
	// Count returns how many schemas there are, for OnStart. It is called before anything
	// else is done. Defaults to nothing.
	Count func(ctx context.Context) (int, error)
	// ExtraSchemas are on the search path behind public, for Group.Script. Defaults to none.
	ExtraSchemas []tenant.Schema
	// MigratorRole is the role that a repair creates things as, where the schema is that
	// role's: see Group.Script. Defaults to whoever runs it.
	MigratorRole string
	// Pool leads to the server itself, not to a pooler, and is not scoped to tenants. Its
	// connections are closed after they were used. It must allow two or more.
	Pool *pgxpool.Pool
	// Shared says that it is about public, which has extensions that cannot be built
	// elsewhere: they are left out.
	Shared bool
	// Schemas are those to compare. An error that wraps tenant.ErrInvalidSchema is counted
	// as a schema that cannot be read; every other one ends Find. It is called on another
	// goroutine.
	Schemas iter.Seq2[tenant.Schema, error]
}

// Options say what is compared, and with what. The zero value leaves out what is often
// meant to differ, and compares with a fresh build.
type Options struct {
	// Access has owners and privileges compared, of the schema itself too, and default
	// privileges.
	Access bool
	// ColumnOrder has the order of the columns of tables compared: it is another where a
	// column was added later.
	ColumnOrder bool
	// Comments has comments compared.
	Comments bool
	// Jobs is how many schemas are read at a time, each over a connection of its own.
	// Defaults to 4, or what Pool allows, if that is less.
	Jobs int
	// Like names the schema to compare with. It excludes Majority. Defaults to a fresh
	// build.
	Like tenant.Schema
	// Majority compares with what most of the schemas have; of two that as many have,
	// with that of the schema that comes first. Where it cannot be told, because more than a
	// thousand have each something else, that is an error. Defaults to a fresh build.
	Majority bool
	// OnSchema is told about each schema that was read, or could not be, one call at a
	// time. Defaults to nothing.
	OnSchema func(schema tenant.Schema, err error)
	// OnStart is told how many schemas there are, before the first is read. Defaults to
	// nothing.
	OnStart func(schemas int)
	// Repair has SQL written for what schemas lack, and for triggers that are off: see
	// Group.Script.
	Repair bool

	noExtensions bool // see Config.Shared
}

// spare is for the list of schemas, which is read while they are.
const spare = 1

func (c *Config) withDefaults() (*Config, error) {
	if c == nil {
		c = &Config{}
	}
	d := *c
	switch {
	case d.Pool == nil:
		return nil, errors.New("Config.Pool is nil (give it a pool that leads to the server)")
	case d.Schemas == nil:
		return nil, errors.New("Config.Schemas is nil (give it the schemas to compare)")
	case d.Jobs < 0:
		return nil, fmt.Errorf("Options.Jobs is %d (use 0 for the default)", d.Jobs)
	case d.Majority && !d.Like.IsZero():
		return nil, errors.New("Options.Like and Options.Majority exclude each other (give one)")
	case d.Build == nil && !d.Majority && d.Like.IsZero():
		return nil, errors.New("Config.Build is nil (give it, or Options.Like or Options.Majority)")
	}
	most := int(d.Pool.Config().MaxConns) - spare
	if most < 1 {
		return nil, fmt.Errorf("the pool has %d connections (allow %d or more)", most+spare, spare+1)
	}
	d.noExtensions = d.Shared
	d.Jobs = min(cmp.Or(d.Jobs, 4), most)
	return &d, nil
}

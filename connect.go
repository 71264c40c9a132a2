package cotenant

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/pgxtenant"
)

// Connect makes a connection to the server itself, past a pooler, as the login of
// DirectURL. It belongs to no pool and is scoped to no tenant: nothing is on its search
// path but what the login has there. It is for work on the database as a whole, such as
// doctor.Examine; a tenant's is DB's. The caller closes it.
func (t *Tenancy) Connect(ctx context.Context) (*pgx.Conn, error) {
	config := t.own.Config()
	conn, err := connect(ctx, config.ConnConfig, config)
	if err != nil {
		return nil, fmt.Errorf("cotenant: %w", dberr.Connect(config.ConnConfig, err))
	}
	return conn, nil
}

// MaxConns returns how many connections to the server itself the Tenancy opens at most at
// the same time: those of its pools, and the one that hears of changes. In the mode
// Transaction those of DB lead to a pooler, which has bounds of its own, and do not count.
func (t *Tenancy) MaxConns() int {
	n := t.own.Config().MaxConns + 1
	if t.db.Mode() != pgxtenant.Transaction || t.direct == t.db {
		n += t.db.Pool().Config().MaxConns
	}
	if t.direct != t.db {
		n += t.direct.Pool().Config().MaxConns
	}
	return int(n)
}

package pgxtenant

import (
	"fmt"

	"github.com/cotenant/cotenant/pgxtenant/internal/wire"
)

// Mode says when the search_path of a connection is set. In each mode it goes out
// with the application's own statement, and proves that the schema exists.
type Mode int

// The modes.
const (
	// ModeAuto is OnChange where the server reports its search_path, which
	// PostgreSQL does from 18 on, and EveryAcquire elsewhere.
	ModeAuto Mode = iota
	// OnChange sets the path when the connection's is another. What the
	// application does to the path out of sight, with set_config in a function, is
	// then noticed by PostgreSQL 18 or newer only.
	OnChange
	// EveryAcquire sets the path each time that a connection is acquired, which
	// the methods of DB do for each statement.
	EveryAcquire
	// Transaction sets the path for one transaction at a time, as poolers in
	// transaction pooling need it. Nothing is prepared then, and what would leave
	// something in the session is refused, as it would reach others: SET without
	// LOCAL, temporary tables, advisory locks of the session, LISTEN. So is what
	// PostgreSQL runs only by itself, and a CALL with arguments outside of a
	// transaction. See ErrAlone, ErrLeaves and ErrPrepared.
	Transaction
)

// What the mode Transaction refuses; in the other modes only what cannot have the
// path set in front of it in a batch or pipeline is ErrAlone. Nothing is sent, and the
// connection to the pooler is replaced.
var (
	// ErrAlone: PostgreSQL runs the statement only by itself, as VACUUM and CREATE
	// INDEX CONCURRENTLY, or it ends a transaction with others behind it.
	ErrAlone = wire.ErrAlone
	// ErrLeaves: the statement would leave something in the session, which is the
	// pooler's.
	ErrLeaves = wire.ErrLeaves
	// ErrPrepared: the statement is prepared under a name, or executed by one: the
	// session that has it is the pooler's.
	ErrPrepared = wire.ErrPrepared
)

// ParseMode is the mode that a configuration names: auto, on_change, every_acquire or
// transaction.
func ParseMode(text string) (Mode, error) {
	for _, m := range []Mode{ModeAuto, OnChange, EveryAcquire, Transaction} {
		if text == m.String() {
			return m, nil
		}
	}
	return ModeAuto, fmt.Errorf("mode %q is unknown (use %v, %v, %v or %v)", text, ModeAuto, OnChange, EveryAcquire, Transaction)
}

// LimitSetCalls is the mode for a value of TENANT_LIMIT_SET_CALLS, the setting of
// django-tenant-schemas and django-tenants: OnChange if true, else EveryAcquire.
//
// There, false sets the path before each statement, and a false that was left out
// costs a round trip each time. Here it is set once for each acquired connection or
// transaction, with the first statement, and costs none. There, true trusts that
// nobody else changes the path; here, PostgreSQL 18 or newer tells if somebody did.
func LimitSetCalls(limit bool) Mode {
	if limit {
		return OnChange
	}
	return EveryAcquire
}

// String returns the name of the mode, as ParseMode takes it, and "auto".
func (m Mode) String() string {
	switch m {
	case ModeAuto:
		return "auto"
	case OnChange:
		return "on_change"
	case EveryAcquire:
		return "every_acquire"
	case Transaction:
		return "transaction"
	}
	return fmt.Sprintf("Mode(%d)", int(m))
}

// wire is the mode in the words of package wire.
func (m Mode) wire() wire.Mode {
	switch m {
	case OnChange:
		return wire.OnChange
	case EveryAcquire:
		return wire.EveryAcquire
	case Transaction:
		return wire.Local
	case ModeAuto:
	}
	return wire.Auto
}

package tenant

import (
	"fmt"
	"time"
)

// StatusActive is the status of a new tenant.
const StatusActive = "active"

// Tenant is a customer: a row of cotenant.tenants. Its ID identifies it
// everywhere (locks, caches, jobs); its schema is an attribute that can change.
//
// A Tenant that came from the registry is shared between goroutines and must
// not be modified.
type Tenant struct {
	// ID is the primary key of the row. It is 0 for a tenant that has no
	// row, such as the one that Public puts into a context.
	ID int64
	// Schema is the PostgreSQL schema that holds the tenant's tables.
	Schema Schema
	// Status is the row's status, StatusActive for a new tenant. It is for
	// the application: cotenant itself does not act on it yet. It is empty
	// where the table has no such column.
	Status string
	// CreatedAt is when the row was made, and zero where the table has no
	// such column, or it is infinity.
	CreatedAt time.Time
	// Database tells the database that the tenant is of from others: what that
	// one's registry was configured with. It is empty for a tenant made by hand,
	// which any database takes.
	Database string
	// Fields are the columns that the user added to the table.
	Fields Fields
}

// IsPublic reports whether t is the public tenant: the one whose schema is
// public, which holds the shared apps and serves the main site.
func (t *Tenant) IsPublic() bool { return t.Schema.IsPublic() }

// Is reports whether t and other are the same tenant: both public, or of one ID,
// whatever their schemas are called meanwhile. Tenants without an ID are the same
// if their schemas are. A nil tenant is nobody's equal.
func (t *Tenant) Is(other *Tenant) bool {
	if t == nil || other == nil {
		return false
	}
	if t.IsPublic() || other.IsPublic() {
		return t.IsPublic() && other.IsPublic()
	}
	return t.ID == other.ID && (t.ID != 0 || t.Schema == other.Schema)
}

// String names the tenant for people, as error messages do: `tenant "acme"`.
func (t *Tenant) String() string {
	if t == nil {
		return "no tenant"
	}
	return fmt.Sprintf("tenant %q", t.Schema)
}

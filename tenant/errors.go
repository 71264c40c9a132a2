package tenant

import "errors"

// The errors that other packages wrap; match them with errors.Is.
var (
	// ErrNoTenant: the context carries no tenant.
	ErrNoTenant = errors.New("no tenant in the context (use tenant.NewContext, or tenant.Public for the shared tables)")
	// ErrTenantNotFound: no tenant has this id, schema or domain.
	ErrTenantNotFound = errors.New("tenant not found")
	// ErrUncommitted: the tenant is being created and its transaction has
	// not been committed, so its schema exists on that transaction only.
	ErrUncommitted = errors.New("tenant is being created (use the transaction that creates it until it is committed)")
	// ErrOtherTenant: something that belongs to one tenant, such as a transaction,
	// was used with the context of another.
	ErrOtherTenant = errors.New("it belongs to another tenant than the context (begin or acquire with this context)")
	// ErrOtherDatabase: the tenant comes from the registry of another database.
	ErrOtherDatabase = errors.New("the tenant is of another database (use the registry of this one)")
	// ErrInvalidSchema: the text is no schema name; see ParseSchema.
	ErrInvalidSchema = errors.New("invalid schema name")
	// ErrInvalidDomain: the text is no domain; see ParseDomain.
	ErrInvalidDomain = errors.New("invalid domain")
	// ErrSchemaNotFound: the database has no schema of this name.
	ErrSchemaNotFound = errors.New("schema does not exist")
	// ErrSchemaTaken: a tenant or the database has this schema already,
	// perhaps in another case.
	ErrSchemaTaken = errors.New("schema is taken")
	// ErrDomainTaken: a tenant has this domain already.
	ErrDomainTaken = errors.New("domain is taken")
)

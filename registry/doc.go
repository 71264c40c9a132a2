// Package registry keeps the tenants and their domains: the tables
// cotenant.tenants and cotenant.domains, the life of a tenant, and the look-up
// of a tenant by host name, cached.
//
// The table is the model. Columns that the user adds with an ordinary migration
// of a shared app,
//
//	ALTER TABLE cotenant.tenants ADD COLUMN paid_until date;
//
// are set through CreateParams.Fields, come back in tenant.Tenant.Fields, and
// are read into a struct with [Decode].
package registry

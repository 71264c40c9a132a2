// Package drift tells which schemas have something else than they should, and what it is:
// a column that somebody added by hand, an index that was left invalid, a trigger that was
// disabled while something was repaired. Histories of migrations do not show that; it is
// read from PostgreSQL's catalog.
//
// [Find] reads all schemas, and compares each with a reference: a schema that is built
// now, and does not stay, or one that there is, or what most of them have. Those that have
// the same are one [Group], whose [Difference]s are told object by object:
//
//	~ column things.price: numeric(10,2) → numeric(12,2)
//	- index things_name_idx ON things USING btree (name)
//	+ table copy_of_things (and 7 objects of it)
//
// The reference has what - shows, the schemas have what + shows, and ~ is what both have,
// as the reference has it and as the schemas do.
//
// # What is compared
//
// Tables with their options, row level security and replica identity, partitions;
// columns with type, collation, default, NOT NULL, identity, generation, storage,
// compression and statistics; constraints, indexes (also whether they are valid),
// sequences, enums, composite types, domains, functions with their settings, aggregates,
// triggers (also whether they fire, and those that check foreign keys), rules, views,
// materialized views, policies, extended statistics, operators,
// collations, conversions and text search. Comments, access and the order of columns only
// if [Options] say so.
//
// Not compared are rows, and whether a materialized view has any, the values of sequences, what belongs to extensions, the names
// of NOT NULL constraints, cotenant's own tables. Objects are known by their names: an index that
// has another name is another index. The text of a function is compared as it stands.
//
// Two schemas that were built alike have one [Fingerprint], also if one of them was
// renamed, or dumped and restored, on another server of the same major version too. A
// function that has its schema's name in SET search_path keeps the old one when the schema
// is renamed: that is a difference, and a way to another tenant's rows.
//
// # What it costs
//
// Some milliseconds a schema, most of them PostgreSQL's. Memory does not depend on the
// number of schemas, neither ours, which keeps fingerprints and a bounded number of names,
// nor the server's: a backend keeps what it has read of the catalog, so that each reads
// some thousands of objects and is replaced. No lock is held longer than it takes to
// read a schema; PostgreSQL takes weak ones on tables that views read, which are given up
// after a tenth of a second, and tried again, where a migration has them. A fresh build locks the
// shared tables that tenants' tables refer to while it lasts.
//
// A schema is read by one query, so that what others change at that moment is there or
// not; while it is changed under the eyes of that query it is read again.
package drift

// Package check tells what is wrong with the files of apps before they run: for CI.
//
// A mistake in a migration that one database forgives is made in ten thousand schemas here:
// a table that nobody can write to for a second is that ten thousand times, and a statement
// that fails where a table has rows fails in most of them. [Run] reads the schema.sql and the
// migrations of every app with PostgreSQL's own grammar, follows them in the order in which
// they run, and returns what it found. With a server it builds them, too, in databases of
// its own: [Builds].
//
// # What it knows
//
// A table is new in the file that makes it, and has neither rows nor users there; every
// other one is in use, also one that no file makes (a Go migration may). Of the tables
// that files make it knows the columns, their types and their constraints; what is
// shared, and what is a tenant's. The statements of DO blocks count, and those in the
// bodies of functions in SQL and PL/pgSQL; what is put together from strings when it runs
// is not seen.
//
// schema.sql makes a new schema, and the ways back are for an hour when nothing else
// matters: in both it looks for what reaches past the tenant alone.
//
// # Rules
//
//	index-blocks-writes            error    CREATE INDEX without CONCURRENTLY on a table that is in use
//	concurrently-in-block          error    CONCURRENTLY in a DO block or a function
//	column-rewrites-table          error    a new column whose values must be worked out: by a volatile
//	                                        default, GENERATED … STORED, serial, an identity, or a domain
//	                                        with constraints
//	not-null-without-default       error    a new column NOT NULL without a default
//	not-null-scans                 error    SET NOT NULL without a constraint that proves it, also of a
//	                                        domain
//	type-change-rewrites           error    a change of a column's type that converts the values, or of its
//	                                        collation where an index has it
//	foreign-key-scans              error    a foreign key added to a table that is in use, without NOT
//	                                        VALID
//	check-scans                    error    a check added to a table that is in use, or to its domain,
//	                                        without NOT VALID
//	attach-scans                   warning  a partition that becomes one with rows and without a check, or
//	                                        beside a DEFAULT one
//	validates-in-same-transaction  error    VALIDATE CONSTRAINT in the transaction that adds the
//	                                        constraint
//	constraint-builds-index        error    UNIQUE, PRIMARY KEY or EXCLUDE added to a table that is in use
//	rewrites-table                 error    CLUSTER, VACUUM FULL, and ALTER TABLE that moves a table or
//	                                        changes how it is stored
//	reindex-blocks                 error    REINDEX without CONCURRENTLY
//	refresh-blocks                 error    REFRESH MATERIALIZED VIEW without CONCURRENTLY
//	locks-table                    warning  LOCK TABLE against those who write or read
//	data-change-under-lock         warning  UPDATE or DELETE of all rows behind a change of a table, in
//	                                        its transaction
//	enum-value-in-same-transaction error    a value that ALTER TYPE … ADD VALUE adds, and a use of it in
//	                                        the same transaction
//	reaches-public                 error    a tenant app that drops, alters or writes to what only public
//	                                        has, by a name without a schema
//	hard-coded-schema              error    the name of a schema that is not the same for every tenant, or
//	                                        public where a tenant's own is meant
//	shared-needs-tenant            error    a shared app that refers to a table that only tenants have
//	function-pins-path             error    a tenant app's function that sets the search path to a schema,
//	                                        or FROM CURRENT
//	security-definer-path          error    a SECURITY DEFINER function without a search path of its own
//	restore-needs-path             error    an index, a check, a generated column or a materialized view
//	                                        that calls a function whose body has names without a schema
//	drop-breaks-programs           warning  DROP of a table or a column that is in use, or of its type with
//	                                        CASCADE
//	rename-breaks-programs         warning  a new name for a table, a view, a column or a value of a type
//	                                        that is in use
//	deletes-all-rows               warning  a tenant app that empties a table that is in use: TRUNCATE, or
//	                                        DELETE without WHERE
//	hides-shared                   warning  a name that a shared app and a tenant app both have
//	refused                        error    a file or a statement that cotenant refuses to run
//	unparsed                       warning  a statement that the grammar of PostgreSQL 17 does not take
//	unknown-rule                   error    a comment that allows a rule that there is not, or that
//	                                        cannot be allowed
//	unused-allow                   warning  a comment that allows what there is not
//
// Those of [Builds], which needs a server:
//
//	build-fails                    error    a file that PostgreSQL refuses
//	creation-fails                 error    files that run one by one, and not together in the
//	                                        transaction that creates a tenant
//	schema-differs                 error    an object that schema.sql and the migrations do not make alike
//	column-order                   warning  columns that stand in another order by schema.sql than by the
//	                                        migrations
//	rows-differ                    error    rows that schema.sql and the migrations do not make alike
//	rows-numbered                  warning  rows that differ in the numbers that a sequence gave them alone
//	sequence-behind                error    a sequence that gives numbers that rows have already
//	down-fails                     error    a way back that PostgreSQL refuses
//	down-differs                   error    a way back that does not lead to where its migration came from
//
// [Rules] has the reason and the cure of each, and so has each finding.
//
// # What is no finding
//
//   - What is done at once, once it has its lock: a column without a default, or with one
//     that is the same for all rows, DROP INDEX, ALTER TABLE … ADD … NOT VALID. Locks are
//     tried, and tried again, for migrate.Config.LockTimeout.
//   - CREATE INDEX CONCURRENTLY IF NOT EXISTS: an invalid index that is left of a try is
//     dropped before the next one, which it would take for a good one without that.
//   - A file with CONCURRENTLY and other statements: how far it came is remembered.
//   - Functions and triggers whose bodies name tables without a schema: they work on the path
//     that they are called on, which is the tenant's.
//   - Matters of style.
//
// # Silence
//
// A comment allows a rule for a statement, if it stands in front of it, within it, or on
// its last line behind it:
//
//	-- cotenant:allow index-blocks-writes: a few rows in every shop
//	CREATE INDEX items_name_idx ON items (name);
//
//	ALTER TABLE items DROP COLUMN state; -- cotenant:allow drop-breaks-programs
//
// Above the first statement of a file, and apart from it by an empty line or an annotation
// such as -- +goose Up, it is for the whole file. It can name several rules. It is no part
// of a migration's checksum, so that it can be added to one that ran.
package check

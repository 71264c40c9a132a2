package migrate

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/internal/searchpath"
	"github.com/cotenant/cotenant/tenant"
)

// BuildSchema makes the tables of all tenant apps in the schema of t, which exists
// and is empty, within tx, and records them. All statements go in one round trip, but
// for Go migrations. It leaves the search path of tx at the schema until the
// transaction ends; what else the files do to the session is the caller's to undo
// (DISCARD ALL). The error is a *StatementError if PostgreSQL refused a statement;
// tx can then only be rolled back.
//
// What refers to shared tables locks these until the transaction ends, so the waiting
// for locks is bounded by Config.LockTimeout: an error with SQLSTATE 55P03 is worth
// another try.
//
// The error wraps ErrNewer if the program is older than the database, and ErrGone if it
// lacks files that ran: public, or most of the tenants, have migrations that it does not
// know, and the tenant would not be like the others.
func (m *Migrator) BuildSchema(ctx context.Context, tx pgx.Tx, t *tenant.Tenant) error {
	steps, err := m.plan(m.tenant, m.tenantOrder, history{}, nil, request{migrate: true, sync: true})
	if err != nil {
		return err
	}
	c := changer{Migrator: m, conn: tx.Conn()}
	where := target{id: t.ID, schema: t.Schema}
	for {
		looked := m.versions.known()
		err := c.build(ctx, tx, where, steps, looked)
		if dberr.Code(err) != codeUnknown {
			return err
		}
		if err := c.lookAtVersions(ctx, tx, looked); err != nil {
			return err
		}
	}
}

// OwnSchema gives what OnTenantCreated made in the schema of t to the migrator role, if the
// schema is that role's: else migrations could not alter it. It is called within tx, after
// the hook.
//
// What the hook gave to a third role stays that role's. What runs with the rights of its
// owner, and might not work with those of the migrator role, stays the login's: functions
// that are SECURITY DEFINER, and views, materialized views and tables with rules on what
// the migrator role may use less of than the login. Migrations can drop these and not
// replace them, unless the hook itself gives them to the role.
func (m *Migrator) OwnSchema(ctx context.Context, tx pgx.Tx, t *tenant.Tenant) error {
	where := target{id: t.ID, schema: t.Schema}
	front := &step{script: &script{app: ownApp, file: "creation"}}
	_, err := changer{Migrator: m, conn: tx.Conn()}.send(ctx, where, []message{
		{step: front, sql: "RESET SESSION AUTHORIZATION"}, // the hook may have another role
		{step: front, sql: giveMadeSQL, args: texts(t.Schema.String(), m.config.MigratorRole)},
	})
	return err
}

const giveMadeSQL = "SELECT cotenant.give_made($1, $2)"

// build makes the schema, if the database has come to a version that is known.
func (c changer) build(ctx context.Context, tx pgx.Tx, where target, steps []step, known []string) error {
	front := &step{script: &script{app: ownApp, file: "creation"}}
	guard := c.guard(where, true)
	guard.step = front
	digest, records := history{}.digest(), []record(nil)
	for _, s := range steps {
		digest, records = s.to, append(records, s.records...)
	}
	messages := []message{
		{sql: "SAVEPOINT cotenant_versions"},
		{sql: "SELECT cotenant.know_versions($1)", args: texts("{" + strings.Join(known, ",") + "}")},
		{sql: "RELEASE cotenant_versions"},
		{sql: "SELECT cotenant.give_schema($1, $2)", args: texts(where.schema.String(), c.config.MigratorRole)},
		c.settings(where.schema, waitedSQL),
		{
			sql:  "INSERT INTO cotenant.schema_versions (tenant_id, namespace, digest) VALUES ($1, $2::pg_catalog.regnamespace, $3)",
			args: texts(formatID(where.id), searchpath.Quote(where.schema), digest),
		},
		guard,
		{sql: createHistorySQL(where.schema)},
	}
	if len(records) > 0 {
		messages = append(messages, message{sql: insertRecordsSQL(where.schema, len(records)), args: recordParams(records)})
	}
	for i := range messages {
		messages[i].step = front
	}
	var last []message
	for i := range steps {
		s := &steps[i]
		if s.way().run == nil {
			own, keys := inTransaction(s)
			messages, last = append(messages, own...), append(last, keys...)
			messages = append(messages, c.ends(where, s, digest)...)
			messages = append(messages, guard)
			continue
		}
		if _, err := c.send(ctx, where, messages); err != nil {
			return err
		}
		if err := c.work(ctx, tx, where, s, nil); err != nil { // what it sends has to be asked
			return err
		}
		messages = append(c.ends(where, s, digest), guard)
	}
	messages = append(messages, last...)
	_, err := c.send(ctx, where, append(messages, c.ends(where, front, digest)...))
	return err
}

// inTransaction are the statements of a step as they run in a schema that nobody uses
// yet: CREATE INDEX without CONCURRENTLY, and no VACUUM. The keys of a schema.sql that
// are added to tables come last, since they lock the shared tables that they refer to.
func inTransaction(s *step) (own, keys []message) {
	messages := statements(s, together(s.way().Statements))
	if s.script.name != schemaFile || slices.ContainsFunc(messages, func(m message) bool { return mentionsConstraint.MatchString(m.sql) }) {
		return messages, nil
	}
	for _, m := range messages {
		if addsKey.MatchString(m.sql) {
			keys = append(keys, m)
		} else {
			own = append(own, m)
		}
	}
	return own, keys
}

// addsKey tells ALTER TABLE … ADD FOREIGN KEY, and mentionsConstraint what could come
// behind it and need it. What they take for one by mistake still runs.
var (
	addsKey            = regexp.MustCompile(`(?is)^ALTER\s+TABLE\s.*\sADD\s.*\bFOREIGN\s+KEY\b`)
	mentionsConstraint = regexp.MustCompile(`(?is)^(COMMENT\s+ON|ALTER\s+TABLE\s.*\s(VALIDATE|DROP|ALTER|RENAME))\s+CONSTRAINT\b`)
)

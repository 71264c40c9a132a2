package schemasync_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cotenant/cotenant/internal/testdb"
	"github.com/cotenant/cotenant/migrate/internal/schemasync"
	"github.com/cotenant/cotenant/migrate/internal/sqlfile"
	"github.com/cotenant/cotenant/tenant"
)

// Apps of one schema do not take each other's tables for theirs, and what one does to
// the other's tables is right where both are and where one is.
func TestApps(t *testing.T) {
	t.Parallel()
	conn := connect(t, testdb.New(t))
	execute(t, conn, public)
	const (
		a  = things + "CREATE FUNCTION touch() RETURNS integer LANGUAGE sql AS 'SELECT 1';"
		a2 = a + "CREATE TABLE kinds (id integer PRIMARY KEY); ALTER TABLE things ADD kind integer REFERENCES kinds;"
		b  = `CREATE TABLE parts (thing integer REFERENCES things); ALTER TABLE things ADD part integer; ALTER TABLE things ALTER name SET DEFAULT 'x';
			CREATE OR REPLACE FUNCTION touch() RETURNS integer LANGUAGE sql AS 'SELECT 1';`
		b2 = b + "ALTER TABLE things ALTER price SET NOT NULL; CREATE INDEX ON things (kind);"
	)
	alone, both, none := tenant.MustParseSchema("alone"), tenant.MustParseSchema("both"), tenant.MustParseSchema("none")
	build(t, conn, alone, split(t, a))
	build(t, conn, both, split(t, a+b))
	build(t, conn, none, nil)
	d := learn(t, conn, a2, b2)
	for _, tt := range []struct {
		schema  tenant.Schema
		missing [2]int // of each app
		differs [2][]string
	}{
		{alone, [2]int{2, 6}, [2][]string{nil, nil}},
		{both, [2]int{2, 1}, [2][]string{nil, {"column things.price is integer NOT NULL in schema.sql and integer in the schema"}}},
		{none, [2]int{4, 6}, [2][]string{nil, nil}},
	} {
		for app := range d {
			got := d[app].Compare(read(t, conn, tt.schema))
			if len(got.Missing) != tt.missing[app] {
				t.Errorf("%s: app %d lacks\n%s", tt.schema, app, firsts(got.Missing))
			}
			checkDiffers(t, got.Differs, tt.differs[app])
			build(t, conn, tt.schema, got.Missing)
		}
		for app := range d {
			got := d[app].Compare(read(t, conn, tt.schema))
			if len(got.Missing) > 0 {
				t.Errorf("%s: app %d still lacks\n%s", tt.schema, app, firsts(got.Missing))
			}
			checkDiffers(t, got.Differs, tt.differs[app])
		}
	}
	checkAlike(t, read(t, conn, alone), read(t, conn, none), false)
}

func TestLearnFails(t *testing.T) {
	t.Parallel()
	conn := connect(t, testdb.New(t))
	execute(t, conn, public)
	err := pgx.BeginFunc(t.Context(), conn, func(tx pgx.Tx) error {
		_, err := schemasync.Learn(t.Context(), tx, [][]sqlfile.Statement{
			split(t, things), split(t, "CREATE TABLE parts ();\nALTER TABLE things\n\tADD wrong nonsense"),
		}, nil)
		var refused *schemasync.StatementError
		var cause *pgconn.PgError
		if !errors.As(err, &refused) || refused.App != 1 || refused.Statement != 1 || !errors.As(err, &cause) || cause.Position == 0 {
			t.Errorf("Learn: %v; want a StatementError of the second app", err)
		}
		n := 0 // the transaction goes on
		return tx.QueryRow(t.Context(), `SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'cotenant%'`).Scan(&n)
	})
	if err != nil {
		t.Error(err)
	}
}

// A shared table that somebody else locks is not waited for longer than asked.
func TestLearnLockTimeout(t *testing.T) {
	t.Parallel()
	url := testdb.New(t)
	conn, other := connect(t, url), connect(t, url)
	execute(t, conn, public)
	execute(t, other, "BEGIN; LOCK TABLE public.taxes IN ACCESS EXCLUSIVE MODE")
	err := pgx.BeginFunc(t.Context(), conn, func(tx pgx.Tx) error {
		_, err := schemasync.Learn(t.Context(), tx, [][]sqlfile.Statement{split(t, "CREATE TABLE a (t integer REFERENCES public.taxes)")},
			&schemasync.Options{LockTimeout: 20 * time.Millisecond})
		return err
	})
	var cause *pgconn.PgError
	if !errors.As(err, &cause) || cause.Code != "55P03" {
		t.Errorf("Learn: %v; want lock_not_available", err)
	}
}

// The statements run as the role, which may not do what the login may.
func TestLearnRole(t *testing.T) {
	t.Parallel()
	url := testdb.New(t)
	conn := connect(t, url)
	config, err := pgx.ParseConfig(testdb.Role(t, url))
	if err != nil {
		t.Fatal(err)
	}
	execute(t, conn, public+"GRANT SELECT, REFERENCES ON taxes TO "+config.User)
	for text, code := range map[string]string{
		"CREATE TABLE a (t serial REFERENCES taxes); INSERT INTO a SELECT 1 WHERE false": "",
		"DO $$ BEGIN ALTER TABLE public.taxes ADD x integer; END $$":                     "42501",
	} {
		err := pgx.BeginFunc(t.Context(), conn, func(tx pgx.Tx) error {
			_, err := schemasync.Learn(t.Context(), tx, [][]sqlfile.Statement{split(t, text)}, &schemasync.Options{Role: config.User})
			who := ""
			if err == nil {
				err = tx.QueryRow(t.Context(), "SELECT current_user").Scan(&who)
				if who == config.User {
					t.Error("Learn leaves the role")
				}
			}
			return err
		})
		var cause *pgconn.PgError
		if got := errors.As(err, &cause); got != (code != "") || got && cause.Code != code {
			t.Errorf("%s: %v, want %q", text, err, code)
		}
	}
}

// The connection may treat its queries in any way, and has none of ours afterwards.
func TestLearnModes(t *testing.T) {
	t.Parallel()
	url := testdb.New(t)
	for _, mode := range []pgx.QueryExecMode{
		pgx.QueryExecModeCacheStatement, pgx.QueryExecModeCacheDescribe, pgx.QueryExecModeDescribeExec, pgx.QueryExecModeExec,
	} {
		config, err := pgx.ParseConfig(url)
		if err != nil {
			t.Fatal(err)
		}
		config.DefaultQueryExecMode = mode
		conn, err := pgx.ConnectConfig(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if got := learn(t, conn, things)[0].Compare(nil); len(got.Missing) != 1 {
				t.Errorf("%v: %v", mode, got)
			}
		}
		left := 0
		err = conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%pg_colla' || 'tion%'`).Scan(&left)
		if err != nil || left > 0 {
			t.Errorf("%v: %d statements are left, %v", mode, left, err)
		}
		_ = conn.Close(t.Context())
	}
}

// Two runs at once have a scratch schema each.
func TestLearnTwice(t *testing.T) {
	t.Parallel()
	url := testdb.New(t)
	first, second := connect(t, url), connect(t, url)
	err := pgx.BeginFunc(t.Context(), first, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), "SELECT 1"); err != nil {
			return err
		}
		learn(t, second, things)
		_, err := schemasync.Learn(t.Context(), tx, [][]sqlfile.Statement{split(t, things)}, nil)
		learn(t, second, things)
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// rowCount counts the rows that are read over a connection.
type rowCount struct{ rows int64 }

func (*rowCount) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}

func (r *rowCount) TraceQueryEnd(_ context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	r.rows += data.CommandTag.RowsAffected()
}

// What is read grows with the statements, and not with their square.
func TestLearnReadsWhatIsTouched(t *testing.T) {
	t.Parallel()
	config, err := pgx.ParseConfig(testdb.New(t))
	if err != nil {
		t.Fatal(err)
	}
	count := &rowCount{}
	config.Tracer = count
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	rows := func(sql string) int64 {
		count.rows = 0
		learn(t, conn, sql)
		return count.rows
	}
	for name, file := range map[string]func(tables int) string{"shop": shop, "dump": dump} {
		few, many, most := rows(file(10)), rows(file(40)), rows(file(160))
		t.Logf("%s: 10 tables: %d rows, 40 tables: %d, 160 tables: %d", name, few, many, most)
		if perTable := float64(many-few) / 30; float64(most-many)/120 > 1.05*perTable {
			t.Errorf("%s: a table more takes more rows where there are many", name)
		}
	}
}

// An INSERT whose trigger makes a table is what makes it, and not the statement behind it
// that names the table; nor is that one of which it is not known what it does.
func TestLearnBesideTriggers(t *testing.T) {
	t.Parallel()
	conn := connect(t, testdb.New(t))
	const parts = `CREATE TABLE old (id integer);
		CREATE TABLE days (id integer, at integer) PARTITION BY LIST (at);
		CREATE TABLE arrivals (at integer);
		CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE format('CREATE TABLE %I PARTITION OF days FOR VALUES IN (%s)', 'p' || NEW.at, NEW.at); RETURN NEW; END $$;
		CREATE TRIGGER cut BEFORE INSERT ON arrivals FOR EACH ROW EXECUTE FUNCTION cut();
		`
	for name, rest := range map[string]string{
		"index": "INSERT INTO arrivals VALUES (1); CREATE INDEX ON p1 (id)",
		"drop":  "INSERT INTO arrivals VALUES (1); DROP TABLE IF EXISTS absent; CREATE INDEX ON p1 (id)",
	} {
		schema := tenant.MustParseSchema(name)
		build(t, conn, schema, split(t, "CREATE TABLE old (id integer)"))
		d := learn(t, conn, parts+rest)[0]
		got := d.Compare(read(t, conn, schema))
		build(t, conn, schema, got.Missing)
		if again := d.Compare(read(t, conn, schema)); len(again.Missing)+len(again.Differs) > 0 {
			t.Errorf("%s: afterwards: %+v", name, again)
		}
		// Without the partition the INSERT is what is missing, and the index behind it.
		execute(t, conn, "DROP TABLE "+name+".p1")
		got = d.Compare(read(t, conn, schema))
		if texts := firsts(got.Missing); !strings.HasPrefix(texts, "INSERT INTO arrivals") || !strings.HasSuffix(texts, "CREATE INDEX ON p1 (id)") {
			t.Errorf("%s: missing without the partition:\n%s", name, texts)
		}
	}
}

// What a statement hides is not taken for the work of the next one of which it is not
// known what it does.
func TestLearnBeforeUnknown(t *testing.T) {
	t.Parallel()
	conn := connect(t, testdb.New(t))
	execute(t, conn, `CREATE FUNCTION public.mark() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN ALTER TABLE parts ADD marked integer; END';
		CREATE EVENT TRIGGER mark ON ddl_command_end WHEN tag IN ('CREATE INDEX') EXECUTE FUNCTION public.mark()`)
	const parts = "CREATE TABLE things (name text);\nCREATE TABLE parts (id integer);\n"
	d := learn(t, conn, parts+"CREATE INDEX ON things (name);\nDO 'BEGIN END'")[0]
	schema := tenant.MustParseSchema("acme")
	execute(t, conn, "ALTER EVENT TRIGGER mark DISABLE")
	build(t, conn, schema, split(t, parts+"CREATE INDEX ON things (name)"))
	execute(t, conn, "ALTER EVENT TRIGGER mark ENABLE")
	// The index is there, and with it what comes with the index is no other statement's.
	if got := d.Compare(read(t, conn, schema)); len(got.Missing) > 0 {
		t.Errorf("missing:\n%s", firsts(got.Missing))
	}
}

// Rows of other tables that a statement changes are known to be its work, and not that of
// a later one: those of a trigger, of a key, of a view.
func TestLearnRowsElsewhere(t *testing.T) {
	t.Parallel()
	conn := connect(t, testdb.New(t))
	const tables = `CREATE TABLE a (id integer PRIMARY KEY); CREATE TABLE b (a integer REFERENCES a ON DELETE CASCADE); CREATE TABLE log (id integer);
		CREATE VIEW v AS SELECT * FROM log; CREATE SEQUENCE s; CREATE TABLE c (n bigint DEFAULT nextval('s'), x integer);
		CREATE TABLE whole (id integer) PARTITION BY LIST (id); CREATE TABLE part PARTITION OF whole DEFAULT;
		CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (1); RETURN NEW; END $$;
		CREATE TABLE d (id integer); CREATE TRIGGER note BEFORE INSERT ON d FOR EACH ROW EXECUTE FUNCTION note();
		INSERT INTO a VALUES (1), (2); INSERT INTO b VALUES (1);
		`
	// Each writes to one that was there before: so it does not run.
	for sql, old := range map[string]string{
		"DELETE FROM a WHERE id = 1":                                  "CREATE TABLE b (a integer)",
		"INSERT INTO v VALUES (1)":                                    "CREATE TABLE log (id integer)",
		"INSERT INTO c (x) VALUES (1)":                                "CREATE SEQUENCE s",
		"INSERT INTO whole VALUES (1)":                                "CREATE TABLE part (id integer)",
		"INSERT INTO d VALUES (1)":                                    "CREATE TABLE log (id integer)",
		"WITH x AS (INSERT INTO log VALUES (1) RETURNING id) TABLE x": "CREATE TABLE log (id integer)",
	} {
		d := learn(t, conn, tables+sql)[0]
		schema := tenant.MustParseSchema("acme")
		build(t, conn, schema, split(t, old))
		got := d.Compare(read(t, conn, schema))
		if strings.HasSuffix(firsts(got.Missing), sql[:20]) || !strings.HasSuffix(firsts(got.NotRun), firsts(split(t, sql))) {
			t.Errorf("%s: missing\n%s\nnot run\n%s", sql, firsts(got.Missing), firsts(got.NotRun))
		}
		execute(t, conn, "DROP SCHEMA acme CASCADE")
	}
}

// What an event trigger does is of the statement that fired it.
func TestLearnBesideEventTriggers(t *testing.T) {
	t.Parallel()
	conn := connect(t, testdb.New(t))
	const parts = things + "CREATE TABLE parts (id integer);\n"
	schema := tenant.MustParseSchema("acme")
	build(t, conn, schema, split(t, parts))
	execute(t, conn, `CREATE FUNCTION public.mark() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN ALTER TABLE parts ADD marked integer; END';
		CREATE EVENT TRIGGER mark ON ddl_command_end WHEN tag IN ('CREATE INDEX') EXECUTE FUNCTION public.mark()`)
	d := learn(t, conn, parts+"CREATE INDEX ON things (name)")[0]
	got := d.Compare(read(t, conn, schema))
	if want := "CREATE INDEX ON things (name)"; firsts(got.Missing) != want {
		t.Errorf("missing:\n%s\nwant\n%s", firsts(got.Missing), want)
	}
	checkDiffers(t, got.Differs, nil)
	build(t, conn, schema, got.Missing)
	if got := d.Compare(read(t, conn, schema)); len(got.Missing)+len(got.Differs) > 0 {
		t.Errorf("afterwards: %+v", got)
	}
}

// shop is a schema.sql of 4 statements a table and one foreign key.
func shop(tables int) string {
	sql := &strings.Builder{}
	for i := range tables {
		fmt.Fprintf(sql, `CREATE TABLE t%[1]d (id bigserial PRIMARY KEY, parent bigint, name text NOT NULL, price numeric(10,2) DEFAULT 0,
			at timestamptz NOT NULL DEFAULT now(), tags text[], data jsonb, done boolean NOT NULL DEFAULT false);
			CREATE INDEX ON t%[1]d (name); CREATE INDEX ON t%[1]d (at) WHERE NOT done; COMMENT ON TABLE t%[1]d IS 'one of many';
			ALTER TABLE t%[1]d ADD FOREIGN KEY (parent) REFERENCES t%[2]d;`, i, max(0, i-1))
	}
	return sql.String()
}

// dump is a schema.sql as pg_dump writes it: of many an ALTER TABLE, and with rows.
func dump(tables int) string {
	sql := &strings.Builder{}
	each := func(format string) {
		for i := range tables {
			fmt.Fprintf(sql, format, i, max(0, i-1))
		}
	}
	each(`CREATE TABLE t%[1]d (id bigint NOT NULL, parent bigint, name text NOT NULL); CREATE SEQUENCE t%[1]d_id_seq AS bigint; ALTER SEQUENCE t%[1]d_id_seq OWNED BY t%[1]d.id;`)
	each(`ALTER TABLE ONLY t%[1]d ALTER COLUMN id SET DEFAULT nextval('t%[1]d_id_seq'::regclass);`)
	each(`INSERT INTO t%[1]d (name) VALUES ('one'), ('two');`)
	each(`ALTER TABLE ONLY t%[1]d ADD CONSTRAINT t%[1]d_pkey PRIMARY KEY (id);`)
	each(`CREATE INDEX t%[1]d_name ON t%[1]d USING btree (name);`)
	each(`ALTER TABLE ONLY t%[1]d ADD CONSTRAINT t%[1]d_parent FOREIGN KEY (parent) REFERENCES t%[2]d (id) ON DELETE CASCADE;`)
	return sql.String()
}

func BenchmarkLearn(b *testing.B) {
	for _, tables := range []int{22, 100, 300} {
		statements := split(b, shop(tables))
		b.Run(fmt.Sprintf("%d statements", len(statements)), func(b *testing.B) {
			conn := connect(b, testdb.New(b))
			for b.Loop() {
				learn(b, conn, shop(tables))
			}
		})
	}
}

func BenchmarkCompare(b *testing.B) {
	conn := connect(b, testdb.New(b))
	d := learn(b, conn, shop(22))[0]
	schema := tenant.MustParseSchema("acme")
	build(b, conn, schema, split(b, shop(22)))
	objects := read(b, conn, schema)
	for b.Loop() {
		if r := d.Compare(objects); len(r.Missing)+len(r.Differs) > 0 {
			b.Fatal(r)
		}
	}
}

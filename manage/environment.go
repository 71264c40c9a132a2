package manage

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/internal/dberr"
	"github.com/cotenant/cotenant/tenant"
)

// environment is what a program finds a tenant's schema by: the variables of libpq
// (PostgreSQL manual, 34.15 "Environment Variables"), which psql, pg_dump and most drivers
// read, and DATABASE_URL.
type environment struct {
	config *pgx.ConnConfig
	schema tenant.Schema
	url    string // the connection string as it was given
	path   string // of the search
}

// newEnvironment is for a database past its pooler. The path is as the application's, without
// blanks, which separate options.
func newEnvironment(config *cotenant.Config, schema tenant.Schema) (*environment, error) {
	text := config.DirectURL
	if text == "" {
		text = config.DatabaseURL
	}
	if text == "" {
		return nil, fmt.Errorf("the program makes its own pool, so that there is no URL to give away (set direct_url)")
	}
	parsed, err := pgxpool.ParseConfig(text) // which takes its own parameters out
	if err != nil {
		return nil, dberr.Parse("the database's URL")
	}
	e := &environment{config: parsed.ConnConfig, schema: schema, url: text}
	names := []string{quoted(schema)}
	if !schema.IsPublic() {
		names = append(names, "public")
	}
	if config.DB != nil {
		for _, extra := range config.DB.ExtraSchemas {
			names = append(names, quoted(extra))
		}
	}
	e.path = strings.Join(append(names, "pg_temp"), ",")
	return e, nil
}

func quoted(schema tenant.Schema) string { return pgx.Identifier{schema.String()}.Sanitize() }

// options is the value of PGOPTIONS.
func (e *environment) options() string { return "-c search_path=" + e.path }

// prove connects as the program will, and looks whether it gets to the schema: a pooler can
// drop the options without a word.
func (e *environment) prove(ctx context.Context) error {
	config := e.config.Copy()
	config.RuntimeParams["options"] = e.options()
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return fmt.Errorf("schema %q: %w", e.schema, err)
	}
	defer conn.Close(ctx)
	var current *string
	if err := conn.QueryRow(ctx, "SELECT pg_catalog.current_schema()", pgx.QueryExecModeSimpleProtocol).Scan(&current); err != nil {
		return fmt.Errorf("schema %q: %w", e.schema, err)
	}
	if current == nil || *current != e.schema.String() {
		return fmt.Errorf("schema %q: a program would not get there by PGOPTIONS (is the schema there? does a pooler drop the options? set direct_url to the server itself)", e.schema)
	}
	return nil
}

// variables are those of this process with the schema's over them.
func (e *environment) variables(t *tenant.Tenant) []string {
	set := map[string]string{
		"PGHOST": e.config.Host, "PGPORT": strconv.Itoa(int(e.config.Port)), "PGUSER": e.config.User, "PGDATABASE": e.config.Database,
		"PGOPTIONS": e.options(), "DATABASE_URL": e.withOptions(),
		"COTENANT_SCHEMA": t.Schema.String(), "COTENANT_TENANT_ID": strconv.FormatInt(t.ID, 10),
	}
	if e.config.Password != "" {
		set["PGPASSWORD"] = e.config.Password
	}
	for key, value := range parameters(e.url) {
		if name := variableOf(key); name != "" {
			set[name] = value
		}
	}
	var all []string
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if _, ours := set[name]; !ours && name != "PGSERVICE" {
			all = append(all, variable)
		}
	}
	for name, value := range set {
		all = append(all, name+"="+value)
	}
	return all
}

// variableOf is the variable of libpq for a connection parameter that a program needs to
// connect as we do; empty if it does not.
func variableOf(parameter string) string {
	switch parameter {
	case "channel_binding", "connect_timeout", "passfile", "sslcert", "sslkey", "sslmode", "sslrootcert", "target_session_attrs":
		name := strings.ToUpper(parameter)
		if name != "CONNECT_TIMEOUT" {
			name = strings.ReplaceAll(name, "_", "")
		}
		return "PG" + name
	}
	return ""
}

// parameters are those of a connection string, a URL or pairs.
func parameters(text string) map[string]string {
	all := make(map[string]string)
	if u, err := url.Parse(text); err == nil && strings.HasPrefix(u.Scheme, "postgres") {
		for key, values := range u.Query() {
			all[key] = values[0]
		}
		return all
	}
	for pair := range strings.FieldsSeq(text) {
		if key, value, ok := strings.Cut(pair, "="); ok {
			all[key] = strings.Trim(value, "'")
		}
	}
	return all
}

// poolPair is a parameter of pgxpool in a connection string of pairs.
var poolPair = regexp.MustCompile(`(^|\s)pool_\w+\s*=\s*\S+`)

// withOptions is the URL of the database with the path in it.
func (e *environment) withOptions() string {
	u, err := url.Parse(e.url)
	if err != nil || !strings.HasPrefix(u.Scheme, "postgres") {
		return strings.TrimSpace(poolPair.ReplaceAllString(e.url, "") + ` options='` + e.options() + `'`)
	}
	query := u.Query()
	for key := range query {
		if strings.HasPrefix(key, "pool_") { // pgxpool's, which libpq refuses
			query.Del(key)
		}
	}
	query.Set("options", e.options())
	u.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20") // libpq takes + for itself
	return u.String()
}

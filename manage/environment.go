package manage

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
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
	config  *pgx.ConnConfig
	given   map[string]string // the parameters of the connection string
	host    string            // that was reached
	options string            // the value of PGOPTIONS
	port    uint16
	schema  tenant.Schema
	url     bool // the connection string is one
}

// newEnvironment is for a database past its pooler. The path is as the application's, without
// blanks, which separate options. It is the last of them, so that it wins.
func newEnvironment(config *cotenant.Config, schema tenant.Schema) (*environment, error) {
	text := config.DirectURL
	if text == "" {
		text = config.DatabaseURL
	}
	if text == "" {
		return nil, fmt.Errorf("the program makes its own pool, so that there is no URL to give away (set direct_url)")
	}
	parsed, err := pgxpool.ParseConfig(text) // which takes its own parameters out, and pgx's
	if err != nil {
		return nil, dberr.Parse("the database's URL")
	}
	given, err := parameters(text)
	if err != nil {
		return nil, err
	}
	e := &environment{config: parsed.ConnConfig, given: given, host: parsed.ConnConfig.Host, port: parsed.ConnConfig.Port, schema: schema, url: isURL(text)}
	names := []string{quoted(schema)}
	if !schema.IsPublic() {
		names = append(names, "public")
	}
	if config.DB != nil {
		for _, extra := range config.DB.ExtraSchemas {
			names = append(names, quoted(extra))
		}
	}
	path := strings.Join(append(names, "pg_temp"), ",")
	e.options = strings.TrimSpace(settingsOf(e.config.RuntimeParams) + " -c search_path=" + path)
	return e, nil
}

func quoted(schema tenant.Schema) string { return pgx.Identifier{schema.String()}.Sanitize() }

// settingsOf are the server's settings of a connection as options: libpq knows no others in a
// connection string. A blank and a backslash have a backslash before them.
func settingsOf(runtime map[string]string) string {
	options := runtime["options"]
	escape := strings.NewReplacer(`\`, `\\`, " ", `\ `, "\t", "\\\t", "\n", "\\\n", "\v", "\\\v", "\f", "\\\f", "\r", "\\\r")
	for _, name := range slices.Sorted(maps.Keys(runtime)) {
		_, libpqs := variableOf(name)
		// A path beside the options would win over the one in them.
		if name != "options" && !libpqs && !strings.EqualFold(name, "search_path") {
			options += " -c " + escape.Replace(name) + "=" + escape.Replace(runtime[name])
		}
	}
	return options
}

// variableOf returns the variable of libpq for a parameter of a connection string that libpq
// and pgx know in the same sense, empty where there is none, and whether it is such a
// parameter. Host, port, user, password and dbname are not among them, nor is what the server
// is told by options.
func variableOf(parameter string) (variable string, libpqs bool) {
	switch parameter {
	case "application_name":
		return "PGAPPNAME", true
	case "connect_timeout":
		return "PGCONNECT_TIMEOUT", true
	case "replication":
		return "", true
	case "channel_binding", "client_encoding", "krbsrvname", "max_protocol_version", "min_protocol_version", "passfile", "require_auth", "sslcert",
		"sslcertmode", "sslkey", "sslmode", "sslnegotiation", "sslpassword", "sslrootcert", "sslsni", "target_session_attrs":
		return "PG" + strings.ToUpper(strings.ReplaceAll(parameter, "_", "")), true
	}
	return "", false
}

// settingVariable returns the variable that libpq sends to the server as this setting, where it
// would win over the options; empty if there is none.
func settingVariable(setting string) string {
	switch strings.ToLower(setting) {
	case "datestyle":
		return "PGDATESTYLE"
	case "geqo":
		return "PGGEQO"
	case "timezone":
		return "PGTZ"
	}
	return ""
}

// isElsewhere reports whether a variable would lead libpq to another server than was proven.
func isElsewhere(variable string) bool {
	return slices.Contains([]string{"PGHOSTADDR", "PGLOADBALANCEHOSTS", "PGSERVICE", "PGSERVICEFILE"}, variable)
}

// variables are those of this process with the schema's over them. What libpq reads and
// the connection string leaves open is as it was: pgx read it too, but for what narrows whom
// libpq trusts, such as PGREQUIREPEER.
func (e *environment) variables(t *tenant.Tenant) []string {
	set := map[string]string{
		"PGHOST": e.host, "PGPORT": e.portText(), "PGUSER": e.config.User, "PGDATABASE": e.database(),
		"PGOPTIONS": e.options, "DATABASE_URL": e.connString(),
		"COTENANT_SCHEMA": t.Schema.String(), "COTENANT_TENANT_ID": strconv.FormatInt(t.ID, 10),
	}
	if e.config.Password != "" {
		set["PGPASSWORD"] = e.config.Password
	}
	for name, value := range e.given {
		variable, _ := variableOf(name)
		if variable = cmp.Or(variable, settingVariable(name)); variable != "" {
			set[variable] = value
		}
	}
	var all []string
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if _, ours := set[name]; !ours && !isElsewhere(name) {
			all = append(all, variable)
		}
	}
	for name, value := range set {
		all = append(all, name+"="+value)
	}
	return all
}

func (e *environment) database() string { return cmp.Or(e.config.Database, e.config.User) }
func (e *environment) portText() string { return strconv.Itoa(int(e.port)) }

// connString is the value of DATABASE_URL, in the form that it was given: the host that was
// reached, and what libpq takes besides. The password is in it if it was.
func (e *environment) connString() string {
	all := map[string]string{"options": e.options}
	for name, value := range e.given {
		if _, libpqs := variableOf(name); libpqs {
			all[name] = value
		}
	}
	if e.url {
		return e.urlWith(all)
	}
	all["host"], all["port"], all["user"], all["dbname"] = e.host, e.portText(), e.config.User, e.database()
	if password := e.given["password"]; password != "" {
		all["password"] = password
	}
	escape := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		texts = append(texts, name+"='"+escape.Replace(all[name])+"'")
	}
	return strings.Join(texts, " ")
}

// urlWith is the URL of the database with these parameters.
func (e *environment) urlWith(all map[string]string) string {
	login := escaped(e.config.User)
	if password := e.given["password"]; password != "" {
		login += ":" + escaped(password)
	}
	authority := ""
	switch {
	case strings.ContainsAny(e.host, `/\@`): // the directory of a socket
		all["host"], all["port"] = e.host, e.portText()
	case strings.Contains(e.host, ":"):
		authority = "[" + strings.ReplaceAll(e.host, "%", "%25") + "]:" + e.portText()
	default:
		authority = escaped(e.host) + ":" + e.portText()
	}
	var query []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		query = append(query, name+"="+escaped(all[name]))
	}
	return "postgres://" + login + "@" + authority + "/" + escaped(e.database()) + "?" + strings.Join(query, "&")
}

// escaped has %20 for a blank: libpq takes a + for itself.
func escaped(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

package testdb

import (
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Role returns the URL of the database at address, which New made, for a login role
// of its own. The role may connect and create schemas, and no more but for its
// attributes, such as "CREATEROLE" or "CONNECTION LIMIT 1"; it is never a superuser
// unless they say so. It is dropped with the database. Role is safe for concurrent
// use.
func Role(tb testing.TB, address string, attributes ...string) string {
	tb.Helper()
	name, database := claim(tb, address)
	password := randomName()
	err := execute(address,
		"CREATE ROLE "+name+" LOGIN PASSWORD '"+password+"' "+strings.Join(attributes, " "),
		"GRANT ALL ON DATABASE "+database+" TO "+name)
	if err != nil {
		tb.Fatalf("testdb: create role: %v", err)
	}
	return withUser(address, name, password)
}

// RoleName returns the name of a role that is not there, for what is tested to make. It
// is dropped with the database at address, which New made, before what Role makes later.
// RoleName is safe for concurrent use.
func RoleName(tb testing.TB, address string) string {
	tb.Helper()
	name, _ := claim(tb, address)
	return name
}

// claim returns a name of a role, which is dropped with the database at address.
func claim(tb testing.TB, address string) (name, database string) {
	tb.Helper()
	config, err := pgx.ParseConfig(address)
	if err != nil {
		tb.Fatalf("testdb: role: %v", err)
	}
	if !strings.HasPrefix(config.Database, namePrefix) {
		tb.Fatalf("testdb: role: database %q was not made by New", config.Database)
	}
	name = randomName()
	shared.Lock()
	defer shared.Unlock()
	if shared.roles == nil {
		shared.roles = make(map[string][]string)
	}
	shared.roles[config.Database] = append(shared.roles[config.Database], name)
	return name, config.Database
}

// withUser returns address, a URL or a keyword/value string that pgx has
// understood, with another user.
func withUser(address, name, password string) string {
	u, err := url.Parse(address)
	if err != nil || !strings.Contains(address, "://") {
		return address + " user=" + name + " password=" + password // the last ones count
	}
	u.User = url.UserPassword(name, password)
	query := u.Query()
	query.Del("user") // would count more
	query.Del("password")
	u.RawQuery = query.Encode()
	return u.String()
}

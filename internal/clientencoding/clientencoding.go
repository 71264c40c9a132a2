// Package clientencoding has connections say in which encoding they write.
package clientencoding

import "github.com/jackc/pgx/v5"

const parameter = "client_encoding"

// Set has a connection say that its text is UTF8, as that of Go is, unless its parameters
// say something else. pgx says nothing: then the server takes the text for one in the
// database's encoding, and in a database that is not UTF8 stores other letters without an
// error (PostgreSQL manual, "Automatic Character Set Conversion Between Server and
// Client"). PgBouncer keeps the parameter with its client.
func Set(config *pgx.ConnConfig) {
	if _, ok := config.RuntimeParams[parameter]; ok {
		return
	}
	if config.RuntimeParams == nil {
		config.RuntimeParams = make(map[string]string, 1)
	}
	config.RuntimeParams[parameter] = "UTF8"
}

package doctor

import (
	"context"
	"fmt"
)

// databaseEncoding finds a database in another encoding than UTF8. SQL_ASCII converts and
// checks nothing. In any other, the server takes text for what client_encoding says, whose
// default is the database's own (manual, "Automatic Character Set Conversion Between Server and
// Client"): what a program sends as UTF-8 without saying so is kept as other characters.
func databaseEncoding(ctx context.Context, e *exam) ([]Finding, error) {
	var encoding string
	err := e.row(ctx, "SELECT pg_encoding_to_char(encoding) FROM pg_database WHERE datname = current_database()").Scan(&encoding)
	if err != nil || encoding == "UTF8" {
		return nil, err
	}
	reason := "the text of a program that sends UTF-8, and does not set client_encoding, is stored as other characters; and what the encoding lacks is refused"
	if encoding == "SQL_ASCII" {
		reason = "text is neither converted nor checked: programs of different encodings cannot read each other's, and length() counts bytes"
	}
	return []Finding{{
		Severity: Warning,
		Subject:  fmt.Sprintf("database %q", e.facts.database),
		Message:  "its encoding is " + encoding + ", and not UTF8",
		Reason:   reason,
		Cure:     "dump it, and restore it into a database made with ENCODING 'UTF8' TEMPLATE template0; until then, have every program set client_encoding",
	}}, nil
}

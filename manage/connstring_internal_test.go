package manage

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// What pgx takes out of a connection string, we do.
func FuzzParameters(f *testing.F) {
	for _, text := range []string{
		"postgres://me:s3cret@host:5432/db?sslmode=disable&options=-c%20a%3Db&application_name=a+b",
		"postgres://me:a?b=c@host,other:5433/db?work_mem=5MB&work_mem=6MB",
		"postgresql:///db?host=/tmp&password=s3cret",
		`host = 'a\'b' user=me password='' options='-c a=b\\ c' work_mem=a\ b`,
		`a='b'c=d`, `a=b\`, "a=\tb", "=", "a=",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "service") || strings.Contains(text, "pass") && strings.Contains(text, "file") || strings.Contains(text, "ssl") && !strings.Contains(text, "sslmode") {
			return // pgx would read files
		}
		config, err := pgconn.ParseConfig(text)
		if err != nil {
			return
		}
		given, err := parameters(text)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range config.RuntimeParams {
			if given[name] != value {
				t.Errorf("%q: %s is %q, to pgx %q", text, name, given[name], value)
			}
		}
		if password := given["password"]; password != "" && password != config.Password {
			t.Errorf("%q: the password is %q, to pgx %q", text, password, config.Password)
		}
	})
}

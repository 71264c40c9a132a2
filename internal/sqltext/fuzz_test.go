package sqltext_test

import (
	"testing"

	"github.com/cotenant/cotenant/internal/sqltext"
)

// Whatever the text, it is read to its end, and where a transaction ends in it there is
// a semicolon in front.
func FuzzClassify(f *testing.F) {
	for _, sql := range []string{"", ";", "SELECT ';'; x", "$a$;$a$;", "/*;*/;--;\n;", `E'\';';`, `";";`, "a$b$;", "E'a'\n'b\\';';", "SELECT 1; COMMIT; SELECT set_config('a', (b), true)"} {
		f.Add(sql, false)
	}
	f.Fuzz(func(t *testing.T, sql string, escapes bool) {
		_, endings := sqltext.Classify(sql, escapes)
		for _, at := range endings {
			if at == 0 || sql[at-1] != ';' {
				t.Fatalf("%q: an end at %d", sql, at)
			}
		}
		sqltext.ClassifyParsed(sql, escapes)
	})
}

package sqltext_test

import (
	"testing"

	"github.com/cotenant/cotenant/internal/sqltext"
)

func TestPlain(t *testing.T) {
	t.Parallel()

	for sql, want := range map[string]string{
		"":                                      "",
		"-- nothing":                            "",
		"  SELECT\t a.b -- x\n ;\n":             "SELECT a . b ;",
		"a/* /* b */ */+\r\n'c  --d'||\"e  f\"": `a + 'c  --d' | | "e  f"`,
		"$x$ -- a\n $x$  E'\\'  '":              "$x$ -- a\n $x$ E'\\'  '",
		"'never closed":                         "'never closed",
	} {
		if got := sqltext.Plain(sql); got != want {
			t.Errorf("Plain(%q) = %q, want %q", sql, got, want)
		}
		if again := sqltext.Plain(want); again != want {
			t.Errorf("Plain(%q) = %q", want, again)
		}
	}
}

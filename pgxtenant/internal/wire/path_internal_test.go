package wire

import "testing"

func TestEqualPaths(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{`"a", "public", pg_temp`, `a, public, pg_temp`, true},
		{`"A", "b-2", "say ""hi"""`, `"A", "b-2", "say ""hi"""`, true},
		{`"A"`, `A`, false}, // which is a
		{`"a"`, ` A `, true},
		{`"a"`, `a, b`, false},
		{`"a", "b"`, `a`, false},
		{`"a,b"`, `a, b`, false},
		{``, `a`, false},
		{`"a`, `a`, true}, // no value of the setting
		{`"$user", public`, `"$user",public`, true},
	} {
		if got := equalPaths(tt.a, tt.b); got != tt.want {
			t.Errorf("equalPaths(%q, %q) = %t", tt.a, tt.b, got)
		}
	}
}

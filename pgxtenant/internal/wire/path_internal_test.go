package wire

import (
	"strconv"
	"testing"
)

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

// The oldest path makes room for a new one, whose statement has its name.
func TestPathsMakeRoom(t *testing.T) {
	t.Parallel()

	s := paths{names: make(map[Path]string)}
	path := func(i int) Path { return Path{SearchPath: strconv.Itoa(i)} }
	for i := range maxPaths + 2 {
		s.add(path(i))
	}
	if len(s.names) != maxPaths || s.names[path(0)] != "" || s.names[path(maxPaths)] != pathName+"0" || s.names[path(2)] != pathName+"2" {
		t.Errorf("%d names; %q, %q, %q", len(s.names), s.names[path(0)], s.names[path(maxPaths)], s.names[path(2)])
	}
}

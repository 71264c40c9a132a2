package catalog

import (
	"slices"
	"testing"
)

func TestNormal(t *testing.T) {
	t.Parallel()
	for name, forms := range map[string][]string{
		"varchar": {
			"CHECK (c::text = ANY (ARRAY['a'::character varying::text, 'b, ]'::character varying::text]))",
			"CHECK (c::text = ANY (ARRAY['a'::character varying, 'b, ]'::character varying]::text[]))",
		},
		"with parentheses": {
			"((c)::text = ANY (ARRAY['a'::character varying::text, 'b''('::character varying::text]))",
			"((c)::text = ANY ((ARRAY['a'::character varying, 'b''('::character varying])::text[]))",
			"((c)::text = ANY (ARRAY[('a'::character varying)::text, ('b''('::character varying)::text]))",
		},
		"columns": {
			"a::text = ANY (ARRAY[b::text, lower(c)::text, (d || e)::text])",
			"a::text = ANY (ARRAY[b, lower(c), d || e]::text[])",
		},
		"two": {
			"x = ANY (ARRAY['a'::v::t]) AND y = ANY (ARRAY['ARRAY[b]::t[]'::v::t])",
			"x = ANY (ARRAY['a'::v]::t[]) AND y = ANY (ARRAY['ARRAY[b]::t[]'::v]::t[])",
		},
		"nothing to do": {"text[] DEFAULT ARRAY[]::text[]"},
		"of arrays":     {"DEFAULT ARRAY[ARRAY[1, 2], ARRAY[3, 4]]"},
		"in quotes":     {`"ARRAY[" = 'ARRAY[x]::text[]'`},
		"a function":    {"f(ARRAY['a'::text])::text[]"},
		"open":          {"ARRAY[1, 2"},
		"nothing":       {""},
	} {
		for _, form := range forms {
			if got := Normal(form); got != forms[0] {
				t.Errorf("%s: %s\nis   %s\nwant %s", name, form, got, forms[0])
			}
		}
	}
}

// Whatever it is given, the constants stay as they are.
func FuzzNormal(f *testing.F) {
	for _, seed := range []string{
		"CHECK (c::text = ANY (ARRAY['a'::character varying, 'b'::character varying]::text[]))",
		"((c)::text = ANY ((ARRAY[('a'::v)::t, f(x, 'y')])::text[]))", "ARRAY[]::text[]", "ARRAY[(a), b[1]]::x[][]", `'"ARRAY[`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, definition string) {
		if got := Normal(definition); !slices.Equal(constants(got), constants(definition)) {
			t.Errorf("%q\nis %q", definition, got)
		}
	})
}

// constants are what stands in quotes.
func constants(text string) (list []string) {
	for i := 0; i < len(text); {
		n := quoted(text[i:])
		if n > 0 {
			list = append(list, text[i:i+n])
		}
		i += max(n, 1)
	}
	return list
}

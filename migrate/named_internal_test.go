package migrate

import "testing"

// What a user calls a migration is looked up before a database is asked.
func TestNamed(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		all        []string
		text, want string
	}{
		{[]string{"0001_a", "0002_b", "0010_c"}, "1", "0001_a"},
		{[]string{"0001_a", "0002_b", "0010_c"}, "10", "0010_c"},
		{[]string{"0001_a", "0002_b", "0010_c"}, "0002", "0002_b"},
		{[]string{"0001_a", "0002_b", "0010_c"}, "0002_b", "0002_b"},
		{[]string{"0001_a", "0010_c"}, "001", `migration "001": app "shop" has 0001_a of that number, and others that begin so: 0010_c (name one)`},
		{[]string{"0001_a", "0002_b"}, "000", `migration "000": app "shop" has several that begin so: 0001_a, 0002_b (name one)`},
		{[]string{"0001_a", "0002_b"}, "3", `migration "3": app "shop" has none of that name (there is 0001_a, 0002_b)`},
		{[]string{"1_a", "10_b", "11_c"}, "1", "1_a"},
		{[]string{"1_a", "10_b", "11_c"}, "01", "1_a"},
		{[]string{"20240101120000_a", "20250101120000_b"}, "2024", "20240101120000_a"},
		{[]string{"0001_a"}, "1_a", `migration "1_a": app "shop" has none of that name (did you mean "0001_a"?)`},
	} {
		l := loadedApp{name: "shop"}
		for _, name := range tt.all {
			l.migrations = append(l.migrations, script{name: name})
		}
		got, err := l.named(tt.text)
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%q of %q: %q, want %q", tt.text, tt.all, got, tt.want)
		}
	}
}

package tenant

import (
	"database/sql/driver"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// The longest domain and the longest of its labels, in bytes (RFC 1035, 2.3.4;
// the domain without the final dot).
const (
	maxDomainLength = 253
	maxLabelLength  = 63
)

// Domain is a validated host name that leads to a tenant: lower case, in its
// ASCII form, without scheme, port, path, leading "www." or final dot. Values
// come from ParseDomain only. The zero value is no domain. Domains are
// comparable.
type Domain struct{ name string }

// ParseDomain validates a host name and brings it into its one form: lower
// case, international names in ASCII as browsers send them (UTS #46; "bücher.de"
// becomes "xn--bcher-kva.de"), a final dot taken off. Underscores are met in
// practice and allowed.
//
// The error wraps ErrInvalidDomain and says what to write instead.
func ParseDomain(name string) (Domain, error) {
	ascii, fault := normalize(name)
	if fault != "" {
		return Domain{}, fmt.Errorf("%w %q: %s", ErrInvalidDomain, clip(name), fault)
	}
	return Domain{ascii}, nil
}

// MustParseDomain is ParseDomain for names that are known to be good, such as
// constants. It panics where ParseDomain returns an error.
func MustParseDomain(name string) Domain {
	d, err := ParseDomain(name)
	if err != nil {
		panic(err)
	}
	return d
}

// normalize brings name into the form that Domain keeps, or says what is wrong
// with it and what to write.
func normalize(name string) (ascii, fault string) {
	if fault := pasted(name); fault != "" {
		return "", fault + suggest(name)
	}
	ascii, fault = toASCII(name)
	if fault != "" {
		return "", fault
	}
	// Mapping can bring forth what the first look did not see, such as a
	// fullwidth solidus that becomes a slash.
	if fault := pasted(ascii); fault != "" {
		return "", fault + suggest(ascii)
	}
	return ascii, labelsFault(ascii)
}

// toASCII is the lower-case ASCII form of name without its final dot.
// idna.Lookup would refuse underscores, so the rule for them is switched off
// and so is the one against hyphens in the third and fourth place, which real
// names have; labelsFault sees to the characters.
func toASCII(name string) (ascii, fault string) {
	profile := idna.New(idna.MapForLookup(), idna.StrictDomainName(false), idna.CheckHyphens(false))
	ascii, err := profile.ToASCII(name)
	if err != nil {
		return "", "it is not a host name: " + err.Error() + hint
	}
	return strings.TrimSuffix(strings.ToLower(ascii), "."), ""
}

// hint is the cure where no better one is known.
const hint = " (write a host name such as acme.example.com)"

// pasted recognises what people paste instead of a host name; it is empty for
// everything else.
func pasted(name string) string {
	switch {
	case name == "":
		return "it is empty"
	case !utf8.ValidString(name):
		return "it is not UTF-8" // x/net/idna encodes such bytes without an error
	case strings.Contains(name, "://"):
		return "it has a scheme"
	case strings.ContainsAny(name, "/?#\\"):
		return "it has a path"
	case strings.Contains(name, "@"):
		return "it has a user name"
	case strings.HasPrefix(name, "["), strings.Count(name, ":") > 1:
		return "it is an IPv6 address"
	case strings.Contains(name, ":"):
		return "it has a port"
	case strings.HasPrefix(strings.ToLower(name), "www."):
		return "it starts with www., and requests for www. find the name without it too"
	}
	return ""
}

// suggest is the host name inside of what was written, where there is one.
func suggest(name string) string {
	if _, rest, ok := strings.Cut(name, "://"); ok {
		name = rest
	}
	if i := strings.IndexAny(name, "/?#\\"); i >= 0 {
		name = name[:i]
	}
	name = name[strings.LastIndex(name, "@")+1:]
	if host, _, ok := strings.Cut(name, ":"); ok {
		name = host
	}
	for len(name) > 4 && strings.EqualFold(name[:4], "www.") {
		name = name[4:]
	}
	ascii, fault := toASCII(name)
	if fault != "" || pasted(name) != "" || pasted(ascii) != "" || labelsFault(ascii) != "" {
		return hint
	}
	return fmt.Sprintf(" (write %q)", ascii)
}

// labelsFault checks a name that is in ASCII already, label by label.
func labelsFault(ascii string) string {
	if len(ascii) > maxDomainLength {
		return fmt.Sprintf("it has %d bytes, a host name has at most %d (use a shorter name)", len(ascii), maxDomainLength)
	}
	for label := range strings.SplitSeq(ascii, ".") {
		switch {
		case label == "":
			return "it has an empty label (write single dots between the parts)"
		case len(label) > maxLabelLength:
			return fmt.Sprintf("the label %q has %d bytes, a label has at most %d (use a shorter one)", label, len(label), maxLabelLength)
		case strings.HasPrefix(label, "-"), strings.HasSuffix(label, "-"):
			return fmt.Sprintf("the label %q begins or ends with '-' (RFC 1123 does not allow that)", label)
		}
		for _, r := range label {
			if !isLabelRune(r) {
				return fmt.Sprintf("it contains %q (use letters, digits, '-' and '_')", r)
			}
		}
	}
	return ""
}

func isLabelRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_'
}

// String returns the host name.
func (d Domain) String() string { return d.name }

// IsZero reports whether d is no domain.
func (d Domain) IsZero() bool { return d.name == "" }

// MarshalText returns the host name, for JSON, flags and configuration files.
func (d Domain) MarshalText() ([]byte, error) { return []byte(d.name), nil }

// UnmarshalText is ParseDomain for JSON, flags and configuration files.
func (d *Domain) UnmarshalText(text []byte) error {
	parsed, err := ParseDomain(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

// Scan reads a domain from a text column (database/sql.Scanner) and validates
// it. NULL becomes the zero Domain.
func (d *Domain) Scan(src any) error {
	switch src := src.(type) {
	case nil:
		*d = Domain{}
		return nil
	case string:
		return d.UnmarshalText([]byte(src))
	case []byte:
		return d.UnmarshalText(src)
	}
	return fmt.Errorf("%w: cannot scan a %T (select a text column)", ErrInvalidDomain, src)
}

// Value returns the host name for a text column (database/sql/driver.Valuer);
// the zero Domain becomes NULL.
func (d Domain) Value() (driver.Value, error) {
	if d.IsZero() {
		return nil, nil
	}
	return d.name, nil
}

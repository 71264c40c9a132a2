package auth

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/secure/precis"
)

// ErrInvalidUsername says that the text is no user name; see ParseUsername.
var ErrInvalidUsername = errors.New("invalid user name")

// maxUsername is the length of the column, in characters, as in Django.
const maxUsername = 150

// ParseUsername returns the form in which a user name is kept and compared: that of the
// profile UsernameCaseMapped (RFC 8265), so that Ａdmin and ADMIN are admin. It has 1 to
// 150 characters; spaces and control characters are none of it. An email address is
// one. Names of letters that look alike, such as a Cyrillic а in аdmin, are other names: who
// shows them to people who might take one for another lets users of that tenant choose from
// letters of its own. The error wraps ErrInvalidUsername.
func ParseUsername(name string) (string, error) {
	fault := func(text string) (string, error) { return "", fmt.Errorf("%w: %s", ErrInvalidUsername, text) }
	switch {
	case name == "":
		return fault("it is empty (give it a letter or more)")
	case len(name) > 4*maxUsername || utf8.RuneCountInString(name) > maxUsername:
		return fault(fmt.Sprintf("it has more than %d characters (use a shorter one)", maxUsername))
	case !utf8.ValidString(name):
		return fault("it is no UTF-8 (write it in UTF-8)")
	case strings.ContainsFunc(name, unicode.IsControl):
		return fault(fmt.Sprintf("%q has control characters (leave them out)", name))
	}
	folded, err := precis.UsernameCaseMapped.String(name)
	if err != nil {
		return fault(fmt.Sprintf("%q has characters that a name cannot have (use letters, digits and punctuation, without spaces)", name))
	}
	if utf8.RuneCountInString(folded) > maxUsername {
		return fault(fmt.Sprintf("it has more than %d characters (use a shorter one)", maxUsername))
	}
	return folded, nil
}

package auth

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/trustelem/zxcvbn"
	"golang.org/x/text/secure/precis"
)

// What is wrong with a new password.
var (
	// ErrPasswordShort: it has fewer characters than Config.MinPasswordLength.
	ErrPasswordShort = errors.New("the password is too short")
	// ErrPasswordLong: it has more than 1024 bytes.
	ErrPasswordLong = errors.New("the password is too long")
	// ErrPasswordCommon: those who guess passwords would guess it among the first.
	ErrPasswordCommon = errors.New("the password is too common")
	// ErrPasswordPersonal: it is the user's name or email address, or hardly more.
	ErrPasswordPersonal = errors.New("the password is too much like the user name or email")
	// ErrPasswordInvalid: it is no UTF-8, or has control characters.
	ErrPasswordInvalid = errors.New("the password has characters that cannot be typed everywhere")
)

const (
	// maxPasswordLength is in bytes. NIST asks for at least 64 characters; it is there
	// so that nobody has megabytes hashed.
	maxPasswordLength = 1024
	// maxScored is how much of a password is looked at: the time that zxcvbn takes
	// grows with the cube of the length, and what is longer is not common.
	maxScored = 64
)

// CheckPassword reports why password cannot be a new one for a user of that name and
// email. There are no rules about kinds of characters: they make passwords that are alike
// (NIST SP 800-63B-4, 3.1.1.2). The error wraps ErrPasswordShort, ErrPasswordLong,
// ErrPasswordCommon, ErrPasswordPersonal or ErrPasswordInvalid, and never has the password
// in it; or it is what Config.RefusePassword returns. What is common is judged by zxcvbn,
// with 30,000 passwords and 90,000 names and words: with 15 characters or more, what it
// would guess within 10¹⁰ attempts; within 10⁸ where Config.MinPasswordLength is 12 to 14, and
// 10⁶ where it is less. It knows no sentences: a famous line, or the four words of a comic, are
// words to it. A list of those is for Config.RefusePassword.
func (a *Auth) CheckPassword(password, username, email string) error {
	if len(password) > maxPasswordLength {
		return fmt.Errorf("%w: %d bytes (use at most %d)", ErrPasswordLong, len(password), maxPasswordLength)
	}
	if n := utf8.RuneCountInString(password); n < a.config.MinPasswordLength {
		return fmt.Errorf("%w: %d characters (use %d or more, such as four words)", ErrPasswordShort, n, a.config.MinPasswordLength)
	}
	if _, err := precis.OpaqueString.String(password); err != nil || !utf8.ValidString(password) {
		return fmt.Errorf("%w (use letters, digits, punctuation and spaces)", ErrPasswordInvalid)
	}
	personal := personalWords(username, email)
	rest := strings.ToLower(password)
	for _, word := range personal {
		if len(word) > 3 {
			rest = strings.ReplaceAll(rest, word, "")
		}
	}
	if utf8.RuneCountInString(rest) < a.config.MinPasswordLength/2 {
		return fmt.Errorf("%w (use another)", ErrPasswordPersonal)
	}
	if scored := []rune(password); zxcvbn.PasswordStrength(string(scored[:min(len(scored), maxScored)]), personal).Score < minScore(a.config.MinPasswordLength) {
		return fmt.Errorf("%w (use rarer words or more of them, without names, dates and patterns on the keyboard)", ErrPasswordCommon)
	}
	if a.config.RefusePassword == nil {
		return nil
	}
	return a.config.RefusePassword(password)
}

// minScore is the least score of zxcvbn for a password that has length characters or more: 4
// (10¹⁰ guesses) where it is the only factor, and less where less was asked for, since zxcvbn
// counts ten guesses for a character of which it knows nothing.
func minScore(length int) int {
	const best, least, step = 4, 2, 3 // a score is 100 times the guesses, and NIST's 15 characters have the best
	return max(least, min(best, length/step-1))
}

// personalWords are what is known of a user, in lower case, the longest first.
func personalWords(username, email string) []string {
	local, domain, _ := strings.Cut(strings.ToLower(email), "@")
	var words []string
	for _, word := range []string{strings.ToLower(email), strings.ToLower(username), local, domain} {
		if word != "" {
			words = append(words, word)
		}
	}
	return words
}

// normal is a password as it is hashed, so that it is the same on every keyboard
// (RFC 8265, OpaqueString). One that has no such form is nobody's.
func normal(password string) string {
	if text, err := precis.OpaqueString.String(password); err == nil {
		return text
	}
	return password
}

package auth

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"golang.org/x/text/secure/precis"

	"github.com/cotenant/cotenant/tenant"
)

// User is a row of auth_user as it was when it was read.
type User struct {
	// ID is the primary key, within Schema.
	ID int64
	// Schema is where the row is: the tenant's, or public.
	Schema tenant.Schema
	// Username is in the form of ParseUsername, if it was made here.
	Username                   string
	Email, FirstName, LastName string
	// IsActive is whether the user may log in. IsStaff is for the application. A user
	// that IsSuperuser has every permission.
	IsActive, IsStaff, IsSuperuser bool
	DateJoined                     time.Time
	// LastLogin is zero for who never logged in.
	LastLogin time.Time

	password string // its hash
}

// What look-ups and changes of users return; match them with errors.Is.
var (
	// ErrUserNotFound: there is no such user where this tenant's users are.
	ErrUserNotFound = errors.New("user not found")
	// ErrUsernameTaken: there is a user of that name, perhaps in another case.
	ErrUsernameTaken = errors.New("user name is taken")
	// ErrInvalidText: a first or last name, or the name of a group or permission, is too
	// long, or has characters that are not seen.
	ErrInvalidText = errors.New("invalid text")
	// ErrInvalidEmail: the text is no email address.
	ErrInvalidEmail = errors.New("invalid email address")
)

const userColumns = "id, username, email, first_name, last_name, is_active, is_staff, is_superuser, date_joined, last_login, password"

func scanUser(schema tenant.Schema, row pgx.Row) (*User, error) {
	u := &User{Schema: schema}
	var last *time.Time
	err := row.Scan(&u.ID, &u.Username, &u.Email, &u.FirstName, &u.LastName, &u.IsActive, &u.IsStaff, &u.IsSuperuser, &u.DateJoined, &last, &u.password)
	if last != nil {
		u.LastLogin = *last
	}
	return u, err
}

// ByUsername returns the user of that name, in any case. The error wraps ErrUserNotFound.
func (a *Auth) ByUsername(ctx context.Context, name string) (*User, error) {
	schemas, err := a.schemas(ctx)
	if err != nil {
		return nil, err
	}
	u, err := a.byUsername(ctx, schemas, name)
	if err != nil {
		return nil, fmt.Errorf("user %q: %w", name, err)
	}
	return u, nil
}

func (a *Auth) byUsername(ctx context.Context, schemas []tenant.Schema, name string) (*User, error) {
	folded, err := ParseUsername(name)
	if err != nil {
		return nil, ErrUserNotFound
	}
	for _, schema := range schemas {
		// Django lets names differ in case alone: the one that is written so comes first.
		u, err := scanUser(schema, a.db.QueryRow(ctx, "SELECT "+userColumns+" FROM "+table(schema, "auth_user")+" WHERE lower(username) = $1 ORDER BY username = $2 DESC, id LIMIT 1", folded, name))
		if !errors.Is(err, pgx.ErrNoRows) {
			return u, missing(schema, err)
		}
	}
	return nil, ErrUserNotFound
}

// byID reads the user of an id again, where it is.
func (a *Auth) byID(ctx context.Context, schema tenant.Schema, id int64) (*User, error) {
	u, err := scanUser(schema, a.db.QueryRow(ctx, "SELECT "+userColumns+" FROM "+table(schema, "auth_user")+" WHERE id = $1", id))
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, ErrUserNotFound
	}
	return u, missing(schema, err)
}

// All iterates over the users of the tenant in ctx in the order of their ids, a page at a
// time; those of public after the tenant's where Config.Where has them too. An error ends it.
func (a *Auth) All(ctx context.Context) iter.Seq2[*User, error] {
	return func(yield func(*User, error) bool) {
		schemas, err := a.schemas(ctx)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, schema := range schemas {
			for last := int64(-1 << 63); ; {
				page, err := a.page(ctx, schema, last)
				if err != nil {
					yield(nil, err)
					return
				}
				for _, u := range page {
					if last = u.ID; !yield(u, nil) {
						return
					}
				}
				if len(page) < pageSize {
					break
				}
			}
		}
	}
}

const pageSize = 500

func (a *Auth) page(ctx context.Context, schema tenant.Schema, after int64) ([]*User, error) {
	// Django's id is an integer, which does not hold what the first page begins after.
	rows, err := a.db.Query(ctx, "SELECT "+userColumns+" FROM "+table(schema, "auth_user")+" WHERE id > $1::bigint ORDER BY id LIMIT $2", after, pageSize)
	if err != nil {
		return nil, missing(schema, err)
	}
	users, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (*User, error) { return scanUser(schema, row) })
	return users, missing(schema, err)
}

// parseEmail refuses what is no email address; empty is none.
func parseEmail(text string) error {
	if text == "" {
		return nil
	}
	address, err := mail.ParseAddress(text)
	odd := func(c rune) bool { return unseen(c) || unicode.IsSpace(c) || unicode.Is(unicode.Variation_Selector, c) }
	if err != nil || address.Address != text || len(text) > 254 || strings.ContainsFunc(text, odd) {
		return fmt.Errorf("%w (write one such as admin@example.com, or none)", ErrInvalidEmail)
	}
	return nil
}

// parseText refuses a text that a terminal or a page would not show as it is, or that has more
// characters than its column.
func parseText(what, text string, most int) error {
	switch {
	case !utf8.ValidString(text):
		return fmt.Errorf("%w: the %s is no UTF-8 (write it in UTF-8)", ErrInvalidText, what)
	case strings.ContainsFunc(text, func(c rune) bool { return unseen(c) && !isJoiner(c) }) || !joined(text):
		return fmt.Errorf("%w: the %s %q has characters that are not seen (leave them out)", ErrInvalidText, what, text)
	case utf8.RuneCountInString(text) > most:
		return fmt.Errorf("%w: the %s has more than %d characters (use a shorter one)", ErrInvalidText, what, most)
	}
	return nil
}

// unseen are the characters that are not seen: controls, those that turn the direction of what
// comes after them, ends of lines and paragraphs, and fillers. Variation selectors are none:
// they change how the character before them looks, in Japanese names for one.
func unseen(c rune) bool {
	return unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Other_Default_Ignorable_Code_Point)
}

// isJoiner are the two characters with which scripts say whether letters are joined.
func isJoiner(c rune) bool { return c == '\u200c' || c == '\u200d' }

// joined reports whether joiners are only where they change how letters look, as in Persian
// and Indic names (RFC 5892, A.1 and A.2), which precis knows.
func joined(text string) bool {
	for _, word := range strings.Fields(text) {
		if !strings.ContainsFunc(word, isJoiner) {
			continue
		}
		if _, err := precis.OpaqueString.String(word); err != nil {
			return false
		}
	}
	return true
}

func parseNames(first, last string) error {
	if err := parseText("first name", first, maxUsername); err != nil {
		return err
	}
	return parseText("last name", last, maxUsername)
}

package manage

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/jackc/pgservicefile"
)

// isURL reports whether a connection string is a URL, and not pairs.
func isURL(text string) bool {
	return strings.HasPrefix(text, "postgres://") || strings.HasPrefix(text, "postgresql://")
}

// parameters are those of a connection string that pgx could read, with those of the service
// that it or PGSERVICE names below them. Pgx keeps what it makes of them, and not the
// parameters. Of a URL it is the password and what is behind the ?, read as libpq does (PostgreSQL
// manual, 34.1.1 "Connection Strings").
func parameters(text string) (map[string]string, error) {
	given := pairs(text)
	if isURL(text) {
		given = queryOf(text)
	}
	name := given["service"]
	if name == "" {
		name = os.Getenv("PGSERVICE")
	}
	if name == "" {
		return given, nil
	}
	file, err := pgservicefile.ReadServicefile(servicefile(given))
	if err != nil {
		return nil, fmt.Errorf("service %q: %w", name, err)
	}
	service, err := file.GetService(name)
	if err != nil {
		return nil, fmt.Errorf("service %q: %w", name, err)
	}
	for key, value := range service.Settings {
		if _, ok := given[key]; !ok {
			given[key] = value
		}
	}
	return given, nil
}

// servicefile is where pgx looks services up.
func servicefile(given map[string]string) string {
	if file := given["servicefile"]; file != "" {
		return file
	}
	if file := os.Getenv("PGSERVICEFILE"); file != "" {
		return file
	}
	if runtime.GOOS == "windows" {
		return filepath.Join(os.Getenv("APPDATA"), "postgresql", ".pg_service.conf")
	}
	home, _ := os.UserHomeDir()
	return filepath.Join(home, ".pg_service.conf")
}

// queryOf are the parameters of a URL, and its password.
func queryOf(text string) map[string]string {
	all := make(map[string]string)
	_, rest, _ := strings.Cut(text, "://")
	if at := strings.IndexAny(rest, "@/"); at >= 0 && rest[at] == '@' {
		if _, password, _ := strings.Cut(rest[:at], ":"); password != "" {
			all["password"] = unescaped(password)
		}
		rest = rest[at+1:]
	}
	_, query, _ := strings.Cut(rest, "?")
	for parameter := range strings.SplitSeq(query, "&") {
		key, value, found := strings.Cut(parameter, "=")
		switch key, value = unescaped(key), unescaped(value); {
		case !found:
		case key == "ssl" && value == "true": // JDBC's
			all["sslmode"] = "require"
		default:
			all[key] = value
		}
	}
	return all
}

// unescaped leaves a + as it is, as libpq does.
func unescaped(text string) string {
	if plain, err := url.PathUnescape(strings.Trim(text, " ")); err == nil {
		return plain
	}
	return text
}

// pairs are the parameters of a connection string of pairs: key = 'a value' or key=value, with
// a backslash before what would end it.
func pairs(text string) map[string]string {
	const blanks = " \t\n\v\f\r"
	all := make(map[string]string)
	for {
		key, rest, found := strings.Cut(text, "=")
		if !found {
			return all
		}
		rest = strings.TrimLeft(rest, blanks)
		ends := blanks
		if strings.HasPrefix(rest, "'") {
			ends, rest = "'", rest[1:]
		}
		var value strings.Builder
		i := 0
		for ; i < len(rest) && !strings.ContainsRune(ends, rune(rest[i])); i++ {
			if rest[i] == '\\' {
				if i++; i == len(rest) {
					break
				}
			}
			value.WriteByte(rest[i])
		}
		all[strings.Trim(key, blanks)] = value.String()
		text = rest[min(i+1, len(rest)):]
	}
}

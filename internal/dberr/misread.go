package dberr

import "strings"

// Misread reports whether address, which pgx could read with host as the name of its host,
// is a URL whose password was taken for something else: a / in it ends the host, so that
// the rest of postgres://me:12/s3cret@host/db is the name of a database, and would be shown
// as one. In a URL that is well formed, such an @ is %40. The parts are those of libpq, for
// which an @ before any / ends the password, whatever else that has in it.
func Misread(address, host string) bool {
	if strings.Contains(host, "@") {
		return true
	}
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok || scheme != "postgres" && scheme != "postgresql" {
		return false
	}
	login := false
	if at := strings.IndexAny(rest, "@/"); at >= 0 && rest[at] == '@' {
		login, rest = true, rest[at+1:]
	}
	authority, tail := rest, ""
	if end := strings.IndexAny(rest, "/?"); end >= 0 {
		authority, tail = rest[:end], rest[end:]
	}
	path, query, _ := strings.Cut(tail, "?")
	if strings.Contains(authority, "@") || strings.Contains(path, "@") {
		return true
	}
	// In the values of parameters an @ is common: user=me@server. It is a password's if what
	// is before it looks like the beginning of one, and what is behind like a host.
	begun := !login && strings.Contains(authority, ":")
	for parameter := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(parameter, "=")
		_, behind, found := strings.Cut(value, "@")
		if strings.Contains(key, "@") || begun && found && (path == "" || strings.Contains(behind, "/")) {
			return true
		}
	}
	return false
}

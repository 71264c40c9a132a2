package dberr_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/internal/dberr"
)

// A password that ends too early is noticed, and what is well formed is not taken for one.
func TestMisread(t *testing.T) {
	t.Parallel()

	for address, want := range map[string]bool{
		"postgres://me:12/s3cret@host/db":                    true,
		"postgresql://me:12/s3cret@host/db":                  true,
		"postgres://me:p@ss/s3cret@host/db":                  true,
		"postgres://me:12@s3cret@host/db":                    true,
		"postgres://me:12/a?b=s3cret@host/db":                true,
		"postgres://me:12/a?b=c&s3cret@host/d=b":             true,
		"postgres://me:12?a=s3/cret@host":                    true,
		"host=me:s3cret@host":                                true,
		"postgres://me:s3cret@host/db":                       false,
		"postgres://me:s3?cret#@host/db":                     false,
		"postgres://me:12%2Fs3cret@host/my%40db":             false,
		"postgres://host:5432/db?user=me@server&password=a":  false,
		"postgres://host/?user=me@server":                    false,
		"postgres://me:s3cret@host?application_name=a@b/c":   false,
		"host=host user=me@server password='12/s3@cret'":     false,
		"postgres:///db?host=/tmp&user=me@server&port=54321": false,
	} {
		config, err := pgx.ParseConfig(address)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		if got := dberr.Misread(address, config.Host); got != want {
			t.Errorf("Misread(%q) = %v", address, got)
		}
	}
	if text := dberr.Parse("DATABASE_URL").Error(); !strings.Contains(text, "percent-encoded") {
		t.Error(text)
	}
}

package pgxtenant

import (
	"errors"
	"strings"
	"testing"
)

// No server that old can be had in every place where the tests run.
func TestCheckVersion(t *testing.T) {
	t.Parallel()

	err := checkVersion(130023, "13.23 (Debian)")
	if !errors.Is(err, ErrServerTooOld) || !strings.Contains(err.Error(), "13.23 (Debian)") || !strings.Contains(err.Error(), "14 or newer") {
		t.Errorf("checkVersion of 13: %v", err)
	}
	for _, version := range []int{140000, 150018, 180004} {
		if err := checkVersion(version, ""); err != nil {
			t.Errorf("checkVersion(%d): %v", version, err)
		}
	}
}

package migrate_test

import (
	"bytes"
	"net"
	"sync"
	"testing"

	"github.com/cotenant/cotenant/migrate"
)

// A schema that is dropped when it is about to be looked at is missing: nobody waits for it.
func TestDroppedMeanwhile(t *testing.T) {
	t.Parallel()

	s := newShops(t, 3)
	fleet := func(schema string) *migrate.Fleet {
		var once sync.Once
		pool := tappedPool(t, s.url, 4, func(_ net.Conn, data []byte) error {
			if bytes.Contains(data, []byte(`FROM "`+schema+`"."cotenant_migrations"`)) {
				once.Do(func() { execute(t, s.conn, "DROP SCHEMA "+schema+" CASCADE") })
			}
			return nil
		})
		return withConfig(t, shopConfig(1)).Fleet(pool)
	}
	if err := fleet("s1").Ready(t.Context()); err != nil {
		t.Errorf("ready: %v", err)
	}
	for i, schema := range []string{"s2", "s3"} { // one of two that are alike, and one that is alone
		status, err := fleet(schema).Status(t.Context(), nil)
		if err != nil || status.Count(migrate.Missing) != 2+i || status.Count(migrate.Current) != 2-i {
			t.Errorf("status: %+v, %v", status, err)
		}
	}
}

package gorm_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/cotenant/cotenant/internal/testdb"
)

func TestMain(m *testing.M) {
	// PrepareStmt's, which nothing in gorm ends.
	testdb.Examples(m, goleak.IgnoreTopFunction("gorm.io/gorm/internal/lru.NewLRU[...].func1"))
}

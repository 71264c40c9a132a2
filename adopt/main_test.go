package adopt_test

import (
	"testing"

	"github.com/cotenant/cotenant/internal/testdb"
)

func TestMain(m *testing.M) { testdb.Main(m) }

package manage

import (
	"io"
	"os"
	"path/filepath"
	"testing"
)

// A file of a folder that cannot be written is told by the name that it was to have.
func TestFolderNotWritten(t *testing.T) {
	t.Parallel()

	name := filepath.Join(t.TempDir(), "acme")
	err := writeFolder(name, false, func(open func(string) (io.WriteCloser, error)) error {
		file, err := open("01_orders.csv")
		if err != nil {
			return err
		}
		_ = file.Close() // as the disk that is full, it takes nothing
		_, err = io.WriteString(file, "id\n")
		return err
	})
	want := filepath.Join(name, "01_orders.csv") + " cannot be written: file already closed (make room, or name another one)"
	if err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if left, _ := os.ReadDir(filepath.Dir(name)); len(left) > 0 {
		t.Errorf("%s is left", left[0].Name())
	}
}

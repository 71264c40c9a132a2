package manage

import (
	"compress/gzip"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// zipped has what write writes be compressed, if it is to be.
func zipped(w io.Writer, compressed bool, write func(io.Writer) error) error {
	if !compressed {
		return write(w)
	}
	zip := gzip.NewWriter(w)
	if err := write(zip); err != nil {
		return err // what was begun is left without its end, and so no whole file
	}
	return zip.Close()
}

// writeWhole writes a file, which is there when all of it is: until then it has another
// name. A file that was there keeps its mode, and a link stays one. What is no file, such as
// a pipe, is written to as it is.
func writeWhole(name string, write func(io.Writer) error) (err error) {
	target, err := followed(name)
	if err != nil {
		return err
	}
	mode := os.FileMode(0o666) // less the umask
	info, err := os.Stat(target)
	there := err == nil
	if there {
		if info.IsDir() {
			return fmt.Errorf("%s is a folder (name a file in it)", name)
		}
		file, err := os.OpenFile(target, os.O_WRONLY, 0) // may it be written at all?
		if err != nil {
			return notWritten(name, err)
		}
		if !info.Mode().IsRegular() {
			return errors.Join(notWritten(name, write(file)), file.Close())
		}
		_ = file.Close()
		mode = info.Mode().Perm()
	}
	file, err := os.OpenFile(until(target), os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return notMade(target, err)
	}
	defer func() {
		if err != nil {
			_ = file.Close()
			_ = os.Remove(file.Name())
		}
	}()
	if there {
		if err := file.Chmod(mode); err != nil {
			return notWritten(name, err)
		}
	}
	if err := write(file); err != nil {
		return notWritten(name, err)
	}
	if err := file.Close(); err != nil {
		return notWritten(name, err)
	}
	return os.Rename(file.Name(), target)
}

// until is a name beside another for what is not whole yet. Os.CreateTemp and MkdirTemp have
// such names too, but make what nobody else may read.
func until(name string) string {
	return filepath.Join(filepath.Dir(name), "."+filepath.Base(name)+"."+rand.Text()[:10])
}

// followed returns where a name leads to, which need not be there, if it is a link.
func followed(name string) (string, error) {
	const most = 40 // as Linux has it
	at := name
	for range most {
		to, err := os.Readlink(at)
		if err != nil {
			return at, nil //nolint:nilerr // it is no link
		}
		if !filepath.IsAbs(to) {
			dir, err := filepath.EvalSymlinks(filepath.Dir(at)) // .. in it is from there
			if err != nil {
				return "", notMade(at, err)
			}
			to = filepath.Join(dir, to)
		}
		at = to
	}
	return "", fmt.Errorf("%s cannot be written: its links lead to each other (name another one)", name)
}

// notWritten says why a file could not be written, without the name it had until then.
func notWritten(name string, err error) error {
	if of, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("%s cannot be written: %w (make room, or name another one)", name, of.Err)
	}
	return err
}

// notTaken says why standard output could not be written.
func notTaken(err error) error {
	if of, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("standard output cannot be written: %w (make room, or name a file with --output)", of.Err)
	}
	return err
}

// notMade says why a file or a folder could not be begun, without the name it had for that.
func notMade(name string, err error) error {
	dir := filepath.Dir(name)
	if info, stat := os.Stat(dir); stat == nil && !info.IsDir() {
		return fmt.Errorf("%s cannot be written: %s is no folder (name another one)", name, dir)
	}
	reason, cure := err, "name another one"
	if of, ok := errors.AsType[*fs.PathError](err); ok {
		reason = of.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s cannot be written: there is no folder %s (make it, or name another one)", name, dir)
	case errors.Is(err, fs.ErrPermission):
		cure = "name another one, or ask for the right to"
	}
	return fmt.Errorf("%s cannot be written: %s: %w (%s)", name, dir, reason, cure)
}

// isFolder reports whether a name is to be that of a folder: it is one, it ends as one, or
// it is not that of a file of CSV.
func isFolder(name string) bool {
	if info, err := os.Stat(name); err == nil {
		return info.IsDir()
	}
	lower := strings.ToLower(name)
	return os.IsPathSeparator(name[len(name)-1]) || !strings.HasSuffix(lower, ".csv") && !strings.HasSuffix(lower, ".csv.gz")
}

// writeFolder writes files into a folder that is not there yet, or is empty, and is there
// with all of them: until then it has another name. One that was there keeps its mode.
func writeFolder(name string, compressed bool, write func(open func(name string) (io.WriteCloser, error)) error) (err error) {
	target, err := followed(filepath.Clean(name))
	if err != nil {
		return err
	}
	if entries, err := os.ReadDir(target); err == nil && len(entries) > 0 {
		return fmt.Errorf("folder %s is not empty (remove it, or name another one)", name)
	}
	dir := until(target)
	if err := os.Mkdir(dir, 0o777); err != nil { //nolint:gosec // less the umask, as of any folder
		return notMade(target, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	err = write(func(base string) (io.WriteCloser, error) {
		if compressed {
			base += ".gz"
		}
		file, err := os.Create(filepath.Join(dir, base))
		if err != nil || !compressed {
			return file, err
		}
		return &zippedFile{gzip.NewWriter(file), file}, nil
	})
	if of, ok := errors.AsType[*fs.PathError](err); ok && filepath.Dir(of.Path) == dir {
		return notWritten(filepath.Join(name, filepath.Base(of.Path)), err)
	}
	if err != nil {
		return err
	}
	if info, err := os.Stat(target); err == nil {
		if err := os.Chmod(dir, info.Mode().Perm()); err != nil {
			return notWritten(name, err)
		}
	}
	if err := os.Remove(target); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Rename(dir, target)
}

// zippedFile is a file that is compressed.
type zippedFile struct {
	*gzip.Writer
	file *os.File
}

// Close ends it.
func (z *zippedFile) Close() error { return errors.Join(z.Writer.Close(), z.file.Close()) }

package manage

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// fileName is the name of the file that holds the settings of a project.
const fileName = "cotenant.toml"

// readFile reads cotenant.toml: the file that is named, or the one in the working
// directory or nearest above it. No file is an error only if one was named.
func (s *settings) readFile(named string) error {
	wd, err := os.Getwd()
	if err != nil {
		return err
	}
	s.dir, s.wd = wd, wd
	file := named
	if file == "" {
		if file, err = findFile(wd); file == "" || err != nil {
			return err
		}
	}
	text, err := os.ReadFile(file) //nolint:gosec // the file that the user named
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no file %s (correct --config or COTENANT_CONFIG, or write the file)", file)
	}
	if err != nil {
		return fmt.Errorf("the settings are not read: %w (--config and COTENANT_CONFIG name a file that you may read)", err)
	}
	s.dir, s.file = filepath.Dir(file), shortest(wd, file)
	if err := s.decode(text); err != nil {
		return fmt.Errorf("%s:%w", s.file, err)
	}
	return nil
}

// findFile looks for the file in dir and above it; its path is empty if there is none.
func findFile(dir string) (string, error) {
	for {
		file := filepath.Join(dir, fileName)
		info, err := os.Stat(file)
		if err == nil && !info.IsDir() {
			return file, nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", nil
		}
		dir = parent
	}
}

// shortest returns the path of file as somebody in dir would write it.
func shortest(dir, file string) string {
	if !filepath.IsAbs(file) {
		return file
	}
	if rel, err := filepath.Rel(dir, file); err == nil && len(rel) < len(file) {
		return rel
	}
	return file
}

// decode reads the text of the file. Its errors begin with the line.
func (s *settings) decode(text []byte) error {
	err := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields().Decode(s)
	if strict, ok := errors.AsType[*toml.StrictMissingError](err); ok {
		first := strict.Errors[0]
		line, _ := first.Position()
		return unknownKey(line, strings.Join(first.Key(), "."))
	}
	if decode, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, _ := decode.Position()
		return s.badValue(line, decode)
	}
	if err != nil {
		return fmt.Errorf(" %w", err)
	}
	for _, key := range keys() {
		if line := lineOf(text, key); line > 0 {
			s.from[key] = fmt.Sprintf("%s:%d: %s", s.file, line, key)
		}
	}
	return nil
}

// unknownKey names the nearest key there is, or all.
func unknownKey(line int, key string) error {
	cure := didYouMean("", key, slices.Values(keys()))
	if cure == "" {
		cure = " (there are " + strings.Join(keys(), ", ") + ")"
	}
	return fmt.Errorf("%d: there is no key %q%s", line, key, cure)
}

// badValue says which type a key has, where the value has another one.
func (s *settings) badValue(line int, err *toml.DecodeError) error {
	if !strings.Contains(err.Error(), "cannot decode TOML") || len(err.Key()) == 0 {
		return fmt.Errorf("%d: %s", line, strings.TrimPrefix(err.Error(), "toml: "))
	}
	key := err.Key()[0]
	wants := map[reflect.Kind]string{
		reflect.Bool:   "true or false",
		reflect.Int:    "a number",
		reflect.Slice:  `a list of names, such as ["one", "two"]`,
		reflect.String: "a text in quotes",
	}[s.field(key).Kind()]
	return fmt.Errorf("%d: %s has a value of another type (give it %s)", line, key, wants)
}

// lineOf returns the line that sets a key, 0 if none does. The file has no tables, so
// that a key stands at the beginning of its line.
func lineOf(text []byte, key string) int {
	number := 0
	for line := range bytes.Lines(text) {
		number++
		name, _, ok := bytes.Cut(line, []byte("="))
		if ok && strings.Trim(string(name), " \t\"'\ufeff") == key {
			return number
		}
	}
	return 0
}

package manage

import (
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
)

// settings is what a project sets, by the keys of cotenant.toml. The variables of the
// environment have the same names in upper case after COTENANT_.
type settings struct {
	AppsDir                       string   `toml:"apps_dir"`
	DatabaseURL                   string   `toml:"database_url"`
	DirectURL                     string   `toml:"direct_url"`
	ExtraSearchPaths              []string `toml:"extra_search_paths"`
	LockTimeout                   string   `toml:"lock_timeout"`
	MigratorRole                  string   `toml:"migrator_role"`
	MinPasswordLength             int      `toml:"min_password_length"`
	OutOfOrder                    bool     `toml:"out_of_order"`
	PublicSchemaName              string   `toml:"public_schema_name"`
	SearchPathMode                string   `toml:"search_path_mode"`
	SharedApps                    []string `toml:"shared_apps"`
	StatementTimeout              string   `toml:"statement_timeout"`
	TenantApps                    []string `toml:"tenant_apps"`
	TenantCreationFakesMigrations bool     `toml:"tenant_creation_fakes_migrations"`
	TenantLimitSetCalls           bool     `toml:"tenant_limit_set_calls"`

	// from says where a key was set, as errors name it; a key that was not set is
	// missing.
	from map[string]string
	// appsPath is the folder of the apps, empty if they are in the program.
	appsPath string
	// dir is the folder of cotenant.toml, or the working directory.
	dir string
	// file is the path of cotenant.toml, empty if there is none.
	file string
	// wd is the working directory.
	wd string
}

// keys returns the keys of cotenant.toml, in the order of the fields.
func keys() []string {
	var keys []string
	for field := range reflect.TypeFor[settings]().Fields() {
		if key := field.Tag.Get("toml"); key != "" {
			keys = append(keys, key)
		}
	}
	return keys
}

// field returns the field of a key.
func (s *settings) field(key string) reflect.Value {
	v := reflect.ValueOf(s).Elem()
	for field, value := range v.Fields() {
		if field.Tag.Get("toml") == key {
			return value
		}
	}
	return reflect.Value{}
}

// set sets a key to the text of a variable or a flag. Lists are separated by commas.
func (s *settings) set(key, text, from string) error {
	switch v := s.field(key); v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Slice:
		var list []string
		for item := range strings.SplitSeq(text, ",") {
			if item = strings.TrimSpace(item); item != "" {
				list = append(list, item)
			}
		}
		v.Set(reflect.ValueOf(list))
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%s is %q (set it to a number)", from, text)
		}
		v.SetInt(int64(n))
	case reflect.Bool:
		on, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%s is %q (set it to true or false)", from, text)
		}
		v.SetBool(on)
	default:
		return fmt.Errorf("%s: there is no such setting", from)
	}
	s.from[key] = from
	return nil
}

// readEnvironment lays the variables of the environment over the file. Those that are
// empty count as not set. A program that has its apps in itself has no use for the
// keys about them.
func (s *settings) readEnvironment(project bool) error {
	for _, key := range keys() {
		if !project && isAboutApps(key) {
			continue
		}
		names := []string{"COTENANT_" + strings.ToUpper(key)}
		if key == "database_url" {
			names = append(names, "DATABASE_URL")
		}
		for _, name := range names {
			if text := os.Getenv(name); text != "" {
				if err := s.set(key, text, name); err != nil {
					return err
				}
				break
			}
		}
	}
	return nil
}

func isAboutApps(key string) bool {
	return key == "apps_dir" || key == "shared_apps" || key == "tenant_apps"
}

// isFromFile reports whether a key was set in cotenant.toml and nowhere above it.
func (s *settings) isFromFile(key string) bool {
	return s.file != "" && strings.HasPrefix(s.from[key], s.file+":")
}

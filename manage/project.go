package manage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cotenant/cotenant"
	"github.com/cotenant/cotenant/auth"
	"github.com/cotenant/cotenant/migrate"
)

// fillApps adds the apps of a project's folders.
func (p *program) fillApps(s *settings) func(*cotenant.Config) error {
	return func(config *cotenant.Config) error {
		named := s.from["shared_apps"] + s.from["tenant_apps"]
		switch {
		case !p.config.Project:
			return nil
		case len(config.SharedApps)+len(config.TenantApps) > 0:
			if named != "" {
				return fmt.Errorf("%s: the program has its apps in itself (leave it out)", named)
			}
			return nil
		case named == "" && s.file == "":
			return fmt.Errorf("there is no %s here or above (write one with %s init)", fileName, p.config.name())
		case named == "":
			return nil // cotenant's own tables
		}
		dir, from := s.AppsDir, s.from["apps_dir"]
		switch {
		case dir == "":
			dir, from = filepath.Join(s.dir, "apps"), s.file
		case s.isFromFile("apps_dir") && !filepath.IsAbs(dir):
			dir = filepath.Join(s.dir, dir)
		}
		info, err := os.Stat(dir)
		switch there := err == nil && info.IsDir(); {
		case !there && !s.onlyBuiltIn():
			return fmt.Errorf("%s: there is no folder %s (make it, or name another with apps_dir or --apps-dir)", from, shortest(s.wd, dir))
		case there:
			s.appsPath = dir
		}
		if config.SharedApps, err = s.apps(dir, "shared_apps", s.SharedApps); err != nil {
			return err
		}
		config.TenantApps, err = s.apps(dir, "tenant_apps", s.TenantApps)
		return err
	}
}

// onlyBuiltIn reports whether all apps are cotenant's, so that there need be no folder.
func (s *settings) onlyBuiltIn() bool {
	for _, name := range slices.Concat(s.SharedApps, s.TenantApps) {
		if name != auth.AppName {
			return false
		}
	}
	return true
}

// apps returns the apps of a list, whose folders are below dir. The app auth is cotenant's,
// unless there is a folder of that name.
func (s *settings) apps(dir, key string, names []string) ([]migrate.App, error) {
	fsys := os.DirFS(dir)
	apps := migrate.Dirs(fsys, names...)
	for i, name := range names {
		if !fs.ValidPath(name) || strings.Contains(name, "/") || name == "." {
			return nil, fmt.Errorf("%s: %q is not a name for an app (name a folder of %s)", s.from[key], name, shortest(s.wd, dir))
		}
		for _, other := range names[:i] {
			if other == name {
				return nil, fmt.Errorf("%s: app %q is listed twice (remove one)", s.from[key], name)
			}
		}
		switch info, err := fs.Stat(fsys, name); {
		case err == nil && info.IsDir():
		case name == auth.AppName && errors.Is(err, fs.ErrNotExist):
			apps[i] = auth.App()
		default:
			return nil, fmt.Errorf("%s: app %q has no folder %s (make it, or take the app off the list)", s.from[key], name, shortest(s.wd, filepath.Join(dir, name)))
		}
	}
	return apps, nil
}

// hasApp reports whether there is an app of that name.
func hasApp(config *cotenant.Config, name string) bool {
	for _, apps := range [][]migrate.App{config.SharedApps, config.TenantApps} {
		for _, app := range apps {
			if app.Name == name {
				return true
			}
		}
	}
	return name == "cotenant"
}

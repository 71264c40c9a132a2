package manage

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/cotenant/cotenant"
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
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return fmt.Errorf("%s: there is no folder %s (make it, or name another with apps_dir or --apps-dir)", from, shortest(s.wd, dir))
		}
		s.appsPath = dir
		var err error
		if config.SharedApps, err = s.apps(dir, "shared_apps", s.SharedApps); err != nil {
			return err
		}
		config.TenantApps, err = s.apps(dir, "tenant_apps", s.TenantApps)
		return err
	}
}

// apps returns the apps of a list, whose folders are below dir.
func (s *settings) apps(dir, key string, names []string) ([]migrate.App, error) {
	fsys := os.DirFS(dir)
	for i, name := range names {
		if !fs.ValidPath(name) || strings.Contains(name, "/") || name == "." {
			return nil, fmt.Errorf("%s: %q is not a name for an app (name a folder of %s)", s.from[key], name, shortest(s.wd, dir))
		}
		for _, other := range names[:i] {
			if other == name {
				return nil, fmt.Errorf("%s: app %q is listed twice (remove one)", s.from[key], name)
			}
		}
		if info, err := fs.Stat(fsys, name); err != nil || !info.IsDir() {
			return nil, fmt.Errorf("%s: app %q has no folder %s (make it, or take the app off the list)", s.from[key], name, shortest(s.wd, filepath.Join(dir, name)))
		}
	}
	return migrate.Dirs(fsys, names...), nil
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

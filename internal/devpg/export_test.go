//go:build linux || darwin || freebsd

package devpg

import "context"

// NoBinaries makes Start find none, as on a machine without PostgreSQL.
func (o *Options) NoBinaries() { o.hooks.search = func() []string { return nil } }

// Search makes Start look for binaries in dirs only.
func (o *Options) Search(dirs ...string) { o.hooks.search = func() []string { return dirs } }

// DownloadFrom makes Start download from repository into cache.
func (o *Options) DownloadFrom(repository, cache string) {
	o.hooks.repository, o.hooks.cache = repository, cache
}

// PortChosen makes Start call f between the choice of a port and the start of the server.
func (o *Options) PortChosen(f func(port int)) { o.hooks.portChosen = f }

// Shell makes Start run the supervisor in another shell.
func (o *Options) Shell(path string) { o.hooks.shell = path }

// Installed returns the directories of dirs with a server that will do, in the
// order of preference.
func Installed(ctx context.Context, dirs ...string) []string {
	var found []string
	for _, b := range installed(ctx, dirs, nil) {
		found = append(found, b.dir)
	}
	return found
}

// UsualDirs returns where Start looks for binaries.
func UsualDirs() []string { return usualDirs() }

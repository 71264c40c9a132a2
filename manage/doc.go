// Package manage is the management commands of cotenant, as a command tree that a
// program embeds: with its apps, its migrations in Go and its events.
//
//	func main() {
//		os.Exit(manage.Main(manage.Config{
//			Name:    "shopctl",
//			Tenancy: cotenant.Config{TenantApps: migrate.Dirs(apps, "apps/shop")},
//		}))
//	}
//
// The database is the one that the program names, or else DATABASE_URL's; the flag
// --database-url names another. Where the program leaves settings of the tenancy out,
// environment variables that begin with COTENANT_ fill them in. The command cotenant is
// this package with Config.Project: all of it comes from a file, cotenant.toml.
//
// The commands end with status 0, with 1 if something failed, and with 2 if they were
// used wrongly; then nothing was touched. Results go to the standard output, errors and
// progress to the standard error.
package manage

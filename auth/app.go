package auth

import (
	"embed"
	"io/fs"

	"github.com/cotenant/cotenant/migrate"
)

//go:embed app
var files embed.FS

// AppName is the name of the app in the history of every schema.
const AppName = "auth"

// App returns the app with the tables of users, sessions and attempts to log in. It stands
// in TenantApps, where each tenant has users of its own, in SharedApps, where all have the
// same, or in both; see Config.Where.
func App() migrate.App {
	root, err := fs.Sub(files, "app")
	if err != nil {
		panic(err) // the folder is in the program
	}
	return migrate.App{FS: root, Name: AppName}
}

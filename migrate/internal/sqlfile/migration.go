package sqlfile

// Script is statements that run together.
type Script struct {
	// File is the path from the folder of the apps, for messages:
	// shop/migrations/0001_initial.sql.
	File string
	// Statements of the script, in order.
	Statements []Statement
	// NoTransaction has them run one by one, each for itself.
	NoTransaction bool
}

// Migration is one step of an app, from the state before to the state after it.
type Migration struct {
	// Name is the file's without what tells its form: 0001_initial.
	Name string
	// Checksum is the SHA-256 of the file's content with LF line ends, in hex; that
	// of the way up where the ways have a file each.
	Checksum string
	// Requires are the migrations, as app/name, that must have run before.
	Requires []string
	// Up leads there.
	Up Script
	// Down leads back. It is nil where there is no way back.
	Down *Script
}

package check

// Finding is something that a check has to say of a file, or of what files build.
type Finding struct {
	// Rule names the check: "index-blocks-writes". What silences it names it too.
	Rule string
	// Severity is how bad it is.
	Severity Severity
	// App is the app whose file it is about.
	App string
	// File is its path as the user knows it: shop/migrations/0002_more.sql. Empty where
	// it is about no single file.
	File string
	// Line of the statement in File, from 1; 0 where it is about no single statement.
	Line int
	// Message says what is the matter, Reason why that hurts, Cure what to do instead.
	Message, Reason, Cure string
}

// Severity of a finding.
type Severity string

// The severities.
const (
	Error   Severity = "error"   // check fails
	Warning Severity = "warning" // check fails with Strict alone
)

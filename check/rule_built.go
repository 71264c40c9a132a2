package check

// builtRules are those of Builds. Its findings have reasons and cures for the case.
func builtRules() []Rule {
	differs := "new tenants get schema.sql and old ones the migrations: they would not have the same"
	return []Rule{
		{
			Name: "build-fails", Severity: Error,
			About:  "a file that PostgreSQL refuses",
			Reason: "no schema gets past it", Cure: "correct the file",
		},
		{
			Name: "creation-fails", Severity: Error,
			About:  "files that run one by one, and not together in the transaction that creates a tenant",
			Reason: "no tenant can be created", Cure: "write a schema.sql for the app, with its state behind all migrations",
		},
		{
			Name: "schema-differs", Severity: Error,
			About:  "an object that schema.sql and the migrations do not make alike",
			Reason: differs, Cure: "bring the change into schema.sql too, or write the migration that is missing",
		},
		{
			Name: "column-order", Severity: Warning,
			About:  "columns that stand in another order by schema.sql than by the migrations",
			Reason: "what does not name its columns puts values into others in new tenants than in old ones", Cure: "bring the columns of schema.sql into the order of the migrations",
		},
		{
			Name: "rows-differ", Severity: Error,
			About:  "rows that schema.sql and the migrations do not make alike",
			Reason: differs, Cure: "bring the rows into schema.sql too",
		},
		{
			Name: "rows-numbered", Severity: Warning,
			About:  "rows that differ in the numbers that a sequence gave them alone",
			Reason: "what refers to them by number means others in new tenants than in old ones", Cure: "write the numbers into the files",
		},
		{
			Name: "sequence-behind", Severity: Error,
			About:  "a sequence that gives numbers that rows have already",
			Reason: "the first INSERT fails", Cure: "setval behind the rows",
		},
		{
			Name: "down-fails", Severity: Error,
			About:  "a way back that PostgreSQL refuses",
			Reason: "a schema cannot be taken back", Cure: "correct the way back, or remove it",
		},
		{
			Name: "down-differs", Severity: Error,
			About:  "a way back that does not lead to where its migration came from",
			Reason: "a schema that was taken back is not as others were before the migration", Cure: "undo all that the migration does, and nothing else; or remove the way back",
		},
	}
}

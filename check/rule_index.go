package check

import "regexp"

func indexRules() []rule {
	return []rule{
		{
			Rule{
				Name: "index-blocks-writes", Severity: Error,
				About:  "CREATE INDEX without CONCURRENTLY on a table that is in use",
				Reason: "nobody can write to the table until the index is built",
				Cure:   "CREATE INDEX CONCURRENTLY, in a migration of its own: cotenant runs it outside of a transaction, and new schemas get it without",
			}, inUp, indexBlocks,
		},
		{
			Rule{
				Name: "concurrently-in-block", Severity: Error,
				About:  "CONCURRENTLY in a DO block or a function",
				Reason: "PostgreSQL refuses it there: a block is in a transaction always",
				Cure:   "make it a statement of its own",
			}, inUp | inSchema, concurrentlyInBlock,
		},
	}
}

func indexBlocks(v *visit) {
	table := v.node.Node("relation")
	if !v.node.Is("IndexStmt") || v.node.True("concurrent") || !v.isFull(table) {
		return
	}
	o := v.here.relation(table.Relation())
	switch {
	case o != nil && o.kind == "materialized view": // nobody writes to it but REFRESH
		return
	case o != nil && o.partitioned && !table.True("inh"): // ON ONLY: there is nothing to build
		return
	}
	what := "an index"
	if name := v.node.Text("idxname"); name != "" {
		what = "index \"" + name + "\""
	}
	f := v.report("%s on %q is built while nobody can write to the table", what, table.Relation())
	if o != nil && o.partitioned {
		f.Cure = "CREATE INDEX … ON ONLY the partitioned table, CREATE INDEX CONCURRENTLY on each partition, then ALTER INDEX … ATTACH PARTITION"
	}
}

// concurrently is what stands in a block's text: within a string, mostly.
var concurrently = regexp.MustCompile(`(?i)\b(?:(?:CREATE|DROP)\s+(?:UNIQUE\s+)?INDEX|REINDEX\s+(?:\([^)]*\)\s*)?(?:TABLE|INDEX))\s+CONCURRENTLY\b`)

func concurrentlyInBlock(v *visit) {
	if !v.node.Is("DoStmt", "CreateFunctionStmt") {
		return
	}
	if statement := concurrently.FindString(v.node.Body(v.stmt.SQL).Text); statement != "" {
		v.report("%s stands in a block", statement)
	}
}

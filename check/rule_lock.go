package check

import (
	"slices"
	"strings"

	"github.com/cotenant/cotenant/check/internal/syntax"
)

func lockRules() []rule {
	return []rule{
		{
			Rule{
				Name: "rewrites-table", Severity: Error,
				About:  "CLUSTER, VACUUM FULL, and ALTER TABLE that moves a table or changes how it is stored",
				Reason: "the table is written anew while nobody can use it",
				Cure:   "leave it out, and do it by hand where it is worth it (pg_repack does it without the lock)",
			}, inUp, rewritesTable,
		},
		{
			Rule{
				Name: "reindex-blocks", Severity: Error,
				About:  "REINDEX without CONCURRENTLY",
				Reason: "nobody can write to the table, nor read by the index, until it is built",
				Cure:   "REINDEX … CONCURRENTLY, in a migration of its own",
			}, inUp, reindexBlocks,
		},
		{
			Rule{
				Name: "refresh-blocks", Severity: Error,
				About:  "REFRESH MATERIALIZED VIEW without CONCURRENTLY",
				Reason: "nobody can read the view until its query is done",
				Cure:   "REFRESH MATERIALIZED VIEW CONCURRENTLY, which needs a unique index on the view, or refresh it from a job",
			}, inUp, refreshBlocks,
		},
		{
			Rule{
				Name: "locks-table", Severity: Warning,
				About:  "LOCK TABLE against those who write or read",
				Reason: "they wait until the migration is done, with all that comes behind the statement",
				Cure:   "leave it out: ALTER TABLE takes the lock that it needs",
			}, inUp, locksTable,
		},
		{
			Rule{
				Name: "data-change-under-lock", Severity: Warning,
				About:  "UPDATE or DELETE of all rows behind a change of a table, in its transaction",
				Reason: "what the change locks stays locked until all rows are written",
				Cure:   "put it into a migration of its own, or change the rows in batches from a job",
			}, inUp, dataChangeUnderLock,
		},
	}
}

func rewritesTable(v *visit) {
	if v.node.Is("ClusterStmt") {
		if table := v.node.Node("relation"); !table.Exists() {
			v.report("CLUSTER writes every table anew that was clustered before")
		} else if v.isOld(table) {
			v.report("CLUSTER writes %q anew", table.Relation())
		}
		return
	}
	if v.node.Is("VacuumStmt") {
		full := slices.ContainsFunc(v.node.Nodes("options"), func(o syntax.Node) bool {
			value := strings.ToLower(o.Node("arg").Text("sval"))
			return o.Text("defname") == "full" && value != "false" && value != "off"
		})
		if full {
			v.report("VACUUM FULL writes %s anew", v.vacuumed())
		}
		return
	}
	table, commands := v.commands()
	if commands == nil || !v.isOld(table) {
		return
	}
	for _, cmd := range commands {
		var what string
		switch cmd.Text("subtype") {
		case "AT_SetTableSpace":
			what = "SET TABLESPACE"
		case "AT_SetLogged":
			what = "SET LOGGED"
		case "AT_SetUnLogged":
			what = "SET UNLOGGED"
		case "AT_SetAccessMethod":
			what = "SET ACCESS METHOD"
		default:
			continue
		}
		v.report("%s writes %q anew", what, table.Relation())
	}
}

// vacuumed names the tables of a VACUUM.
func (v *visit) vacuumed() string {
	var names []syntax.Name
	for _, r := range v.node.Nodes("rels") {
		names = append(names, r.Node("relation").Relation())
	}
	if names == nil {
		return "every table"
	}
	return quotedNames(names)
}

func reindexBlocks(v *visit) {
	if !v.node.Is("ReindexStmt") || slices.ContainsFunc(v.node.Nodes("params"), func(p syntax.Node) bool { return p.Text("defname") == "concurrently" }) {
		return
	}
	switch table := v.node.Node("relation"); {
	case !table.Exists():
		v.report("REINDEX builds every index anew while nobody can write")
	case v.isOld(table):
		v.report("REINDEX of %q builds it anew while nobody can write", table.Relation())
	}
}

func refreshBlocks(v *visit) {
	view := v.node.Node("relation")
	if v.node.Is("RefreshMatViewStmt") && !v.node.True("concurrent") && !v.node.True("skipData") && v.isOld(view) {
		v.report("materialized view %q is refreshed while nobody can read it", view.Relation())
	}
}

// lockShare is the weakest of the modes that keep others from writing, as PostgreSQL
// numbers them (lockdefs.h).
const lockShare = 5

func locksTable(v *visit) {
	if !v.node.Is("LockStmt") || v.node.Int("mode") < lockShare {
		return
	}
	var names []syntax.Name
	for _, r := range v.node.Nodes("relations") {
		if v.isOld(r) {
			names = append(names, r.Relation())
		}
	}
	if names != nil {
		v.report("%s is locked until the migration is done", quotedNames(names))
	}
}

func dataChangeUnderLock(v *visit) {
	table := v.node.Node("relation")
	if !v.inTransaction() || !v.node.Is("UpdateStmt", "DeleteStmt") || v.node.Node("whereClause").Exists() || !v.isOld(table) {
		return
	}
	verb := "UPDATE"
	if v.node.Is("DeleteStmt") {
		verb = "DELETE"
	}
	for _, before := range v.file.statements[:v.at] {
		for _, n := range before.nodes {
			changed := n.Node("relation")
			if n.Is("AlterTableStmt", "RenameStmt", "IndexStmt") && changed.Is("RangeVar") && v.isOld(changed) && v.here.kindOf(changed) == "table" {
				v.report("%s changes all rows of %q while %q is locked, since line %d", verb, table.Relation(), changed.Relation(), before.Line)
				return
			}
		}
	}
}

// kindOf is what a relation is, a table where that is not known.
func (s *state) kindOf(relation syntax.Node) string {
	if o := s.relation(relation.Relation()); o != nil {
		return o.kind
	}
	return "table"
}

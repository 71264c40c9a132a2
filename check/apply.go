package check

import (
	"fmt"
	"strings"

	"github.com/cotenant/cotenant/check/internal/syntax"
)

// apply brings the state to where a statement leads.
func (s *state) apply(f *file, sql string, n syntax.Node) {
	switch n.Kind {
	case "CreateStmt":
		s.createTable(f, n)
	case "CreateForeignTableStmt":
		s.createTable(f, n.Node("base"))
	case "CreateTableAsStmt":
		kind := "table"
		if n.Text("objtype") == "OBJECT_MATVIEW" {
			kind = "materialized view"
		}
		if n.Node("into").Node("rel").Text("relpersistence") == "t" {
			kind = temporary
		}
		s.make(f, kind, n.Node("into").Node("rel").Relation())
	case "SelectStmt":
		if into := n.Node("intoClause"); into.Exists() {
			kind := "table"
			if into.Node("rel").Text("relpersistence") == "t" {
				kind = temporary
			}
			s.make(f, kind, into.Node("rel").Relation())
		}
	case "ViewStmt":
		s.make(f, "view", n.Node("view").Relation())
	case "CreateSeqStmt":
		s.make(f, "sequence", n.Node("sequence").Relation())
	case "IndexStmt":
		s.make(f, "index", syntax.Name{Schema: n.Node("relation").Text("schemaname"), Name: n.Text("idxname")})
		if o := s.table(n.Node("relation").Relation()); o != nil {
			o.addIndex(n.Text("idxname"), n.Nodes("indexParams"))
		}
	case "CreateEnumStmt", "CreateRangeStmt", "CreateDomainStmt", "AlterDomainStmt", "CompositeTypeStmt":
		s.applyType(f, n)
	case "CreateFunctionStmt":
		s.functions[s.own(syntax.NameOf(n.Strings("funcname")))] = newRoutine(f, sql, n)
	case "CreateSchemaStmt":
		s.schemas[n.Text("schemaname")] = true
	case "CreateExtensionStmt":
		s.extensions = true
	case "DropStmt":
		s.drop(n)
	case "RenameStmt":
		s.rename(n)
	case "AlterTableStmt":
		s.alterTable(f, n)
	case "TruncateStmt":
		for _, r := range n.Nodes("relations") {
			if o := s.table(r.Relation()); o != nil {
				o.emptied = f
			}
		}
	case "DeleteStmt":
		if o := s.table(n.Node("relation").Relation()); o != nil && !n.Node("whereClause").Exists() {
			o.emptied = f
		}
	}
}

// make puts a relation in, unless there is one of that name: IF NOT EXISTS.
func (s *state) make(f *file, kind string, name syntax.Name) *object {
	name = s.own(name)
	if name.Name == "" || s.relations[name] != nil && kind != "view" {
		return nil
	}
	o := &object{kind: kind, app: f.App, file: f, columns: map[string]column{}, constraints: map[string]constraint{}, indexed: map[string][]string{}}
	s.relations[name] = o
	return o
}

// applyType brings the state to where a statement about a type leads.
func (s *state) applyType(f *file, n syntax.Node) {
	switch n.Kind {
	case "CreateEnumStmt", "CreateRangeStmt":
		s.makeType(f, syntax.NameOf(n.Strings("typeName")))
	case "CreateDomainStmt":
		s.makeType(f, syntax.NameOf(n.Strings("domainname"))).domain = newDomain(n)
	case "AlterDomainStmt":
		if o := s.types[s.own(syntax.NameOf(n.Strings("typeName")))]; o != nil && o.domain != nil {
			o.domain.alter(n)
		}
	case "CompositeTypeStmt":
		s.makeType(f, n.Node("typevar").Relation())
	}
}

func (s *state) makeType(f *file, name syntax.Name) *object {
	o := &object{kind: "type", app: f.App, file: f}
	s.types[s.own(name)] = o
	return o
}

func (s *state) createTable(f *file, n syntax.Node) {
	table := n.Node("relation")
	kind := "table"
	if table.Text("relpersistence") == "t" {
		kind = temporary
	}
	o := s.make(f, kind, table.Relation())
	if o == nil {
		return
	}
	o.partitioned = n.Node("partspec").Exists()
	for _, parent := range n.Nodes("inhRelations") {
		s.attach(parent.Relation(), table.Relation(), n.Node("partbound"))
	}
	for _, part := range n.Nodes("tableElts") {
		switch part.Kind {
		case "ColumnDef":
			o.addColumn(f, part)
		case "Constraint":
			o.addConstraint(f, part)
		case "TableLikeClause":
			if like := s.table(part.Node("relation").Relation()); like != nil {
				for name, c := range like.columns {
					o.columns[name] = c
				}
			}
		}
	}
}

func (o *object) addColumn(f *file, n syntax.Node) {
	name := n.Text("colname")
	c := column{typ: newTypeOf(n)}
	c.notNull = c.typ.serial
	o.columns[name] = c
	for _, k := range n.Nodes("constraints") {
		if is(k, "CONSTR_NOTNULL", "CONSTR_PRIMARY", "CONSTR_IDENTITY") {
			c.notNull = true
			o.columns[name] = c
		}
		if is(k, "CONSTR_PRIMARY", "CONSTR_UNIQUE") {
			o.addIndexOf(k.Text("conname"), []string{name})
		}
		o.addConstraint(f, k)
	}
}

// is reports whether a constraint is of one of the types.
func is(constraint syntax.Node, types ...string) bool {
	for _, t := range types {
		if constraint.Text("contype") == t {
			return true
		}
	}
	return false
}

func (o *object) addConstraint(f *file, n syntax.Node) {
	if is(n, "CONSTR_PRIMARY") {
		for _, name := range n.Strings("keys") {
			c := o.columns[name]
			c.notNull = true
			o.columns[name] = c
		}
	}
	o.addIndexFor(n)
	name := n.Text("conname")
	if name == "" && !is(n, "CONSTR_CHECK") {
		return
	}
	if name == "" {
		name = fmt.Sprintf(" %d", len(o.constraints)) // no other has such a name
	}
	o.constraints[name] = constraint{file: f, valid: !n.True("skip_validation"), notNull: notNullColumns(n.Node("raw_expr")), check: is(n, "CONSTR_CHECK")}
}

// notNullColumns returns the columns that an expression has be not null wherever it is
// true.
func notNullColumns(n syntax.Node) []string {
	switch {
	case n.Is("NullTest") && n.Text("nulltesttype") == "IS_NOT_NULL":
		if field := n.Node("arg").Strings("fields"); len(field) == 1 {
			return field
		}
	case n.Is("BoolExpr") && n.Text("boolop") == "AND_EXPR":
		var names []string
		for _, part := range n.Nodes("args") {
			names = append(names, notNullColumns(part)...)
		}
		return names
	}
	return nil
}

func (s *state) alterTable(f *file, n syntax.Node) {
	o := s.table(n.Node("relation").Relation())
	if o == nil {
		return
	}
	for _, cmd := range n.Nodes("cmds") {
		name, def := cmd.Text("name"), cmd.Node("def")
		c := o.columns[name]
		switch cmd.Text("subtype") {
		case "AT_AddColumn":
			if _, there := o.columns[def.Text("colname")]; !there {
				o.addColumn(f, def)
			}
		case "AT_DropColumn":
			o.dropColumn(name)
		case "AT_AttachPartition":
			s.attach(n.Node("relation").Relation(), def.Node("name").Relation(), def.Node("bound"))
		case "AT_DetachPartition":
			s.detach(def.Node("name").Relation())
		case "AT_AlterColumnType":
			c.typ = newTypeOf(def)
			o.columns[name] = c
		case "AT_SetNotNull", "AT_AddIdentity":
			c.notNull = true
			o.columns[name] = c
		case "AT_DropNotNull":
			c.notNull = false
			o.columns[name] = c
		case "AT_AddConstraint":
			o.addConstraint(f, def)
		case "AT_ValidateConstraint":
			if k, ok := o.constraints[name]; ok {
				k.valid = true
				o.constraints[name] = k
			}
		case "AT_DropConstraint":
			delete(o.constraints, name)
			o.dropIndex(name)
		}
	}
}

// drop takes out what a DROP names, and of what CASCADE takes along the columns of a type.
func (s *state) drop(n syntax.Node) {
	for _, d := range dropped(n) {
		switch n.Text("removeType") {
		case "OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE", "OBJECT_INDEX", "OBJECT_FOREIGN_TABLE":
			delete(s.relations, s.own(d))
			s.detach(d)
			if n.Text("removeType") == "OBJECT_INDEX" {
				s.dropIndex(d.Name)
			}
		case "OBJECT_TYPE", "OBJECT_DOMAIN":
			if n.Text("behavior") == "DROP_CASCADE" {
				for _, u := range s.uses(d) {
					u.object.dropColumn(u.column)
				}
			}
			delete(s.types, s.own(d))
		case "OBJECT_FUNCTION", "OBJECT_PROCEDURE", "OBJECT_ROUTINE":
			delete(s.functions, s.own(d))
		case "OBJECT_SCHEMA":
			delete(s.schemas, d.Name)
		}
	}
}

// dropped returns the names of a DropStmt: for what is on a table, the table's.
func dropped(n syntax.Node) []syntax.Name {
	var names []syntax.Name
	for _, o := range n.Nodes("objects") {
		parts := partsOf(o)
		switch n.Text("removeType") {
		case "OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE":
			parts = parts[:max(0, len(parts)-1)]
		}
		names = append(names, syntax.NameOf(parts))
	}
	return names
}

// partsOf returns the parts of a name that a statement gives an object.
func partsOf(object syntax.Node) []string {
	switch object.Kind {
	case "List":
		return object.Strings("items")
	case "ObjectWithArgs":
		return object.Strings("objname")
	case "TypeName":
		return object.Strings("names")
	case "String":
		return []string{object.Text("sval")}
	}
	return nil
}

func (s *state) rename(n syntax.Node) {
	from, to := s.own(n.Node("relation").Relation()), n.Text("newname")
	switch n.Text("renameType") {
	case "OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_SEQUENCE", "OBJECT_INDEX":
		if o := s.relations[from]; o != nil {
			delete(s.relations, from)
			s.relations[syntax.Name{Schema: from.Schema, Name: to}] = o
			s.moveDefault(from, syntax.Name{Schema: from.Schema, Name: to})
		}
		if n.Text("renameType") == "OBJECT_INDEX" {
			for _, o := range s.relations {
				o.renameIndex(from.Name, to)
			}
		}
	case "OBJECT_COLUMN":
		if o := s.relations[from]; o != nil {
			o.renameColumn(n.Text("subname"), to)
		}
	case "OBJECT_TABCONSTRAINT":
		if o := s.relations[from]; o != nil {
			o.constraints[to] = o.constraints[n.Text("subname")]
			delete(o.constraints, n.Text("subname"))
			o.renameIndex(n.Text("subname"), to)
		}
	case "OBJECT_TYPE", "OBJECT_DOMAIN":
		was := s.own(syntax.NameOf(n.Strings("object")))
		if o := s.types[was]; o != nil {
			for _, u := range s.uses(was) {
				if c := u.object.columns[u.column]; s.own(c.typ.named()) == was {
					c.typ.name = syntax.Name{Schema: was.Schema, Name: to}.String()
					u.object.columns[u.column] = c
				}
			}
			delete(s.types, was)
			s.types[syntax.Name{Schema: was.Schema, Name: to}] = o
		}
	}
}

// newRoutine reads a function.
func newRoutine(f *file, sql string, n syntax.Node) *routine {
	r := &routine{app: f.App, volatile: true}
	for _, o := range n.Nodes("options") {
		if o.Text("defname") == "volatility" {
			r.volatile = strings.EqualFold(o.Node("arg").Text("sval"), "volatile")
		}
	}
	body := n.Body(sql)
	if _, set := n.Setting("search_path"); set || !body.Late {
		return r
	}
	for _, stmt := range body.Statements {
		for _, name := range append(stmt.Relations(), stmt.Calls()...) {
			if name.Schema == "" {
				r.names = append(r.names, name)
			}
		}
	}
	return r
}

package sqlfile

// CreatedTable returns the table that the statement creates; it is zero for others and
// for temporary tables.
func (s Statement) CreatedTable() Name {
	c := s.cursor()
	if !c.accept("CREATE") {
		return Name{}
	}
	c.accept("UNLOGGED")
	if !c.accept("TABLE") {
		return Name{}
	}
	c.accept("IF", "NOT", "EXISTS")
	return newName(c.name())
}

// WrittenTable returns the table of INSERT, UPDATE, DELETE or MERGE, as the catalog has its
// name. It is not known for others, for a table of a named schema, and where the statement
// calls a function that is not known to be harmless: that may write to others.
func (s Statement) WrittenTable() (name string, known bool) {
	c := s.cursor()
	switch c.acceptAny("DELETE", "INSERT", "MERGE", "UPDATE") {
	case "":
		return "", false
	case "DELETE":
		c.accept("FROM")
	case "INSERT", "MERGE":
		c.accept("INTO")
	}
	c.accept("ONLY")
	table := newName(c.name())
	if table.Name == "" || table.Schema != "" || s.calls() {
		return "", false
	}
	return table.Name, true
}

// RenamedTable returns the table that the statement gives another name, and that; it is
// zero for others.
func (s Statement) RenamedTable() (from Name, to string) {
	c := s.cursor()
	if !c.accept("ALTER", "TABLE") {
		return Name{}, ""
	}
	c.accept("IF", "EXISTS")
	c.accept("ONLY")
	from = newName(c.name())
	if !c.accept("RENAME", "TO") {
		return Name{}, ""
	}
	return from, newName(c.name()).Name
}

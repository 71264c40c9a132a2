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

package sqlfile

// CreatedExtension returns the extension that the statement creates, as the catalog has its
// name, also where it is there already; "" for others.
func (s Statement) CreatedExtension() string {
	c := s.cursor()
	if !c.accept("CREATE", "EXTENSION") {
		return ""
	}
	c.accept("IF", "NOT", "EXISTS")
	return newName(c.name()).Name
}

package schemasync

import (
	"slices"
	"strings"
)

// accessOnly reports whether the step changes privileges and owners, and nothing else.
func (s *step) accessOnly() bool {
	return len(s.access) > 0 && len(s.creates)+len(s.changes)+len(s.drops)+len(s.writes) == 0
}

// granted reports whether the schema's objects have what a statement is for: the owner, the
// privileges that it gives, or not those that it takes. Of the objects of other apps that
// is not known.
func (c *comparison) granted(s *step) bool {
	return !slices.ContainsFunc(s.access, func(key string) bool {
		i, known := c.index[key]
		return !known || c.there(key) && !s.satisfied(c.objects[i].Access, c.has[key].Access)
	})
}

// satisfied compares who owns an object and has which privileges on it. More privileges
// than a GRANT gives are none of its business: the migrator role has some on what is shared.
func (s *step) satisfied(want, have string) bool {
	wantOwner, wantItems := readAccess(want)
	haveOwner, haveItems := readAccess(have)
	switch {
	case s.word("GRANT"):
		return !slices.ContainsFunc(wantItems, func(item string) bool { return !slices.Contains(haveItems, item) })
	case s.word("REVOKE"):
		return slices.Equal(wantItems, haveItems)
	}
	return wantOwner == haveOwner
}

// readAccess returns who owns an object, and the privileges of others on it, in order, with
// a blank for the owner's name: the schema may be another role's than the one that was
// learned from. A column has no owner.
func readAccess(access string) (owner string, items []string) {
	owner, list, _ := strings.Cut(access, " ")
	if strings.Contains(owner, "=") {
		owner, list = "", access
	}
	for item := range strings.SplitSeq(list, ", ") {
		who, what, found := strings.Cut(item, "=")
		if !found || owner != "" && who == owner {
			continue
		}
		what, by, _ := strings.Cut(what, "/")
		if by == owner {
			by = " "
		}
		items = append(items, who+"="+what+"/"+by)
	}
	slices.Sort(items)
	return owner, items
}

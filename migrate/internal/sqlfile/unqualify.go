package sqlfile

import (
	"slices"
	"strings"
)

// cut is a part of a statement that goes.
type cut struct{ start, end int }

// unqualify takes the name of public out of a statement: where it stands before a dot
// as a name of its own, and in the strings that name a table for nextval. What stands in
// other strings, and in bodies of functions, is not looked at but for what it would do
// to another schema.
func (d *dump) unqualify(s Statement) (Statement, error) {
	all := tokens(s.Text)
	var cuts []cut
	for i, t := range all {
		switch {
		case t.kind == literal && d.namesTable(s.Text, all, i):
			cuts = append(cuts, cut{t.start + 1, t.start + 1 + len("public.")})
		case isPublic(s.Text, all, i):
			if isPublic(s.Text, all, i+2) || i+2 < len(all) && s.Text[all[i+2].start:all[i+2].end] == "public" {
				return s, d.errorf(s, t.start, "public.public: whether public is the schema or a table cannot be told (rename the table)")
			}
			cuts = append(cuts, cut{t.start, t.end}, cut{all[i+1].start, all[i+1].end})
		}
	}
	if isRoutine(s) || s.word(0) == "DO" {
		if err := d.checkRoutine(s, all); err != nil {
			return s, err
		}
	}
	if len(cuts) == 0 {
		return s, nil
	}
	for _, c := range slices.Backward(cuts) {
		s.Text = s.Text[:c.start] + s.Text[c.end:]
	}
	again, err := Split(s.Text)
	if err != nil || len(again) != 1 {
		return s, d.errorf(s, 0, "the schema's name cannot be taken out of it (write it without public.)")
	}
	s.Words = again[0].Words
	return s, nil
}

func (d *dump) errorf(s Statement, at int, format string, args ...any) error {
	return d.src.errorfLine(s.Line-1+LineAt(s.Text, at), format, args...)
}

// isPublic reports whether the token at i is the name of the schema public before a
// dot.
func isPublic(text string, all []token, i int) bool {
	if i+1 >= len(all) || all[i].kind != word && all[i].kind != quotedName {
		return false
	}
	return identifier(text[all[i].start:all[i].end]) == "public" && text[all[i+1].start] == '.' &&
		(i == 0 || text[all[i-1].start] != '.')
}

// namesTable reports whether the string at i is a name with its schema: before a cast
// to regclass and its like, or as the first argument of a sequence's function.
func (d *dump) namesTable(text string, all []token, i int) bool {
	if !strings.HasPrefix(text[all[i].start:], "'public.") {
		return false
	}
	c := &cursor{text, all[i+1:]}
	if c.cast("TEXT") {
		c.acceptByte(')')
	}
	if c.cast("REGCLASS", "REGCONFIG", "REGDICTIONARY", "REGOPER", "REGOPERATOR", "REGPROC", "REGPROCEDURE", "REGTYPE", "REGCOLLATION") {
		return true
	}
	before := &cursor{text, all[max(0, i-2):i]}
	return len(before.tokens) == 2 && before.acceptAny("NEXTVAL", "SETVAL", "CURRVAL") != "" && before.at('(')
}

// cast consumes ::type.
func (c *cursor) cast(types ...string) bool {
	was := c.tokens
	if c.acceptByte(':') {
		c.acceptByte(':')
		if c.word(0) == "PG_CATALOG" {
			c.skip()
			c.acceptByte('.')
		}
		if c.acceptAny(types...) != "" {
			return true
		}
	}
	c.tokens = was
	return false
}

// checkRoutine refuses a function that would work on public's tables where the dump has
// those of the same names made in the tenant's schema: by its search path, or by names
// in its body. Other names in public are shared tables, and meant.
func (d *dump) checkRoutine(s Statement, all []token) error {
	for c := (&cursor{s.Text, all}); c.find("SEARCH_PATH"); {
		if !c.acceptByte('=') {
			c.accept("TO")
		}
		at := c.tokens
		for !c.done() {
			value, isString := c.string()
			if isString && value == "public" || !isString && slices.Equal(c.name(), []string{"public"}) {
				return d.errorf(s, at[0].start, "the function works on public for every tenant, by its SET search_path (remove the clause)")
			}
			if !c.acceptByte(',') {
				break
			}
		}
	}
	for _, t := range all {
		if t.kind != literal && t.kind != body {
			continue
		}
		inner, offset := unquote(s.Text[t.start:t.end])
		pieces := tokens(inner)
		for i := range pieces {
			if !isPublic(inner, pieces, i) || i+2 >= len(pieces) {
				continue
			}
			if name := identifier(inner[pieces[i+2].start:pieces[i+2].end]); d.made[name] {
				return d.errorf(s, t.start+offset+pieces[i].start, "the body names public.%s, which the file makes in each tenant's schema (leave public out in the body)", name)
			}
		}
	}
	return nil
}

// unquote returns what stands between the quotes of a string, and where it begins.
func unquote(text string) (inner string, offset int) {
	if strings.HasPrefix(text, "$") {
		tag := text[:strings.IndexByte(text[1:], '$')+2]
		return text[len(tag) : len(text)-len(tag)], len(tag)
	}
	offset = strings.IndexByte(text, '\'') + 1
	return text[offset : len(text)-1], offset
}

// Unqualified returns the statement without the name of public, for a schema that stands
// in for public and has a search path of its own. Where it cannot be taken out it stays.
func (s Statement) Unqualified() Statement {
	without, err := new(dump).unqualify(s)
	if err != nil {
		return s
	}
	return without
}

package catalog

import "strings"

// Normal brings what PostgreSQL writes of one expression in several ways into one: a list
// of constants, as in
//
//	CHECK (state IN ('new', 'paid'))
//
// of a column of type varchar is written as ARRAY['new'::character varying, …]::text[], and
// after that was dumped and restored as ARRAY['new'::character varying::text, …]; with more
// parentheses in some places.
func Normal(definition string) string {
	const array = "ARRAY["
	if !strings.Contains(definition, array) {
		return definition
	}
	var b strings.Builder
	for rest := definition; ; {
		before, inside, found := CutOutside(rest, array)
		if !found {
			b.WriteString(before)
			return b.String()
		}
		elements, after, ok := list(inside)
		if !ok { // it is not as we know it
			b.WriteString(rest)
			return b.String()
		}
		element, cast, ok := arrayCast(after)
		if !ok && opensGroup(before) && strings.HasPrefix(after, ")") {
			if element, cast, ok = arrayCast(after[1:]); ok {
				before = before[:len(before)-1]
			}
		}
		switch {
		case ok && len(elements) > 0:
			after, element = cast, "::"+element
		default:
			element = ""
		}
		b.WriteString(before + array)
		for i, text := range elements {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(casted(bare(Normal(text)), element))
		}
		b.WriteString("]")
		rest = after
	}
}

// opensGroup reports whether text ends with a parenthesis that belongs to no function.
func opensGroup(text string) bool {
	before, ok := strings.CutSuffix(text, "(")
	return ok && (before == "" || strings.ContainsAny(before[len(before)-1:], " ("))
}

// bare takes a constant that is cast out of its parentheses: ('new'::text)::name.
func bare(element string) string {
	inside, ok := strings.CutPrefix(element, "(")
	if !ok {
		return element
	}
	length := quoted(inside)
	if length == 0 {
		return element
	}
	if typ, rest, ok := strings.Cut(inside[length:], ")::"); ok && !strings.ContainsAny(typ, "()") && (typ == "" || isType(typ)) {
		return inside[:length] + typ + "::" + rest
	}
	return element
}

// isType reports whether text is a cast, such as ::character varying.
func isType(text string) bool {
	return strings.HasPrefix(text, "::") && !strings.ContainsAny(outside(text), "+-*/|&<>=")
}

// CutOutside cuts a definition around the first sep that is not within quotes.
func CutOutside(text, sep string) (before, after string, found bool) {
	for i := 0; i < len(text); {
		if n := quoted(text[i:]); n > 0 {
			i += n
			continue
		}
		if strings.HasPrefix(text[i:], sep) {
			return text[:i], text[i+len(sep):], true
		}
		i++
	}
	return text, "", false
}

// quoted returns the length of the constant or the quoted name that text begins with, 0 if
// it begins with neither. PostgreSQL writes constants with a backslash as E'…', where
// that is doubled.
func quoted(text string) int {
	switch {
	case strings.HasPrefix(text, "'"), strings.HasPrefix(text, `"`):
	default:
		return 0
	}
	for i := 1; i < len(text); i++ {
		if text[i] != text[0] {
			continue
		}
		if i+1 == len(text) || text[i+1] != text[0] {
			return i + 1
		}
		i++
	}
	return len(text)
}

// list takes the elements of a list that ends with a bracket, and what follows it.
func list(text string) (elements []string, rest string, ok bool) {
	depth, begin := 0, 0
	for i := 0; i < len(text); {
		if n := quoted(text[i:]); n > 0 {
			i += n
			continue
		}
		switch c := text[i]; {
		case c == '(' || c == '[':
			depth++
		case c == ']' && depth == 0:
			if last := strings.TrimSpace(text[begin:i]); last != "" {
				elements = append(elements, last)
			}
			return elements, text[i+1:], true
		case c == ')' || c == ']':
			depth--
		case c == ',' && depth == 0:
			elements = append(elements, strings.TrimSpace(text[begin:i]))
			begin = i + 1
		}
		i++
	}
	return nil, "", false
}

// arrayCast takes the type of the elements from a cast that text begins with.
func arrayCast(text string) (element, rest string, ok bool) {
	after, ok := strings.CutPrefix(text, "::")
	if !ok {
		return "", "", false
	}
	element, rest, ok = CutOutside(after, "[]")
	if !ok || strings.ContainsAny(element, ",=<>+*/|&") || strings.Count(element, "(") != strings.Count(element, ")") {
		return "", "", false
	}
	return element, rest, true
}

// casted is an element with a cast behind it.
func casted(element, cast string) string {
	if cast == "" || !strings.ContainsAny(outside(element), " +-*/|&<>=") || strings.HasPrefix(element, "(") {
		return element + cast
	}
	if _, typ, ok := CutOutside(element, "::"); ok && !strings.ContainsAny(outside(typ), "+-*/|&<>=") && !strings.ContainsAny(outside(element[:len(element)-len(typ)]), " ") {
		return element + cast // a name of a type can have blanks
	}
	return "(" + element + ")" + cast
}

// outside is text without what stands in quotes, parentheses and brackets.
func outside(text string) string {
	var b strings.Builder
	depth := 0
	for i := 0; i < len(text); {
		if n := quoted(text[i:]); n > 0 {
			i += n
			continue
		}
		switch c := text[i]; {
		case c == '(' || c == '[':
			depth++
		case c == ')' || c == ']':
			depth--
		case depth == 0:
			b.WriteByte(c)
		}
		i++
	}
	return b.String()
}

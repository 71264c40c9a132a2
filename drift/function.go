package drift

import (
	"strings"

	"github.com/cotenant/cotenant/internal/catalog"
	"github.com/cotenant/cotenant/internal/searchpath"
)

// function creates a function or a procedure. Where it sets the search path to that of
// its schema, whose name the script does not know, it is told so when it is there.
func function(o catalog.Object) []string {
	parts := o.Parts()
	kind := strings.ToUpper(string(o.Kind))
	create := "CREATE " + kind + " " + withoutArguments(o.Name)
	var path string
	language := ""
	for i, part := range parts {
		switch {
		case i == 0:
			create += part // its arguments
		case strings.HasPrefix(part, "SET search_path=") && strings.Contains(part, schemaMark):
			path = strings.TrimPrefix(part, "SET search_path=")
		case strings.HasPrefix(part, "SET ") && i < len(parts)-1:
			name, value, _ := strings.Cut(strings.TrimPrefix(part, "SET "), "=")
			create += "\n\tSET " + name + " = " + setting(name, value)
		case language == "internal" && strings.Contains(part, "range_constructor"):
			return nil // it comes with its range
		case strings.HasPrefix(part, "TRANSFORM "), language == "c", language == "internal" && i == len(parts)-1:
			return []string{unwritten(o)}
		case strings.HasPrefix(part, "COST ") && o.Kind == catalog.Procedure:
			continue // it has one, which nobody asked for
		case i == len(parts)-1:
			create += "\n" + body(part, language)
		default:
			if strings.HasPrefix(part, "LANGUAGE ") {
				language = strings.TrimPrefix(part, "LANGUAGE ")
			}
			create += " " + part
		}
	}
	statements := []string{create}
	if path != "" {
		statements = append(statements, "DO "+dollars("DECLARE\n\tpath text := pg_catalog.current_setting('search_path');\nBEGIN"+
			"\n\tPERFORM pg_catalog.set_config('search_path', "+pathOf(path)+", true);"+
			"\n\tEXECUTE "+searchpath.Literal("ALTER "+kind+" "+o.Name+" SET search_path FROM CURRENT")+";"+
			"\n\tPERFORM pg_catalog.set_config('search_path', path, true);\nEND"))
	}
	return statements
}

// schemaMark stands for the schema's name in a search path; see internal/catalog.
const schemaMark = "<schema>"

// pathOf is a search path as an expression.
func pathOf(path string) string {
	before, after, _ := strings.Cut(path, schemaMark)
	return searchpath.Literal(before) + " || pg_catalog.quote_ident(pg_catalog.current_schema()) || " + searchpath.Literal(after)
}

// setting is the value of a setting. Those that are lists of names have them quoted where
// they need it.
func setting(name, value string) string {
	switch name {
	case "search_path", "temp_tablespaces", "session_preload_libraries", "local_preload_libraries":
		return value
	}
	return searchpath.Literal(value)
}

// withoutArguments is the name of a function without the types of its arguments.
func withoutArguments(name string) string {
	name, _, _ = catalog.CutOutside(name, "(")
	return name
}

// body is the body of a function.
func body(text, language string) string {
	if language == "sql" && (strings.HasPrefix(text, "BEGIN ATOMIC") || strings.HasPrefix(text, "RETURN ")) {
		return text
	}
	return "AS " + dollars(text)
}

// dollars quotes text with a tag that it does not have.
func dollars(text string) string {
	tag := "$body$"
	for strings.Contains(text+"$", tag) {
		tag = "$x" + tag[1:]
	}
	return tag + text + tag
}

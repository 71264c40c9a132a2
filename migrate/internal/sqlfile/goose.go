package sqlfile

import "strings"

const gooseUp = "-- +goose Up"

// gooseReader cuts a file of goose, as its parser does: an annotation is a line that
// begins with -- and has +goose in it, in any case of letters, wherever it stands.
type gooseReader struct {
	source
	sections
	in     direction
	start  int // of the current piece
	block  int // where its StatementBegin is
	inside bool
}

func cutGoose(src source) (sections, error) {
	g := &gooseReader{source: src}
	g.emptyUp = true
	for at, line := range src.lines {
		if text := strings.TrimSpace(line); !strings.HasPrefix(text, "--") || !strings.Contains(strings.ToLower(text), "+goose") {
			continue
		}
		if err := g.annotation(line, at); err != nil {
			return g.sections, err
		}
		g.start = at + len(line)
	}
	switch {
	case g.inside:
		return g.sections, src.errorf(g.block, "-- +goose StatementBegin is not closed (add -- +goose StatementEnd)")
	case !g.hasUp:
		return g.sections, src.errorf(0, "no way up (begin it with %s)", gooseUp)
	}
	g.add(g.in, piece{start: g.start, end: len(src.text)})
	return g.sections, nil
}

// annotation ends the current piece, and says what the next one is.
func (g *gooseReader) annotation(line string, at int) error {
	name := strings.Join(strings.Fields(strings.NewReplacer("--", "", "+goose", "").Replace(strings.ToLower(line))), " ")
	if strings.ContainsAny(line[:1], " \t") {
		return g.errorf(at, "%s: goose does not accept an annotation that is indented (begin the line with it)", strings.TrimSpace(line))
	}
	p := piece{start: g.start, end: at}
	switch name {
	case "up":
		if g.hasUp {
			return g.errorf(at, "%s is there twice (remove one)", gooseUp)
		}
		g.add(g.in, p)
		g.in, g.hasUp = inUp, true
	case "down":
		switch {
		case !g.hasUp:
			return g.errorf(at, "-- +goose Down without a way up before it (begin that with %s)", gooseUp)
		case g.hasDown:
			return g.errorf(at, "-- +goose Down is there twice (remove one)")
		case g.inside:
			return g.errorf(at, "-- +goose Down within a StatementBegin (add -- +goose StatementEnd before it)")
		}
		g.add(g.in, p)
		g.in, g.hasDown = inDown, true
	case "statementbegin":
		if g.in == inHead || g.inside {
			return g.errorf(at, "-- +goose StatementBegin must stand between -- +goose Up or Down and -- +goose StatementEnd (move it, or add what is missing)")
		}
		p.whole = true
		g.add(g.in, p)
		g.inside, g.block = true, at
	case "statementend":
		if !g.inside {
			return g.errorf(at, "-- +goose StatementEnd without a StatementBegin (add it, or remove this one)")
		}
		g.add(g.in, p)
		g.inside = false
	case "no transaction", "envsub off":
		p.whole = true
		g.add(g.in, p)
		if name == "no transaction" {
			g.upAlone, g.downAlone = true, true
		}
	case "envsub on":
		return g.errorf(at, "-- +goose ENVSUB ON: a migration that depends on the environment is not the same in every schema (write the values into the file)")
	default:
		return g.errorf(at, "%s is not an annotation of goose (Up, Down, StatementBegin, StatementEnd, NO TRANSACTION)", strings.TrimSpace(line))
	}
	return nil
}

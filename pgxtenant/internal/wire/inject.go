package wire

import (
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/cotenant/cotenant/internal/sqltext"
)

// appendSet appends what proves that the schema exists, and sets the path.
func (c *Conn) appendSet(dst []byte, g *group) []byte {
	g.set = true
	if c.mode == Local {
		g.answers = append(g.answers, parsed, bound, executed)
		dst = appendParse(dst, "", localPathSQL, textOID, regnamespaceOID, textOID)
		return appendExecute(appendBind(dst, "", c.want.SearchPath, c.want.Schema, c.want.within()))
	}
	name, ok := c.paths.names[c.want]
	if !ok {
		name = c.paths.add(c.want)
	}
	if !ok || c.adding() || c.roles {
		dst = c.appendUsage(dst, g)
	}
	if !ok || c.adding() {
		dst = appendPrepare(dst, g, name, pathSQL+c.want.SearchPath)
	}
	g.answers = append(g.answers, bound, executed)
	return appendExecute(appendBind(dst, name, c.want.Schema))
}

// appendSetLocal appends what sets the path in a transaction in the mode Local.
func (c *Conn) appendSetLocal(dst []byte, g *group) []byte {
	g.answers = append(g.answers, parsed, bound, executed)
	return appendExecute(appendBind(appendParse(dst, "", localPathPrefix+c.want.SearchPath), ""))
}

// appendProof appends a proof that the schema exists.
func (c *Conn) appendProof(dst []byte, g *group) []byte {
	if c.mode == Local {
		g.answers = append(g.answers, parsed, bound)
		return appendBind(appendParse(dst, "", proofSQL, regnamespaceOID), "", c.want.Schema)
	}
	if !c.prepared || c.adding() {
		c.prepared = true
		dst = appendPrepare(dst, g, proofName, proofSQL)
	}
	g.answers = append(g.answers, bound)
	return appendBind(dst, proofName, c.want.Schema)
}

// appendUsage appends what fails where the role may not use the schema.
func (c *Conn) appendUsage(dst []byte, g *group) []byte {
	name := usageName
	if c.mode == Local {
		name = ""
	} else {
		g.answers = append(g.answers, closed)
		dst = appendClose(dst, name)
	}
	g.answers = append(g.answers, parsed, bound, executed)
	dst = appendParse(dst, name, usageSQL, textOID)
	return appendExecute(appendBind(dst, name, c.want.within()))
}

// usageAhead reports whether what comes may have nothing that is executed in front of
// it, and yet another role may be set, which may not use the schema: that is asked in
// an exchange ahead of it. A proof, which is only bound, may stand in front.
func (c *Conn) usageAhead(all sqltext.Class) bool {
	return c.roles && c.status == 'I' && len(c.groups) == 0 && c.mode != Local && all.Has(sqltext.Alone|sqltext.Opaque)
}

// adding reports whether another group is under way that prepares statements of ours:
// if it fails they are not there.
func (c *Conn) adding() bool {
	others := c.groups
	if c.open {
		others = others[:len(others)-1]
	}
	return slices.ContainsFunc(others, func(g group) bool { return g.adds })
}

// forget has our statements be prepared anew.
func (c *Conn) forget() {
	c.prepared = false
	clear(c.paths.names)
}

// paths are those that have a statement on the server.
type paths struct {
	names map[Path]string
	ring  []Path // in the order in which they came; the oldest makes room
	next  int
}

// add returns a name for the statement of p.
func (s *paths) add(p Path) string {
	if len(s.ring) < maxPaths {
		s.ring = append(s.ring, p)
	}
	delete(s.names, s.ring[s.next])
	s.ring[s.next] = p
	name := pathName + strconv.Itoa(s.next)
	s.names[p] = name
	s.next = (s.next + 1) % maxPaths
	return name
}

// appendPrepare appends what prepares one of our statements, in place of one that may
// have its name. Its only parameter is the proof.
func appendPrepare(dst []byte, g *group, name, sql string) []byte {
	g.adds = true
	g.answers = append(g.answers, closed, parsed)
	return appendParse(appendClose(dst, name), name, sql, regnamespaceOID)
}

// appendParse appends the message that prepares one of our statements.
func appendParse(dst []byte, name, sql string, types ...uint32) []byte {
	dst, at := begin(dst, 'P')
	dst = appendString(dst, name)
	dst = appendString(dst, sql)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(types))) //nolint:gosec // two at most
	for _, oid := range types {
		dst = binary.BigEndian.AppendUint32(dst, oid)
	}
	return finish(dst, at)
}

// appendClose appends the message that forgets a prepared statement, if there is one.
func appendClose(dst []byte, name string) []byte {
	dst, at := begin(dst, 'C')
	return finish(appendString(append(dst, 'S'), name), at)
}

// appendBind appends the message that binds one of our statements, with texts for
// parameters.
func appendBind(dst []byte, name string, values ...string) []byte {
	dst, at := begin(dst, 'B')
	dst = appendString(dst, "") // portal
	dst = appendString(dst, name)
	dst = binary.BigEndian.AppendUint16(dst, 0)                   // parameter formats: text
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(values))) //nolint:gosec // two at most
	for _, value := range values {
		dst = binary.BigEndian.AppendUint32(dst, uint32(len(value))) //nolint:gosec // a list of names is short
		dst = append(dst, value...)
	}
	dst = binary.BigEndian.AppendUint16(dst, 0) // result formats: text
	return finish(dst, at)
}

// appendExecute appends the message that executes what was bound.
func appendExecute(dst []byte) []byte {
	dst, at := begin(dst, 'E')
	dst = appendString(dst, "")                 // portal
	dst = binary.BigEndian.AppendUint32(dst, 0) // all rows
	return finish(dst, at)
}

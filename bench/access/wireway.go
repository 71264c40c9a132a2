package main

import (
	"fmt"

	"github.com/jackc/pgx/v5/pgproto3"
)

// Types of parameters.
const (
	textOID         = 25
	regnamespaceOID = 4089 // its input looks the schema up, and fails if there is none
)

// wireWay is something to send along with the application's statement.
type wireWay struct {
	name  string
	stays bool // one tenant has all the turns, in a session that is on its path
	send  func(s *session, t *wireTenant, statement int) error
}

// wireTenant is a tenant with the names of its prepared statements and the values of
// their parameters.
type wireTenant struct {
	*shop
	schema, path   []byte // as SQL has them
	set, provenSet string
	own, qualified [2]string
}

// proof is the name of a prepared statement that is empty and has a parameter: to
// bind it proves that a schema exists, and there is nothing to execute.
const proof = "proof"

// wireWays are what can stand in front of an application's statement and behind it,
// in one group of messages.
func wireWays() []wireWay {
	return []wireWay{
		{"nothing, qualified names", false, func(s *session, t *wireTenant, n int) error { return s.application(t.qualified[n]) }},
		{"nothing, the path stays", true, func(s *session, t *wireTenant, n int) error { return s.application(t.own[n]) }},
		{"proof in front and behind, the path stays", true, func(s *session, t *wireTenant, n int) error {
			s.bind(proof, t.schema)
			return s.application(t.own[n], t.schema)
		}},
		{"`SET`, parsed", false, func(s *session, t *wireTenant, n int) error {
			s.parse("", t.shop.set)
			s.execute("")
			return s.application(t.own[n])
		}},
		{"`SET`, parsed, with proof", false, func(s *session, t *wireTenant, n int) error {
			s.parse("", t.shop.set, regnamespaceOID)
			s.execute("", t.schema)
			return s.application(t.own[n])
		}},
		{"`SET`, prepared", false, func(s *session, t *wireTenant, n int) error {
			s.execute(t.set)
			return s.application(t.own[n])
		}},
		{"`SET`, prepared, with proof", false, func(s *session, t *wireTenant, n int) error {
			s.execute(t.provenSet, t.schema)
			return s.application(t.own[n])
		}},
		{"`SET`, prepared, with proof; proof behind", false, func(s *session, t *wireTenant, n int) error {
			s.execute(t.provenSet, t.schema)
			return s.application(t.own[n], t.schema)
		}},
		{"`SELECT set_config(…, false)`, prepared, with proof", false, func(s *session, t *wireTenant, n int) error {
			s.execute("session", t.path, t.schema)
			return s.application(t.own[n])
		}},
		{"`SELECT set_config(…, true)`, prepared, with proof", false, func(s *session, t *wireTenant, n int) error {
			s.execute("local", t.path, t.schema)
			return s.application(t.own[n])
		}},
		{"nothing, qualified names, parsed", false, func(s *session, t *wireTenant, n int) error {
			s.parse("", t.shop.qualified[n])
			return s.application("")
		}},
		{"`SELECT set_config(…, true)`, parsed, with proof; the statement, parsed; proof, parsed", false, func(s *session, t *wireTenant, n int) error {
			s.parse("", "SELECT pg_catalog.set_config('search_path', $1, true)", textOID, regnamespaceOID)
			return s.pooled(t, n, t.path, t.schema)
		}},
		{"the same, and what fails where the role may not use the schema", false, func(s *session, t *wireTenant, n int) error {
			s.parse("", "SELECT pg_catalog.set_config('search_path', $1, true), pg_catalog.to_regclass($3)", textOID, regnamespaceOID, textOID)
			return s.pooled(t, n, t.path, t.schema, []byte(string(t.schema)+".x"))
		}},
	}
}

// pooled executes what was parsed, and adds the rest of what goes out where nothing can
// be prepared.
func (s *session) pooled(t *wireTenant, statement int, parameters ...[]byte) error {
	s.execute("", parameters...)
	s.parse("", t.unqualified[statement])
	s.add("")
	s.parse("", "", regnamespaceOID)
	s.bind("", t.schema)
	return s.sync()
}

// application adds the application's statement, as pgx sends it, a proof behind it
// for each of the schemas, and ends the group.
func (s *session) application(statement string, schemas ...[]byte) error {
	s.add(statement)
	for _, schema := range schemas {
		s.bind(proof, schema)
	}
	return s.sync()
}

// add adds the application's statement.
func (s *session) add(statement string) {
	s.bind(statement, []byte("7"))
	s.frontend.SendDescribe(&pgproto3.Describe{ObjectType: 'P'})
	s.frontend.SendExecute(&pgproto3.Execute{})
}

// prepare prepares what the ways send.
func (s *session) prepare(shops []*shop) ([]*wireTenant, error) {
	const setConfig = "SELECT pg_catalog.set_config('search_path', $1, %t) WHERE $2 IS NOT NULL"
	s.parse(proof, "", regnamespaceOID)
	s.parse("session", fmt.Sprintf(setConfig, false), textOID, regnamespaceOID)
	s.parse("local", fmt.Sprintf(setConfig, true), textOID, regnamespaceOID)
	if err := s.sync(); err != nil {
		return nil, err
	}
	var tenants []*wireTenant
	for _, shop := range shops {
		t := &wireTenant{
			shop: shop, schema: []byte(`"` + shop.name + `"`), path: []byte(shop.path),
			set: shop.name + " set", provenSet: shop.name + " proven set",
			own:       [2]string{shop.name + " pk", shop.name + " j4"},
			qualified: [2]string{shop.name + " qualified pk", shop.name + " qualified j4"},
		}
		tenants = append(tenants, t)
		s.parse("", shop.set)
		s.execute("") // the application's statements are prepared in the tenant's schema
		s.parse(t.set, shop.set)
		s.parse(t.provenSet, shop.set, regnamespaceOID)
		for n := range t.own {
			s.parse(t.own[n], shop.unqualified[n])
			s.parse(t.qualified[n], shop.qualified[n])
		}
		if err := s.sync(); err != nil {
			return nil, err
		}
	}
	return tenants, nil
}

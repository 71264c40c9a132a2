package syntax

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/wasilibs/go-pgquery/parser"
)

// Parse returns the trees of the statements in sql. The error says what the grammar does
// not take; newer servers may.
func Parse(sql string) ([]Node, error) {
	text, err := try(parser.ParseToJSON, sql)
	if err != nil {
		return nil, err
	}
	var tree struct {
		Stmts []struct {
			Stmt map[string]any `json:"stmt"`
		} `json:"stmts"`
	}
	if err := json.Unmarshal([]byte(text), &tree); err != nil {
		return nil, fmt.Errorf("reading the parse tree: %w", err)
	}
	nodes := make([]Node, len(tree.Stmts))
	for i, s := range tree.Stmts {
		nodes[i] = wrapped(s.Stmt)
	}
	return nodes, nil
}

// turn has one caller at a time: for each at once the parser would load the grammar anew,
// which takes seconds, and keep it.
var turn sync.Mutex //nolint:gochecknoglobals // the parser's instances are the process's, too

// try calls the parser, which panics where its memory or its stack ends.
func try(parse func(string) (string, error), sql string) (text string, err error) {
	turn.Lock()
	defer turn.Unlock()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the parser gave up: %v", r)
		}
	}()
	text, err = parse(sql)
	if at, ok := errors.AsType[*parser.Error](err); ok {
		return "", errors.New(at.Message)
	}
	return text, err
}

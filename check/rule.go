package check

import (
	"iter"
	"slices"
)

// Rule is something that is looked for in files.
type Rule struct {
	// Name of the rule: index-blocks-writes.
	Name string
	// Severity of its findings.
	Severity Severity
	// About says what it finds.
	About string
	// Reason says why that hurts, Cure what to do instead.
	Reason, Cure string
}

// rule is one with the function that looks.
type rule struct {
	Rule
	in   kinds
	look func(v *visit)
}

// kinds are the kinds of files that a rule looks at.
type kinds uint8

const (
	inSchema kinds = 1 << iota // schema.sql: the schema is new, and nobody uses it
	inUp                       // migrations: every schema has rows, and programs that use them
	inDown                     // ways back: for an hour when that does not matter
	inAll    = inSchema | inUp | inDown
)

// rules returns those that look at statements.
func rules() []rule {
	return slices.Concat(indexRules(), columnRules(), constraintRules(), lockRules(), typeRules(), reachRules(), functionRules(), programRules())
}

// Rules returns all that Run and Builds look for, in the order of the documentation.
func Rules() []Rule {
	var all []Rule
	for _, r := range rules() {
		all = append(all, r.Rule)
	}
	return slices.Concat(all, []Rule{hidesShared(), refused(), unparsed(), unknownRule(), unusedAllow()}, builtRules())
}

// ruleNames yields the names that a comment can allow. What New refuses, and what is wrong
// with such comments, cannot be allowed.
func ruleNames() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, r := range Rules() {
			if r.Name != refused().Name && r.Name != unknownRule().Name && r.Name != unusedAllow().Name && !yield(r.Name) {
				return
			}
		}
	}
}

func refused() Rule {
	return Rule{
		Name: "refused", Severity: Error,
		About:  "a file or a statement that cotenant refuses to run",
		Reason: "no schema gets this file, nor what stands behind it",
		Cure:   "as the message says; a comment does not allow it",
	}
}

func unparsed() Rule {
	return Rule{
		Name: "unparsed", Severity: Warning,
		About:  "a statement that the grammar of PostgreSQL 17 does not take",
		Reason: "nothing else can be said of it: it is wrong, or newer than the grammar",
		Cure:   "look at it yourself, and allow it if the server takes it",
	}
}

func unknownRule() Rule {
	return Rule{
		Name: "unknown-rule", Severity: Error,
		About:  "a comment that allows a rule that there is not, or that cannot be allowed",
		Reason: "it silences nothing, whatever it was meant for",
		Cure:   "correct the name, or remove the comment",
	}
}

func unusedAllow() Rule {
	return Rule{
		Name: "unused-allow", Severity: Warning,
		About:  "a comment that allows what there is not",
		Reason: "it would silence what comes there later, and nobody would look at that",
		Cure:   "remove the name from the comment, or move it to the statement that it is for",
	}
}

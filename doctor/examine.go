package doctor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cotenant/cotenant/internal/dberr"
)

// Examine looks at a database with tenants and returns what is broken there, and what will
// hurt. It changes nothing, takes no locks but those of reading, each for a moment, and
// reads no tables but the catalog's and cotenant's own. The number of queries does not depend on how many
// tenants there are, but for two checks: "history" asks once for each different
// history, and "sequence-near-end" once for each 500 sequences of integers.
//
// A check that fails is a finding, "could not be checked", and the others go on. The error
// is about the whole: the server does not answer, or the database is no tenancy.
func Examine(ctx context.Context, config *Config) (*Report, error) {
	report, err := examine(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("doctor: %w", err)
	}
	return report, nil
}

func examine(ctx context.Context, config *Config) (*Report, error) {
	begun := time.Now()
	c, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	e, err := open(ctx, &c)
	if err != nil {
		return nil, err
	}
	defer func() { e.close(ctx) }()
	report := &Report{Tenants: e.facts.tenants}
	for _, check := range checks() {
		if slices.Contains(c.Skip, check.name) {
			continue
		}
		findings, err := e.look(ctx, check)
		if err != nil && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err != nil {
			findings = append(findings, unchecked(err))
		}
		for i := range findings {
			findings[i].Check = check.name
		}
		report.Checks++
		report.Findings = append(report.Findings, findings...)
		if e.conn.IsClosed() { // the check, or an administrator, has cost it
			anew, err := open(ctx, &c)
			if err != nil {
				return nil, err
			}
			e = anew
		}
	}
	report.sort()
	report.Took = time.Since(begun)
	return report, nil
}

// unchecked is what is said of a check that failed.
func unchecked(err error) Finding {
	f := Finding{
		Severity: Warning,
		Message:  "it could not be checked: " + err.Error(),
		Reason:   "what the check would have found is not known",
		Cure:     "mend what the message says, and run it again",
	}
	if dberr.Code(err) == dberr.InsufficientPrivilege {
		f.Cure = "examine as a login that may read that, such as a superuser or a member of pg_monitor"
	}
	return f
}

package check

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/migrate"
)

// roles sees to it that no role is left that was not there before: those belong to all
// databases of a server, and do not go with the ones that are built.
type roles struct {
	scratch *scratch
	// migrator is the role that runs the files, as in production; configured is its name
	// there. It is the same role if that exists and is the login's to become, and else one
	// that is dropped in the end.
	migrator, configured string
	before               []string
	made                 []string // statements of the files that may make roles
}

var aboutRoles = regexp.MustCompile(`(?i)\bCREATE\s+(ROLE|USER|GROUP)\b`)

// newRoles looks at the roles that there are.
func newRoles(ctx context.Context, s *scratch, configured string, files []migrate.SourceFile) (*roles, error) {
	r := &roles{scratch: s, migrator: configured, configured: configured}
	var may bool
	err := s.pool.QueryRow(ctx, `SELECT coalesce((SELECT CASE WHEN pg_catalog.current_setting('server_version_num')::integer >= 160000
			THEN pg_catalog.pg_has_role(r.oid, 'SET') AND pg_catalog.pg_has_role(r.oid, 'USAGE') ELSE pg_catalog.pg_has_role(r.oid, 'USAGE') END
		FROM pg_catalog.pg_roles AS r WHERE r.rolname = $1), false)`, configured).Scan(&may)
	if err == nil {
		r.before, err = s.roleNames(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("look at the roles: %w", err)
	}
	if !may {
		r.migrator = s.stem + "_role"
	}
	for _, f := range files {
		for _, stmt := range f.Statements {
			if aboutRoles.MatchString(stmt.SQL) {
				r.made = append(r.made, stmt.SQL)
			}
		}
	}
	return r, nil
}

func (s *scratch) roleNames(ctx context.Context) ([]string, error) {
	rows, err := s.pool.Query(ctx, "SELECT rolname::text FROM pg_catalog.pg_roles")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// close drops the roles that are new and that the files, or the engine, have made: others
// are somebody else's. The databases must be gone. It does so also where ctx has ended.
func (r *roles) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	now, err := r.scratch.roleNames(ctx)
	if err != nil {
		return fmt.Errorf("look at the roles: %w", err)
	}
	var errs []error
	for _, name := range now {
		if slices.Contains(r.before, name) || name != r.migrator && !r.makes(name) {
			continue
		}
		if _, err := r.scratch.pool.Exec(ctx, "DROP ROLE IF EXISTS "+pgx.Identifier{name}.Sanitize(), pgx.QueryExecModeSimpleProtocol); err != nil {
			errs = append(errs, fmt.Errorf("role %q is left: %w (DROP ROLE)", name, err))
		}
	}
	return errors.Join(errs...)
}

// makes reports whether a statement that makes roles names this one.
func (r *roles) makes(name string) bool {
	word := regexp.MustCompile(`(?i)(^|[^a-z0-9_])` + regexp.QuoteMeta(name) + `([^a-z0-9_]|$)`)
	return slices.ContainsFunc(r.made, word.MatchString)
}

// configuredName puts the migrator role's own name in place of that of the one made for this.
func (r *roles) configuredName(text string) string {
	return strings.ReplaceAll(text, r.migrator, r.configured)
}

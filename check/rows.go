package check

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// compareRows compares the rows that schema.sql and the migrations make, and what the
// sequences have come to. Memory does not grow with the rows.
func (b *builder) compareRows(ctx context.Context, a, m *side) ([]Finding, error) {
	shared, err := a.sharedSchemas(ctx)
	if err != nil {
		return nil, err
	}
	shared = slices.DeleteFunc(shared, func(schema string) bool { return schema == "cotenant" })
	r := &rowComparison{builder: b, a: a, m: m}
	for _, s := range []*side{a, m} {
		if err := s.seeAllRows(ctx); err != nil {
			return nil, fmt.Errorf("compare rows: %w", err)
		}
	}
	tables, err := b.commonTables(ctx, a, m, b.shared, a.public, m.public, shared)
	if err != nil {
		return nil, err
	}
	if len(b.tenants) > 0 {
		more, err := b.commonTables(ctx, a, m, b.tenants, a.tenant, m.tenant, []string{scratchTenant})
		if err != nil {
			return nil, err
		}
		tables = append(tables, more...)
	}
	if err := r.tables(ctx, tables); err != nil {
		return nil, fmt.Errorf("compare rows: %w", err)
	}
	if err := r.sequences(ctx, append(shared, scratchTenant), tables); err != nil {
		return nil, fmt.Errorf("compare sequences: %w", err)
	}
	return r.findings, nil
}

// seeAllRows takes from the tables what would hide rows from their owner.
func (s *side) seeAllRows(ctx context.Context) error {
	_, err := s.reader.Exec(ctx, `DO $$ DECLARE t regclass; BEGIN
		FOR t IN SELECT c.oid FROM pg_catalog.pg_class AS c WHERE c.relforcerowsecurity LOOP
			EXECUTE 'ALTER TABLE ' || t || ' NO FORCE ROW LEVEL SECURITY';
		END LOOP;
	END $$`)
	return err
}

// rowComparison compares the rows of two sides.
type rowComparison struct {
	*builder
	a, m     *side
	findings []Finding
}

// tables compares the rows of all tables.
func (r *rowComparison) tables(ctx context.Context, tables []*rowTable) error {
	inA, err := r.a.digests(ctx, tables)
	if err != nil {
		return err
	}
	inM, err := r.m.digests(ctx, tables)
	if err != nil {
		return err
	}
	var differ []*rowTable
	for i, t := range tables {
		if inA[i] != inM[i] {
			differ = append(differ, t)
		}
	}
	if len(differ) == 0 {
		return nil
	}
	volatile, err := r.volatile(ctx, differ)
	if err != nil {
		return err
	}
	for _, t := range differ {
		t.columns = slices.DeleteFunc(t.columns, func(c rowColumn) bool { return volatile[t][c.name] })
		if err := r.table(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// volatile finds the columns whose values are of the moment, such as now() and random
// UUIDs, and those that refer to them: each side is built a second time, and what is not
// the same there cannot be compared with the other side.
func (r *rowComparison) volatile(ctx context.Context, tables []*rowTable) (map[*rowTable]map[string]bool, error) {
	ways := []*side{r.a, r.m}
	found := make([]map[*rowTable]map[string]bool, len(ways))
	g, gctx := r.group(ctx)
	for i, s := range ways {
		g.Go(func() error {
			again, err := r.newBuild(gctx, fmt.Sprintf("again%d", i), s.way)
			if err != nil {
				return err
			}
			if err := again.seeAllRows(gctx); err != nil {
				return err
			}
			found[i] = map[*rowTable]map[string]bool{}
			for _, t := range tables {
				first, err := s.columnDigests(gctx, t)
				if err != nil {
					return err
				}
				second, err := again.columnDigests(gctx, t)
				if err != nil {
					return err
				}
				found[i][t] = map[string]bool{}
				for j, c := range t.columns {
					found[i][t][c.name] = first[j] != second[j]
				}
			}
			return again.close(ctx)
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for t, columns := range found[1] {
		maps.DeleteFunc(columns, func(_ string, v bool) bool { return !v })
		maps.Copy(found[0][t], columns)
	}
	return found[0], nil
}

// table compares the rows of a table by the columns that can be compared.
func (r *rowComparison) table(ctx context.Context, t *rowTable) error {
	same, err := r.same(ctx, t)
	if same || err != nil {
		return err
	}
	all := t.columns
	t.columns = slices.DeleteFunc(slices.Clone(all), func(c rowColumn) bool { return c.numbered })
	if len(t.columns) < len(all) {
		if same, err = r.same(ctx, t); err != nil {
			return err
		}
		if same {
			r.findings = append(r.findings, t.app.finding(rowsNumbered(),
				"table "+t.quoted()+": its rows are the same by schema.sql and by the migrations, but for the numbers that they get from sequences", t.quoted()))
			return nil
		}
	}
	if len(t.columns) == 0 {
		t.columns = all
	}
	onlyA, onlyM, err := r.examples(ctx, t)
	if err != nil {
		return err
	}
	both := slices.DeleteFunc([]string{only("schema.sql makes", onlyA), only("the migrations make", onlyM)}, func(s string) bool { return s == "" })
	r.findings = append(r.findings, t.app.finding(rowsDiffer(), "table "+t.quoted()+": "+strings.Join(both, "; "), t.quoted()))
	return nil
}

func only(who string, rows []string) string {
	if len(rows) == 0 {
		return ""
	}
	return "only " + who + " " + strings.Join(rows, ", ")
}

func (r *rowComparison) same(ctx context.Context, t *rowTable) (bool, error) {
	inA, err := r.a.digests(ctx, []*rowTable{t})
	if err != nil {
		return false, err
	}
	inM, err := r.m.digests(ctx, []*rowTable{t})
	return err == nil && inA[0] == inM[0], err
}

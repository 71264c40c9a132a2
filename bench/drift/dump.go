package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os/exec"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
)

// dumpAndCompare dumps as many schemas as sample says, the last of n among them, and
// looks that this is the one that differs.
func (b *bench) dumpAndCompare(ctx context.Context, n, sample int) error {
	var mu sync.Mutex
	texts := map[[sha256.Size]byte][]int{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(b.jobs)
	for i := n - sample; i < n; i++ {
		group.Go(func() error {
			name := schemaName(i).String()
			cmd := exec.CommandContext(ctx, b.dump, "--schema-only", "--schema="+name, "--dbname="+b.url)
			output, err := cmd.Output()
			if err != nil {
				return fmt.Errorf("%s: %w", cmd, err)
			}
			var text strings.Builder
			for line := range strings.Lines(strings.ReplaceAll(string(output), name, "tenant")) {
				if !strings.HasPrefix(line, `\`) { // newer ones have a random word in \restrict
					text.WriteString(line)
				}
			}
			sum := sha256.Sum256([]byte(text.String()))
			mu.Lock()
			defer mu.Unlock()
			texts[sum] = append(texts[sum], i)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, schemas := range texts {
		if len(texts) == 2 && len(schemas) == 1 && (schemas[0] == n-1 || sample == 2) {
			return nil
		}
	}
	return fmt.Errorf("pg_dump finds %d kinds of schemas, want the last one apart from the others", len(texts))
}

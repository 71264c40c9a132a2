package auth

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"

	"github.com/alexedwards/argon2id"
	"github.com/jackc/pgx/v5"

	"github.com/cotenant/cotenant/tenant"
)

// hashKind is what a hash costs: the first part of it, up to the salt. Of a hash that is
// never computed it is the zero value.
type hashKind struct {
	iterations     int // of PBKDF2
	memory, passes uint32
	threads        uint8 // of Argon2id
}

// kindOf returns the kind of a hash, or of its first part.
func kindOf(encoded string) (k hashKind) {
	if rest, is := strings.CutPrefix(encoded, "pbkdf2_sha256$"); is {
		count, _, _ := strings.Cut(rest, "$")
		if n, err := strconv.Atoi(count); err == nil && n >= 1 && n <= maxIterations {
			k.iterations = n
		}
		return k
	}
	fields := strings.Split(strings.TrimPrefix(encoded, "argon2"), "$")
	if len(fields) < 4 || fields[0] != "" || fields[1] != "argon2id" || fields[2] != "v=19" {
		return k
	}
	var a hashKind
	n, err := fmt.Sscanf(fields[3], "m=%d,t=%d,p=%d", &a.memory, &a.passes, &a.threads)
	if err != nil || n != 3 || a.memory > maxMemory || a.passes < 1 || uint64(a.memory)*uint64(a.passes) > maxPasses || a.threads < 1 {
		return k
	}
	return a
}

func kindOfParams(p *argon2id.Params) hashKind {
	return hashKind{memory: p.Memory, passes: p.Iterations, threads: p.Parallelism}
}

// kindOfRow is the expression that app/migrations/0003_hash_kinds.sql has an index on.
const kindOfRow = "substring(password FROM '^(pbkdf2_sha256[$][0-9]+|(?:argon2)?[$]argon2id[$]v=[0-9]+[$]m=[0-9]+,t=[0-9]+,p=[0-9]+)[$]')"

// kinds returns the kinds of hashes that the users in the schemas have: a look at the index
// for each kind, however many users there are.
func (a *Auth) kinds(ctx context.Context, schemas []tenant.Schema) ([]hashKind, error) {
	var kinds []hashKind
	for _, schema := range schemas {
		users := table(schema, "auth_user")
		next := "SELECT " + kindOfRow + " AS kind FROM " + users + " WHERE " + kindOfRow
		rows, err := a.db.Query(ctx, "WITH RECURSIVE kinds AS ((SELECT kind FROM ("+next+" IS NOT NULL ORDER BY 1 LIMIT 1) AS first) UNION ALL SELECT (SELECT kind FROM ("+
			next+" > kinds.kind ORDER BY 1 LIMIT 1) AS next) FROM kinds WHERE kinds.kind IS NOT NULL) SELECT kind FROM kinds WHERE kind IS NOT NULL")
		if err != nil {
			return nil, missing(schema, err)
		}
		texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return nil, missing(schema, err)
		}
		for _, text := range texts {
			kinds = append(kinds, kindOf(text))
		}
	}
	return kinds, nil
}

// even computes what is left to compute for an attempt that failed, after a hash of the kind
// done: as many iterations of PBKDF2 as the dearest of the kinds has, and a hash of each
// kind of Argon2id. Then all have taken the same.
func (h *hasher) even(ctx context.Context, password string, kinds []hashKind, done hashKind) error {
	if err := h.slots.Acquire(ctx, 1); err != nil {
		return err
	}
	defer h.slots.Release(1)
	most := 0
	paid := map[hashKind]bool{{}: true, kindOfParams(h.params): true, done: true}
	for _, k := range kinds {
		most = max(most, k.iterations)
		if k.iterations > 0 || paid[k] {
			continue
		}
		paid[k] = true
		h.old.Add(k.cost())
		if _, err := argon2id.CreateHash(password, &argon2id.Params{Memory: k.memory, Iterations: k.passes, Parallelism: k.threads, SaltLength: 16, KeyLength: 32}); err != nil {
			return err
		}
	}
	if rest := most - done.iterations; rest > 0 {
		h.iterations.Add(int64(rest))
		_, err := pbkdf2.Key(sha256.New, password, make([]byte, 16), rest, sha256.Size)
		return err
	}
	return nil
}

// cost is how many KiB are gone over.
func (k hashKind) cost() int64 { return int64(k.memory) * int64(k.passes) }

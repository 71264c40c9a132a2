package auth

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"
	"sync/atomic"

	"github.com/alexedwards/argon2id"
	"golang.org/x/sync/semaphore"
)

// maxMemory bounds what a hash in the database can have us take, in KiB.
const maxMemory = 1 << 20

// maxPasses bounds it for time: KiB that are gone over. Django's have 204,800.
const maxPasses = 4 << 20

// maxIterations does the same for PBKDF2, of which Django 6 has 1,200,000.
const maxIterations = 10_000_000

// hasher computes hashes, a few at a time.
type hasher struct {
	params *argon2id.Params
	slots  *semaphore.Weighted
	// What was computed: hashes with params, KiB of others with Argon2id, and
	// iterations of PBKDF2.
	computed, old, iterations atomic.Int64
}

func newHasher(c *Config) *hasher {
	return &hasher{params: c.Argon2id, slots: semaphore.NewWeighted(int64(c.MaxHashes))}
}

// hash returns the PHC string of a password.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	if err := h.slots.Acquire(ctx, 1); err != nil {
		return "", err
	}
	defer h.slots.Release(1)
	return h.compute(password)
}

func (h *hasher) compute(password string) (string, error) {
	h.computed.Add(1)
	return argon2id.CreateHash(normal(password), h.params)
}

// verify reports whether a password is that of the hash encoded. A hash that was not made
// with the current parameters comes back anew if the password is right; else fresh is
// empty. Whatever encoded is, also empty, one hash with the current parameters is computed;
// done is what was computed besides.
func (h *hasher) verify(ctx context.Context, password, encoded string) (match bool, fresh string, done hashKind, err error) {
	if err := h.slots.Acquire(ctx, 1); err != nil {
		return false, "", done, err
	}
	defer h.slots.Release(1)
	if h.isCurrent(encoded) {
		h.computed.Add(1)
		match, err = argon2id.ComparePasswordAndHash(normal(password), encoded)
		return match && err == nil, "", done, nil
	}
	match, done = h.matchesOld(password, encoded)
	if !match && done == kindOfParams(h.params) { // it has another salt or key, at the same cost
		return false, "", hashKind{}, nil
	}
	if fresh, err = h.compute(password); err != nil || !match {
		fresh = ""
	}
	return match, fresh, done, err
}

// isCurrent reports whether encoded was made with the current parameters.
func (h *hasher) isCurrent(encoded string) bool {
	params, _, _, err := argon2id.DecodeHash(encoded)
	return err == nil && *params == *h.params
}

// matchesOld compares with a hash that is not ours, or of other parameters. One that nobody
// can match, and one in a form that is not known, never matches, and none is computed.
func (h *hasher) matchesOld(password, encoded string) (match bool, done hashKind) {
	kind := kindOf(encoded)
	switch {
	case kind.iterations > 0:
		return h.matchesPBKDF2(password, encoded, kind)
	case kind.passes == 0:
		return false, done
	}
	typed := normal(password)
	if django, is := strings.CutPrefix(encoded, "argon2$"); is {
		encoded, typed = "$"+django, password
	}
	params, _, _, err := argon2id.DecodeHash(encoded)
	if err != nil || kindOfParams(params) != kind || params.KeyLength < 16 {
		return false, done
	}
	if kind == kindOfParams(h.params) {
		h.computed.Add(1)
	} else {
		h.old.Add(kind.cost())
	}
	match, err = argon2id.ComparePasswordAndHash(typed, encoded)
	return match && err == nil, kind
}

// matchesPBKDF2 compares with Django's pbkdf2_sha256$iterations$salt$key.
func (h *hasher) matchesPBKDF2(password, encoded string, kind hashKind) (match bool, done hashKind) {
	parts := strings.Split(encoded, "$")
	if len(parts) != 4 {
		return false, done
	}
	want, err := base64.StdEncoding.DecodeString(parts[3])
	if err != nil || len(want) != sha256.Size {
		return false, done
	}
	h.iterations.Add(int64(kind.iterations))
	got, err := pbkdf2.Key(sha256.New, password, []byte(parts[2]), kind.iterations, sha256.Size)
	return err == nil && subtle.ConstantTimeCompare(got, want) == 1, kind
}

package auth

import (
	"context"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strconv"
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
	params   *argon2id.Params
	slots    *semaphore.Weighted
	computed atomic.Int64 // with params
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
// empty. Whatever encoded is, also empty, one hash with the current parameters is computed.
func (h *hasher) verify(ctx context.Context, password, encoded string) (match bool, fresh string, err error) {
	if err := h.slots.Acquire(ctx, 1); err != nil {
		return false, "", err
	}
	defer h.slots.Release(1)
	if h.isCurrent(encoded) {
		h.computed.Add(1)
		match, err = argon2id.ComparePasswordAndHash(normal(password), encoded)
		return match && err == nil, "", nil
	}
	match = matchesOld(password, encoded)
	if fresh, err = h.compute(password); err != nil || !match {
		fresh = ""
	}
	return match, fresh, err
}

// isCurrent reports whether encoded was made with the current parameters.
func (h *hasher) isCurrent(encoded string) bool {
	params, _, _, err := argon2id.DecodeHash(encoded)
	return err == nil && *params == *h.params
}

// matchesOld compares with a hash that is not ours, or of other parameters. One that nobody
// can match, and one in a form that is not known, never matches.
func matchesOld(password, encoded string) bool {
	switch {
	case strings.HasPrefix(encoded, "$argon2id$"):
		return matchesArgon2id(normal(password), encoded)
	case strings.HasPrefix(encoded, "argon2$argon2id$"): // Django's
		return matchesArgon2id(password, strings.TrimPrefix(encoded, "argon2"))
	case strings.HasPrefix(encoded, "pbkdf2_sha256$"):
		match, err := matchesPBKDF2(password, encoded)
		return match && err == nil
	}
	return false
}

func matchesArgon2id(password, encoded string) bool {
	params, _, _, err := argon2id.DecodeHash(encoded)
	if err != nil || params.Memory > maxMemory || params.Iterations < 1 || uint64(params.Memory)*uint64(params.Iterations) > maxPasses || params.Parallelism < 1 || params.KeyLength < 16 {
		return false
	}
	match, err := argon2id.ComparePasswordAndHash(password, encoded)
	return match && err == nil
}

var errForm = errors.New("it is no hash of Django")

// matchesPBKDF2 compares with Django's pbkdf2_sha256$iterations$salt$key.
func matchesPBKDF2(password, encoded string) (bool, error) {
	parts := strings.Split(encoded, "$")
	if len(parts) != 4 {
		return false, errForm
	}
	iterations, err := strconv.Atoi(parts[1])
	if err != nil || iterations < 1 || iterations > maxIterations {
		return false, errForm
	}
	want, err := base64.StdEncoding.DecodeString(parts[3])
	if err != nil || len(want) != sha256.Size {
		return false, errForm
	}
	got, err := pbkdf2.Key(sha256.New, password, []byte(parts[2]), iterations, sha256.Size)
	return subtle.ConstantTimeCompare(got, want) == 1, err
}

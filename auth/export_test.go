package auth

// Computed is how many hashes with the current parameters were computed.
func (a *Auth) Computed() int64 { return a.hasher.computed.Load() }

// ComputedOld is what was computed of other hashes: KiB by Argon2id, and iterations of PBKDF2.
func (a *Auth) ComputedOld() [2]int64 {
	return [2]int64{a.hasher.old.Load(), a.hasher.iterations.Load()}
}

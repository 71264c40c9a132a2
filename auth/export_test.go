package auth

// Computed is how many hashes with the current parameters were computed.
func (a *Auth) Computed() int64 { return a.hasher.computed.Load() }

package registry

// Forget does what a notification with the payload does.
func (r *Registry) Forget(payload string) { r.cache.forget(payload) }

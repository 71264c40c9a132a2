package check

// ParseAllow is for the fuzzer.
func ParseAllow(text string) []string { return parseAllow(text) }

// Package report is what the benchmarks share: turns of ways beside each other, and the
// tables that come of them.
package report

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Machine says in words what was measured on; postgres is the version of the server, and fast
// says that it does not wait for the disk.
func Machine(postgres string, fast bool) string {
	words := fmt.Sprintf("%d cores", runtime.NumCPU())
	if model := field("/proc/cpuinfo", "model name"); model != "" {
		words += " of " + model
	}
	var kilobytes float64
	if _, err := fmt.Sscan(field("/proc/meminfo", "MemTotal"), &kilobytes); err == nil {
		words += fmt.Sprintf(", %.0f GB of memory", kilobytes/(1<<20))
	}
	system := runtime.GOOS
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		system += " " + strings.TrimSpace(string(release))
	}
	settings := "its ordinary settings (fsync on)"
	if fast {
		settings = "fsync off"
	}
	return fmt.Sprintf("Measured on %s, %s/%s; PostgreSQL %s with %s, on the same machine over TCP; %s.",
		words, system, runtime.GOARCH, postgres, settings, runtime.Version())
}

// field returns what stands behind the first "name:" in a file of /proc, or "".
func field(file, name string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

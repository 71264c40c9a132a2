//go:build unix && !linux

package manage

import "syscall"

// withUs does nothing: who kills this process with SIGKILL has its programs to end.
func withUs(*syscall.SysProcAttr) {}

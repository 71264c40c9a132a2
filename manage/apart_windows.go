package manage

import (
	"os/exec"
	"syscall"
)

// apart has a program that has not begun run in a group of its own: Ctrl-C at the terminal is
// not for it. When its context ends, it is killed. End is called when it has ended.
func apart(program *exec.Cmd) (end func()) {
	program.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
	program.Cancel = func() error { return program.Process.Kill() }
	return func() {}
}

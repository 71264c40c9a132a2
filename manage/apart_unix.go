//go:build unix

package manage

import (
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// apart has a program that has not begun run in a session of its own, and so in a group of
// its own: Ctrl-C at the terminal is not for it. When its context ends, all of the group are
// interrupted, and killed after the grace, or at one more signal, or when the program itself
// has ended. One that would ask something at the terminal fails, where in a mere group it
// would be stopped for good. The program must begin on the same goroutine, and end be called
// when it has ended.
func apart(program *exec.Cmd) (end func()) {
	program.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	withUs(program.SysProcAttr)
	runtime.LockOSThread() // the system looks at the thread that began it, which would end before us
	var work sync.WaitGroup
	var group int // once it is interrupted
	ended := make(chan struct{})
	program.Cancel = func() error {
		more := make(chan os.Signal, 1)
		signal.Notify(more, os.Interrupt, syscall.SIGTERM)
		group = program.Process.Pid
		work.Go(func() {
			defer signal.Stop(more)
			grace := time.NewTimer(programGrace)
			defer grace.Stop()
			select {
			case <-more:
			case <-grace.C:
			case <-ended:
			}
			_ = syscall.Kill(-group, syscall.SIGKILL)
		})
		return syscall.Kill(-group, syscall.SIGINT)
	}
	return func() {
		close(ended)
		work.Wait()
		runtime.UnlockOSThread()
	}
}

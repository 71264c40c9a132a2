package manage

import "syscall"

// withUs has the system end a program when this process ends, even by SIGKILL.
func withUs(attributes *syscall.SysProcAttr) { attributes.Pdeathsig = syscall.SIGTERM }

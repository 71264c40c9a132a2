package manage

import (
	"os"

	"golang.org/x/sys/unix"
)

// available returns how many bytes a pipe or a socket has to read now (ioctl_tty(2), pipe(7),
// unix(7): FIONREAD, which is TIOCINQ).
func available(file *os.File, _ os.FileInfo) (n int64) {
	raw, err := file.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Control(func(fd uintptr) {
		if bytes, err := unix.IoctlGetInt(int(fd), unix.TIOCINQ); err == nil {
			n = int64(bytes)
		}
	})
	return n
}

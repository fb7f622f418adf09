//go:build unix && !aix && !solaris && !illumos

package privatefile

import (
	"errors"
	"syscall"
)

// readOnly reports whether a directory is on a file system that is mounted read-only.
func readOnly(dir string) bool {
	const write = 2 // W_OK
	return errors.Is(syscall.Access(dir, write), syscall.EROFS)
}

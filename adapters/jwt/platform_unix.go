//go:build unix && !aix && !solaris && !illumos

package jwt

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// ours reports whether a file belongs to the user of this process, as far as can be told.
func ours(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return !ok || int64(st.Uid) == int64(os.Geteuid())
}

// readOnly reports whether a folder lies where nobody at all can write.
func readOnly(name string) bool {
	const write = 2 // W_OK
	return errors.Is(syscall.Access(name, write), syscall.EROFS)
}

// handOver gives a file or folder that root made to the owner of the folder around it: the service, which must be able to
// read the keys that an administrator makes with sudo.
func handOver(f *os.File) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(filepath.Dir(f.Name()))
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || st.Uid == 0 {
		return nil
	}
	return f.Chown(int(st.Uid), int(st.Gid))
}

// lockFile waits for its turn with others that lock the file. The system takes the lock back from whoever
// ends, however that is.
func lockFile(f *os.File) error {
	for {
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

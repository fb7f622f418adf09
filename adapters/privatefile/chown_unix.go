//go:build unix

package privatefile

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// ownAsDir gives a file or directory that root has just made to the owner of its parent directory. It sets the owner of
// the open file, since the owner of the directory may have put another file in its place by now.
func ownAsDir(f *os.File) error {
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

// ownDirAsParent is ownAsDir for a directory. It follows no symbolic link.
func ownDirAsParent(dir string) error {
	d, err := os.OpenFile(dir, os.O_RDONLY|syscall.O_NOFOLLOW, 0) //nolint:gosec // the operator names it
	if err != nil {
		return err
	}
	return errors.Join(ownAsDir(d), d.Close())
}

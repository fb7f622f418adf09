//go:build unix

package privatefile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// hasModes reports whether permission bits decide which users may read a file.
const hasModes = true

// ours reports whether a file belongs to the user of this process. It does where the owner is unknown.
func ours(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return !ok || int64(st.Uid) == int64(os.Geteuid())
}

// ownAsDir gives a file or directory that root has just made to the owner of the directory it lies in.
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

// ownDirAsParent is ownAsDir for a directory. It follows no symbolic link: the owner of the parent may have
// put one in its place by now.
func ownDirAsParent(dir string) error {
	d, err := os.OpenFile(dir, os.O_RDONLY|syscall.O_NOFOLLOW, 0) //nolint:gosec // the operator names it
	if err != nil {
		return err
	}
	return errors.Join(ownAsDir(d), d.Close())
}

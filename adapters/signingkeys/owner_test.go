//go:build unix && !aix && !solaris && !illumos

package signingkeys

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"go.uber.org/zap"
)

const otherUser = 65534

// asRoot skips the test unless it can change the owner of files.
func asRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to have files of another user")
	}
}

// Files that root creates in a directory of the service's user belong to this user.
func TestRootHandsKeysOver(t *testing.T) {
	asRoot(t)
	o := operate(t)
	if err := os.Chown(filepath.Dir(o.dir), otherUser, otherUser); err != nil {
		t.Fatal(err)
	}
	rotated(t, o.Keyring, "")
	rotated(t, o.Keyring, "")
	files := 0
	err := filepath.WalkDir(o.dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if st := info.Sys().(*syscall.Stat_t); st.Uid != otherUser || st.Gid != otherUser {
			t.Errorf("%s belongs to %d:%d", d.Name(), st.Uid, st.Gid)
		}
		files++
		return nil
	})
	if err != nil || files != 3 { // the directory, the keys, the lock
		t.Errorf("%d files, %v", files, err)
	}
}

// The group may read keys of another user, and not write them.
func TestKeysOfAnotherUser(t *testing.T) {
	asRoot(t)
	for mode, taken := range map[uint32]bool{0o400: true, 0o440: true, 0o640: true, 0o460: false, 0o444: false, 0o442: false} {
		dir := filepath.Join(t.TempDir(), "keys")
		open(t, dir)
		name := filepath.Join(dir, FileName)
		if err := os.Chmod(name, os.FileMode(mode)); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(name, otherUser, otherUser); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir, ES256, zap.NewNop()); (err == nil) != taken {
			t.Errorf("mode %04o: %v", mode, err)
		}
	}
}

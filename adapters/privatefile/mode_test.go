//go:build unix

package privatefile

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

const otherUser = 65534

// The error of a mode that lets another user read or change a file has the right mode.
func TestModes(t *testing.T) {
	const fine = ""
	for _, c := range []struct {
		mode                fs.FileMode
		dir, foreign        bool // foreign: another user owns it
		exposed, changeable string
	}{
		{mode: 0o600, exposed: fine},
		{mode: 0o400, exposed: fine},
		{mode: 0o640, exposed: "mode 0640 lets its group read it; make it 0600"},
		{mode: 0o604, exposed: "mode 0604 lets every user read it; make it 0600"},
		{mode: 0o444, exposed: "mode 0444 lets every user read it; make it 0600"},
		{mode: 0o620, exposed: "mode 0620 lets its group change it; make it 0600", changeable: "mode 0620 lets its group change it; make it 0600"},
		{mode: 0o646, exposed: "mode 0646 lets every user change it; make it 0600", changeable: "mode 0646 lets every user change it; make it 0600"},
		{mode: 0o664, exposed: "mode 0664 lets every user change it; make it 0600", changeable: "mode 0664 lets its group change it; make it 0600"},
		{mode: 0o700, dir: true, exposed: fine},
		{mode: 0o711, dir: true, exposed: fine},
		{mode: 0o755, dir: true, exposed: "mode 0755 lets every user list it; make it 0700"},
		{mode: 0o770, dir: true, exposed: "mode 0770 lets its group change it; make it 0700", changeable: "mode 0770 lets its group change it; make it 0700"},
		{mode: 0o440, foreign: true, exposed: fine},
		{mode: 0o640, foreign: true, exposed: fine},
		{mode: 0o644, foreign: true, exposed: "mode 0644 lets every user read it; make it 0600"},
		{mode: 0o460, foreign: true, exposed: "mode 0460 lets its group change it; make it 0600", changeable: "mode 0460 lets its group change it; make it 0600"},
		{mode: 0o750, dir: true, foreign: true, exposed: fine},
	} {
		if c.foreign && os.Geteuid() != 0 {
			continue // only root can change the owner of a file
		}
		name := filepath.Join(t.TempDir(), "it")
		err := os.WriteFile(name, nil, 0o600)
		if c.dir {
			name += ".d"
			err = os.Mkdir(name, 0o700)
		}
		if err == nil && c.foreign {
			err = os.Chown(name, otherUser, otherUser)
		}
		if err == nil {
			err = os.Chmod(name, c.mode)
		}
		info, statErr := os.Stat(name)
		if err != nil || statErr != nil {
			t.Fatal(err, statErr)
		}
		if got := Exposed(info); got != c.exposed {
			t.Errorf("mode %04o, foreign %v: Exposed: %q, want %q", c.mode, c.foreign, got, c.exposed)
		}
		if got := Changeable(info); got != c.changeable {
			t.Errorf("mode %04o, foreign %v: Changeable: %q, want %q", c.mode, c.foreign, got, c.changeable)
		}
	}
}

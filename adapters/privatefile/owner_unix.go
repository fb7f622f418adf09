//go:build unix

package privatefile

import (
	"io/fs"
	"os"
	"syscall"
)

// hasModes reports whether permission bits decide which users may read a file.
const hasModes = true

// ownedByProcess reports whether a file belongs to the user of this process, or to an unknown one.
func ownedByProcess(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return !ok || int64(st.Uid) == int64(os.Geteuid())
}

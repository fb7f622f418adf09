//go:build unix

package config

import (
	"io/fs"
	"os"
	"syscall"
)

// hasModes tells that permission bits mean something here.
const hasModes = true

// ours reports whether a file belongs to the service's own user, as far as can be told.
func ours(info fs.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return !ok || int64(st.Uid) == int64(os.Geteuid())
}

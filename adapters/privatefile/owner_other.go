//go:build !unix

package privatefile

import (
	"io/fs"
	"os"
)

// hasModes reports whether permission bits decide which users may read a file.
const hasModes = false

// ours is unknown here.
func ours(fs.FileInfo) bool { return true }

// ownAsDir does nothing: files have no owner to set here.
func ownAsDir(*os.File) error { return nil }

// ownDirAsParent does nothing: directories have no owner to set here.
func ownDirAsParent(string) error { return nil }

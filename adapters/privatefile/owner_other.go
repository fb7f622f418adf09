//go:build !unix

package privatefile

import "io/fs"

// hasModes reports whether permission bits decide which users may read a file.
const hasModes = false

// ownedByProcess returns true: the owner is unknown.
func ownedByProcess(fs.FileInfo) bool { return true }

//go:build !unix

package privatefile

import "io/fs"

// hasModes reports whether permission bits decide which users may read a file.
const hasModes = false

// ours is unknown here.
func ours(fs.FileInfo) bool { return true }

//go:build unix

package sqlite

import "syscall"

// writable fails when this process may not write the file or directory at path.
func writable(path string) error {
	const write = 2 // W_OK of access(2), which also looks whether the file system can be written
	return syscall.Access(path, write)
}

//go:build !linux

package password

// yieldThread does nothing: only Linux has priorities of single threads.
func yieldThread() {}

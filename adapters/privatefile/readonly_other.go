//go:build !unix || aix || solaris || illumos

package privatefile

// readOnly is unknown here.
func readOnly(string) bool { return false }

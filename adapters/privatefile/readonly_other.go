//go:build !unix || aix || solaris || illumos

package privatefile

// readOnly returns false: it is unknown.
func readOnly(string) bool { return false }

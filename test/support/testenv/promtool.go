package testenv

import (
	"os/exec"
	"testing"
)

// Promtool returns a command of promtool, Prometheus's own checker. The test is skipped where it is not installed, since
// not every machine can have it.
func Promtool(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("NOT TESTED: promtool is not installed (Debian package: prometheus)")
	}
	return exec.Command(path, args...)
}

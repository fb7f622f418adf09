package e2e

import (
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"roster/test/support/process"
)

var adminAddress = regexp.MustCompile(`"admin":"http://([^"]+)"`)

// roster health succeeds exactly while the service is ready, by its settings or by a URL.
func TestHealthCommand(t *testing.T) {
	s := process.Start(t, map[string]string{"ROSTER_ADMIN_LISTEN": "127.0.0.1:0", "ROSTER_SHUTDOWN_DELAY": "1h"})
	_, port, _ := strings.Cut(s.Process().Address, ":")
	health := func(what string, want int, args ...string) {
		t.Helper()
		out, stderr, code := s.CLI(append([]string{"health"}, args...)...)
		if code != want || (code == 0) != (out == "ready\n") {
			t.Errorf("%s: exit code %d, want %d\n%s%s", what, code, want, out, stderr)
		}
	}
	admin := adminAddress.FindStringSubmatch(s.Logs())
	if admin == nil {
		t.Fatal("the log names no admin listener")
	}
	health("the port that the service chose", 1)
	health("a URL", 0, "--url", s.URL)
	health("a URL with a slash", 0, "--url", s.URL+"/")
	health("the admin listener", 0, "--admin-listen", admin[1])
	health("the API", 0, "--admin-listen", "off", "--listen", s.Process().Address)
	health("the API on every address", 0, "--admin-listen", "off", "--listen", "0.0.0.0:"+port)
	health("no service", 1, "--url", "http://127.0.0.1:1")
	health("another path", 1, "--url", s.URL+"/api")
	health("no URL", 1, "--url", "::")

	if err := s.Process().Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.AwaitLog(`"stopping"`)
	for { // the log line comes just before
		if _, _, code := s.CLI("health", "--url", s.URL); code == 1 {
			break
		}
	}
	call(s, t, "GET", "/livez").want(200) // it is draining, not gone
	health("the admin listener of a service that stops", 1, "--admin-listen", admin[1])
	s.Kill()
}

// Over TLS the instance of the settings is asked at its address, which its certificate need not name; a URL is verified.
func TestHealthCommandOverTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certify(t, cert, key)
	s := process.Start(t, map[string]string{"ROSTER_TLS_CERT": cert, "ROSTER_TLS_KEY": key})
	s.MustCLI("health", "--listen", s.Process().Address, "--admin-listen", "off")
	if _, stderr, code := s.CLI("health", "--url", "https://"+s.Process().Address); code != 1 || !strings.Contains(stderr, "certificate") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

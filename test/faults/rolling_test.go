package faults

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"roster/test/support/process"
	"roster/test/support/testenv"
)

// balanced is three instances behind Debian's haproxy.
type balanced struct {
	url       string
	instances [3]*process.Server
}

// host returns an address of this machine that no other test uses: any port of it is free.
func host() string {
	return fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(254), rand.IntN(256), 1+rand.IntN(254))
}

// balance starts three instances on one database and haproxy before them, as docs/operations.md says: haproxy asks /readyz,
// and an instance that stops goes on serving until haproxy has noticed.
func balance(t *testing.T, env map[string]string) balanced {
	t.Helper()
	haproxy := tool(t, "haproxy")
	var b balanced
	front := host() + ":8080"
	var config bytes.Buffer
	fmt.Fprintf(&config, `
global
  log stdout format raw local0
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout check 5s
frontend front
  bind %s
  default_backend roster
backend roster
  option httpchk GET /readyz
`, front)
	for i := range b.instances {
		of := map[string]string{"ROSTER_LISTEN": host() + ":8000", "ROSTER_SHUTDOWN_DELAY": "5s"}
		for name, value := range env {
			of[name] = value
		}
		b.instances[i] = process.Start(t, of)
		t.Cleanup(b.instances[i].Kill) // without the delay
		fmt.Fprintf(&config, "  server s%d %s check inter 100ms fall 1 rise 1\n", i, b.instances[i].Process().Address)
	}
	file := filepath.Join(t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(file, config.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(haproxy, "-db", "-f", file)
	said := &process.Log{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(said)
		}
	})
	b.url = "http://" + front
	eventually(t, "haproxy serves", func() bool { return ready(b.url) })
	return b
}

// tool returns the path of a program of Debian's package with its name.
func tool(t *testing.T, name string) string {
	t.Helper()
	for _, path := range []string{name, "/usr/sbin/" + name} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	missing := name + " is not installed (Debian package: " + name + ")"
	if os.Getenv("TEST_BACKENDS") == "required" {
		t.Fatal(missing)
	}
	t.Skip("NOT TESTED: " + missing)
	return ""
}

// roll restarts one instance after the other under load. Every request must be answered, and none with 503.
func (b balanced) roll(t *testing.T, stop func(*process.Server)) []string {
	t.Helper()
	l := newLedger("rolling", rand.Uint64())
	l.pace = 50 * time.Millisecond // an instance takes seconds to stop
	work := l.begin(b.url, clients, 1)
	for _, s := range b.instances {
		work.await(30)
		stop(s)
		s.Restart()
		work.await(30)
		eventually(t, "the restarted instance is ready", func() bool { return ready(s.URL) })
	}
	work.end()
	if l.counts.unknown > 0 {
		l.violate("%d requests were not served", l.counts.unknown)
	}
	if len(l.violations) == 0 {
		l.verify(b.url, 0)
	}
	return l.report(t)
}

// Three instances behind a proxy are restarted one after the other, and no request fails.
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	none(t, balance(t, settings(testenv.Postgres(t))).roll(t, (*process.Server).Stop))
}

// The same test finds instances that do not wait until the proxy sends no more requests.
func TestRollingRestartRevealsMissingDrain(t *testing.T) {
	t.Parallel()
	found(t, func() []string { return balance(t, settings(testenv.Postgres(t))).roll(t, (*process.Server).Kill) })
}

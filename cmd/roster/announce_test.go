//go:build unix

package main

import (
	"context"
	"net"
	"path/filepath"
	"strings"
	"testing"
)

// serveOnTerminal starts the service on a pseudo-terminal, waits for text, and returns all that the screen showed
// until the end.
func (s shell) serveOnTerminal(text string, args ...string) string {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	defer cancel()
	c := s.converse(ctx, append([]string{"serve"}, args...)...)
	c.expect(text)
	cancel()
	c.expect("stopped")
	c.end(0)
	return c.seen.String()
}

// On a terminal a start prints the address of the service, the place of the data and whether it is new, and that there
// is no administrator yet.
func TestStartOnATerminal(t *testing.T) {
	s := newShell(t)
	db := filepath.Join(strings.TrimPrefix(s.environ[0], "ROSTER_DATA_DIR="), "roster.db")
	screen := s.serveOnTerminal(" createsuperuser")
	for _, want := range []string{"  API            http://127.0.0.1:", "  documentation  http://127.0.0.1:", "  admin          none", "  database       sqlite, " + db + " (new)", "  mail           to the log, with the links\r\n", "  administrator  no administrator yet: ", "\x1b[34mINFO"} {
		if !strings.Contains(screen, want) {
			t.Errorf("no %q on the screen:\n%s", want, screen)
		}
	}
	if strings.Contains(screen, "{\"url\"") || strings.Contains(screen, "with the same flags") {
		t.Errorf("the screen shows\n%s", screen)
	}
	screen = s.serveOnTerminal("createsuperuser with the same flags", "--admin-listen=127.0.0.1:0")
	if !strings.Contains(screen, db+"\r\n") || !strings.Contains(screen, "  admin          http://127.0.0.1:") {
		t.Errorf("the screen shows\n%s", screen)
	}
	s.createSuperuser("ada@example.org", "Ada", "Lovelace")
	for _, environ := range []string{"NO_COLOR=1", "TERM=dumb"} {
		screen = shell{t, append([]string{environ}, s.environ...)}.serveOnTerminal(db + "\r\n")
		if strings.Contains(screen, "\x1b") || strings.Contains(screen, "administrator") {
			t.Errorf("%s: the screen shows\n%q", environ, screen)
		}
	}
	if screen = (shell{t, append([]string{"NO_COLOR="}, s.environ...)}).serveOnTerminal(db + "\r\n"); !strings.Contains(screen, "\x1b[34mINFO") {
		t.Errorf("an empty NO_COLOR: the screen shows\n%q", screen)
	}
	screen = s.serveOnTerminal(`"msg":"serving"`, "--log-format=json")
	if strings.Contains(screen, "  API ") {
		t.Errorf("the screen shows\n%s", screen)
	}
}

// A database in memory has no administrator, and no command can create one: the start does not advise it.
func TestStartInMemory(t *testing.T) {
	screen := newShell(t, "ROSTER_DATABASE=memory:").serveOnTerminal("memory, memory:\r\n")
	if strings.Contains(screen, "createsuperuser") {
		t.Errorf("the screen shows\n%s", screen)
	}
}

// The error of a port in use names the setting and a command to find its user, without the texts of package net.
func TestAddressInUse(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = busy.Close() }()
	r := newShell(t, "ROSTER_LISTEN="+busy.Addr().String()).run("", "serve", "--log-level=error")
	want := "roster: ROSTER_LISTEN: cannot listen on " + busy.Addr().String() + ": address already in use; another program listens there, perhaps another roster: stop it, or set another port\n"
	if r.code != exitFailure || r.stderr != want {
		t.Errorf("exit code %d, %q, want %q", r.code, r.stderr, want)
	}
}

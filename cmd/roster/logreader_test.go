//go:build unix

package main

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience bounds a hang; no test measures against it.
const patience = time.Minute

// ask sends a GET, on a new connection if the last one was closed.
func ask(t *testing.T, client *http.Client, url string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	_, err = b.ReadFrom(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return resp
}

// ended waits for the end of the process, at most patience, and returns its error.
func (s served) ended() error {
	overdue := time.AfterFunc(patience, func() { _ = s.Process.Kill() })
	defer overdue.Stop()
	return s.Wait()
}

// flood sends so many requests that their lines fill the pipe of the log and the buffer behind it several times.
func (s served) flood(t *testing.T) {
	t.Helper()
	client := &http.Client{Timeout: patience}
	defer client.CloseIdleConnections()
	for range 5000 {
		if resp := ask(t, client, "http://"+s.address+"/none"); resp.StatusCode != http.StatusNotFound { // probes are not logged
			t.Fatalf("/none: %s", resp.Status)
		}
	}
}

// A blocked reader of the log, such as an overloaded log collector, stops neither requests nor the shutdown. When it
// continues, the log reports the number of lost lines.
func TestStuckLogReader(t *testing.T) {
	s := serve(t)
	s.flood(t)
	if e := s.wait(t, "lines of this log were dropped, since its reader did not take them in time"); e.Lines == 0 || e.Level != "warn" {
		t.Errorf("reported %+v", e)
	}
	s.flood(t)
	s.signal(t, syscall.SIGTERM)
	if err := s.ended(); err != nil {
		t.Errorf("the service ended with %v", err)
	}
}

// The service continues when the reader of its log ends, such as tee or a terminal.
func TestClosedLogReader(t *testing.T) {
	s := serve(t)
	if err := s.stderr.Close(); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Timeout: patience}
	defer client.CloseIdleConnections()
	for range 3 {
		if resp := ask(t, client, "http://"+s.address+"/readyz"); resp.StatusCode != http.StatusOK {
			t.Errorf("/readyz: %s", resp.Status)
		}
	}
	s.signal(t, syscall.SIGTERM)
	if err := s.ended(); err != nil {
		t.Errorf("the service ended with %v", err)
	}
}

// full returns the writing end of a full pipe.
func full(t *testing.T) *os.File {
	t.Helper()
	var ends [2]int
	if err := syscall.Pipe(ends[:]); err != nil {
		t.Fatal(err)
	}
	reader, writer := os.NewFile(uintptr(ends[0]), "reader"), os.NewFile(uintptr(ends[1]), "writer")
	t.Cleanup(func() { _ = errors.Join(reader.Close(), writer.Close()) })
	if err := syscall.SetNonblock(ends[1], true); err != nil {
		t.Fatal(err)
	}
	for size := 4096; size > 0; {
		switch _, err := syscall.Write(ends[1], make([]byte, size)); {
		case errors.Is(err, syscall.EAGAIN):
			size /= 2
		case err != nil:
			t.Fatal(err)
		}
	}
	if err := syscall.SetNonblock(ends[1], false); err != nil {
		t.Fatal(err)
	}
	return writer
}

// closed returns the writing end of a pipe without a reader.
func closed(t *testing.T) *os.File {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = writer.Close() })
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	return writer
}

// The exit code of a command does not depend on whether its output can be written.
func TestExitCodesWithoutReaders(t *testing.T) {
	s := newShell(t, "ROSTER_IDS=integer")
	s.createSuperuser("ada@example.org", "Ada", "Lovelace")
	dump := filepath.Join(t.TempDir(), "dump.json")
	if err := os.WriteFile(dump, []byte(`[{"model": "auth.user", "pk": 7, "fields": {"username": "bob", "email": "bob@example.org", "password": "!", "first_name": "B", "last_name": "B", "is_active": true, "is_staff": false, "is_superuser": false, "date_joined": "2024-01-02T03:04:05Z", "last_login": null}}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	busy, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	inUse := "--listen=" + busy.Addr().String()
	for _, c := range []struct {
		args           []string
		stdout, stderr func(*testing.T) *os.File
		code           int
	}{
		{[]string{"serve", "--page-size=many"}, nil, closed, exitFailure},
		{[]string{"serve", "--page-size=many"}, nil, full, exitFailure},
		{[]string{"serve", inUse}, nil, closed, exitFailure},
		{[]string{"serve", inUse}, nil, full, exitFailure},
		{[]string{"sreve"}, nil, closed, exitMisuse},
		{[]string{"user", "show", "8"}, nil, closed, exitFailure},
		{[]string{"user", "list"}, closed, nil, exitUnread},
		{[]string{"user", "show", "1"}, closed, nil, exitUnread},
		{[]string{"import", "django", dump}, closed, closed, 0},
	} {
		cmd := s.program(t, c.args...)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		if c.stderr != nil {
			cmd.Stderr = c.stderr(t)
		}
		if c.stdout != nil {
			cmd.Stdout = c.stdout(t)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		_ = served{Cmd: cmd}.ended()
		if code := cmd.ProcessState.ExitCode(); code != c.code || stderr.Len() > 0 {
			t.Errorf("roster %s: %s, want exit code %d\n%s", strings.Join(c.args, " "), cmd.ProcessState, c.code, stderr.String())
		}
	}
	if out := s.must("", "user", "show", "7"); !strings.Contains(out, "bob@example.org") {
		t.Errorf("the import brought\n%s", out)
	}
}

// SIGHUP reloads the keys, and does not end the service.
func TestHangupReloadsKeys(t *testing.T) {
	sh := newShell(t)
	s := serveIn(t, sh)
	for range 2 {
		sh.must("", "keys", "rotate")
		s.signal(t, syscall.SIGHUP)
		e := s.wait(t, "reloaded: keys, certificate and log level were read again; other settings are read at a start only")
		if state := sh.states()[e.Signs]; state != "signing" {
			t.Errorf("the service signs with %q, which is %q", e.Signs, state)
		}
	}
	s.signal(t, syscall.SIGTERM)
	s.wait(t, "stopped")
	if err := s.ended(); err != nil {
		t.Errorf("the service ended with %v", err)
	}
}

// SIGHUP reads log_level again. A settings file that is broken by then changes nothing.
func TestHangupReloadsTheLogLevel(t *testing.T) {
	file := filepath.Join(t.TempDir(), "roster.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("log_level: info")
	s := serveIn(t, newShell(t, "ROSTER_CONFIG="+file))
	for _, c := range []struct{ text, level string }{
		{"log_level: debug", "debug"}, {"log_level: [", "debug"}, {"log_level: loud", "debug"}, {"page_size: 7", "info"},
	} {
		write(c.text)
		s.signal(t, syscall.SIGHUP)
		if c.text != "log_level: "+c.level && c.level == "debug" {
			s.wait(t, "the settings cannot be read again; the log level stays as it is")
		}
		e := s.wait(t, "reloaded: keys, certificate and log level were read again; other settings are read at a start only")
		if e.LogLevel != c.level {
			t.Errorf("%s: log level %q, want %q", c.text, e.LogLevel, c.level)
		}
	}
}

// After SIGTERM the service serves for shutdown_delay, reports on both listeners that it is not ready, and closes
// connections after an answer. A second signal ends it at once.
func TestShutdownDelay(t *testing.T) {
	free, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	operators := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	s := serveIn(t, newShell(t, "ROSTER_SHUTDOWN_DELAY=1h", "ROSTER_ADMIN_LISTEN="+operators))
	client := &http.Client{Timeout: patience}
	defer client.CloseIdleConnections()
	if resp := ask(t, client, "http://"+s.address+"/readyz"); resp.StatusCode != http.StatusOK || resp.Close {
		t.Errorf("before the stop: %s, closed: %v", resp.Status, resp.Close)
	}
	s.signal(t, syscall.SIGTERM)
	s.wait(t, "stopping")
	for ask(t, client, "http://"+s.address+"/readyz").StatusCode != http.StatusServiceUnavailable {
		continue // until it reports it
	}
	if resp := ask(t, client, "http://"+operators+"/readyz"); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("ready for operators: %s", resp.Status)
	}
	for range 3 { // each on a new connection
		if resp := ask(t, client, "http://"+s.address+"/livez"); resp.StatusCode != http.StatusOK || !resp.Close {
			t.Errorf("during the delay: %s, closed: %v", resp.Status, resp.Close)
		}
	}
	s.signal(t, syscall.SIGTERM)
	if _ = s.ended(); s.ProcessState.ExitCode() != exitFailure {
		t.Errorf("after the second signal: %s", s.ProcessState)
	}
}

// After the delay, the service ends with exit code 0.
func TestShutdownDelayEnds(t *testing.T) {
	s := serveIn(t, newShell(t, "ROSTER_SHUTDOWN_DELAY=1ms"))
	s.signal(t, syscall.SIGTERM)
	s.wait(t, "stopped")
	if err := s.ended(); err != nil {
		t.Error(err)
	}
}

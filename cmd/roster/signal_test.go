//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// runMain makes the test binary the program itself.
const runMain = "TEST_RUN_MAIN"

// TestMain runs the program if runMain is set.
func TestMain(m *testing.M) {
	if os.Getenv(runMain) != "" {
		main()
	}
	os.Exit(m.Run())
}

// served is a process that serves, and its log.
type served struct {
	*exec.Cmd
	stderr  io.Closer
	log     *bufio.Scanner // reads stderr
	address string
	warned  map[string]string // the warnings of the start, by setting or profile
}

// entry has the members of a log line that tests read.
type entry struct {
	Level, Msg, Address, Signs string
	Warning, Profile           string
	Settings                   []string
	Lines                      int
	LogLevel                   string `json:"log_level"`
}

// program returns the command as a process of its own.
func (s shell) program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Env = append(s.environ, runMain+"=1")
	return cmd
}

func serve(t *testing.T) served {
	t.Helper()
	return serveIn(t, newShell(t))
}

func serveIn(t *testing.T, sh shell) served {
	t.Helper()
	cmd := sh.program(t, "serve", "--log-format=json")
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	s := served{Cmd: cmd, stderr: log, log: bufio.NewScanner(log), warned: map[string]string{}}
	s.address = s.wait(t, "serving").Address
	return s
}

// wait reads the log until a message comes, and returns its entry.
func (s served) wait(t *testing.T, message string) entry {
	t.Helper()
	var seen []string
	for s.log.Scan() {
		var e entry
		if err := json.Unmarshal(s.log.Bytes(), &e); err == nil && e.Msg == message {
			return e
		} else if err == nil && e.Level == "warn" {
			setting, _, _ := strings.Cut(e.Warning, ":")
			s.warned[setting+e.Profile] = e.Warning + strings.Join(e.Settings, " ")
		}
		seen = append(seen, s.log.Text())
	}
	t.Fatalf("no %q in the log:\n%s", message, strings.Join(seen, "\n"))
	return entry{}
}

// signal sends a signal.
func (s served) signal(t *testing.T, sig os.Signal) {
	t.Helper()
	if err := s.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

func TestFirstSignalStops(t *testing.T) {
	for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		s := serve(t)
		s.signal(t, sig)
		s.wait(t, "stopped")
		if err := s.Wait(); err != nil {
			t.Errorf("%s: %v", sig, err)
		}
	}
}

// A request that does not end delays the stop, until a second signal.
func TestSecondSignalQuits(t *testing.T) {
	for _, second := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		s := serve(t)
		conn, err := net.Dial("tcp", s.address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, err = fmt.Fprint(conn, "POST /api/users/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n")
		if err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(conn).ReadString('\n'); !strings.Contains(line, " 100 ") {
			t.Fatalf("the service answers %q, %v", line, err)
		}
		s.signal(t, syscall.SIGINT)
		s.wait(t, "stopping")
		s.signal(t, second)
		if _ = s.Wait(); s.ProcessState.ExitCode() != exitFailure {
			t.Errorf("%s: the process ended with %s, want exit code %d", second, s.ProcessState, exitFailure)
		}
	}
}

//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// runMain makes the test binary the program itself.
const runMain = "TEST_RUN_MAIN"

// TestMain is the program when runMain asks for it.
func TestMain(m *testing.M) {
	if os.Getenv(runMain) != "" {
		main()
	}
	os.Exit(m.Run())
}

// served is a process that serves, and its log.
type served struct {
	*exec.Cmd
	log     *bufio.Scanner
	address string
}

func serve(t *testing.T) served {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "serve", "--log-format=json")
	cmd.Env = append(newShell(t).environ, runMain+"=1")
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	s := served{Cmd: cmd, log: bufio.NewScanner(log)}
	s.address = s.wait(t, "serving")
	return s
}

// wait reads the log until a message comes, and returns its address.
func (s served) wait(t *testing.T, message string) string {
	t.Helper()
	var seen []string
	for s.log.Scan() {
		var entry struct{ Msg, Address string }
		if err := json.Unmarshal(s.log.Bytes(), &entry); err == nil && entry.Msg == message {
			return entry.Address
		}
		seen = append(seen, s.log.Text())
	}
	t.Fatalf("no %q in the log:\n%s", message, strings.Join(seen, "\n"))
	return ""
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

// A request that does not end holds up the stop, until a second signal.
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

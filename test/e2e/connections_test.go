package e2e_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"roster/test/support/process"
)

// hang is the time after which a connection without an answer is closed: far more than any answer takes.
const hang = 30 * time.Second

func dial(t *testing.T, s *process.Server) net.Conn {
	t.Helper()
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(hang)); err != nil {
		t.Fatal(err)
	}
	return c
}

// A client can wait with its body until the service asks for it (Expect: 100-continue); a refusal comes before the body.
func TestRefusalsDoNotWaitForTheBody(t *testing.T) {
	s := process.Start(t, nil)
	for name, c := range map[string]struct {
		head   string
		status int
	}{
		"no access token": {"PUT /api/users/x/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n", 401},
		"no such method":  {"PUT /api/token/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n", 405},
		"too large":       {"POST /api/token/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n", 413},
	} {
		t.Run(name, func(t *testing.T) {
			conn := dial(t, s)
			if _, err := fmt.Fprint(conn, c.head); err != nil {
				t.Fatal(err)
			}
			r, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatalf("no answer while the body is held back: %v", err)
			}
			_ = r.Body.Close()
			if r.StatusCode != c.status {
				t.Errorf("got %d, want %d", r.StatusCode, c.status)
			}
		})
	}
}

// A request that never ends is cut off after shutdown_timeout, and all else is closed in order. Stop expects exit
// code 0.
func TestStopEndsIncompleteRequests(t *testing.T) {
	s := process.Start(t, map[string]string{"ROSTER_SHUTDOWN_TIMEOUT": "200ms"})
	conn := dial(t, s)
	if _, err := fmt.Fprint(conn, "POST /api/token/ HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	// The request is running once the service asks for the body.
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 100") {
		t.Fatalf("%q, %v", line, err)
	}
	s.Stop()
	if logs := s.Logs(); !strings.Contains(logs, "requests still under way were cut off") || !strings.Contains(logs, `"msg":"stopped"`) {
		t.Errorf("the log has no line about the request:\n%s", logs)
	}
}

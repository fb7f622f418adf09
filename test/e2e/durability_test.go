package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"roster/test/support/process"
)

// A change that the service acknowledged is kept, even if the service is killed right after the answer.
func TestNothingAcknowledgedIsLost(t *testing.T) {
	s := process.Start(t, map[string]string{"ROSTER_REUSE_GRACE": "0s"})
	ann, k := arrive(s, t, "ann@example.com")
	second := signIn(s, t, ann)
	out := signIn(s, t, ann)
	stolen := signIn(s, t, ann)
	bob, bobs := arrive(s, t, "bob@example.com")
	cyd, cyds := arrive(s, t, "cyd@example.com")
	dan, dans := arrive(s, t, "dan@example.com")

	call(s, t, "PATCH", ann.path(), bearer(k.access), body(object{"first_name": "Anne"})).want(200)
	a := refresh(s, t, second.refresh).want(200)
	rotated := tokens{a.text("access"), a.text("refresh")}
	refresh(s, t, stolen.refresh).want(200)
	refresh(s, t, stolen.refresh).want(401)
	call(s, t, "DELETE", bob.path(), bearer(bobs.access)).want(204)
	call(s, t, "PATCH", cyd.path(), bearer(cyds.access), body(object{"password": "Another-horse-8-battery"})).want(200)
	s.MustCLI("user", "set", dan.email, "--active=false")
	signOut(s, t, out.refresh).want(200)
	s.Kill()
	s.Restart()

	wantAlive(s, t, ann, k)
	wantAlive(s, t, ann, rotated)
	same(t, "name", call(s, t, "GET", ann.path(), bearer(k.access)).want(200).text("first_name"), "Anne")
	for what, c := range map[string]struct {
		user person
		with tokens
	}{"signed out": {ann, out}, "reused": {ann, stolen}, "deleted": {bob, bobs}, "changed password": {cyd, cyds}, "deactivated": {dan, dans}} {
		t.Run(what, func(t *testing.T) { wantDead(s, t, c.user, c.with) })
	}
	call(s, t, "GET", bob.path(), bearer(k.access)).want(404)
	tryToSignIn(s, t, cyd.email, "Another-horse-8-battery").want(200)
	register(s, t, bob.email)
	refresh(s, t, second.refresh).want(401) // used before the crash: reuse
	wantDead(s, t, ann, rotated)
	wantAlive(s, t, ann, k)
}

// No other user of the machine can read keys and data.
func TestFilesArePrivate(t *testing.T) {
	s := process.Start(t, nil)
	arrive(s, t, "ann@example.com")
	keys := 0
	err := filepath.WalkDir(s.DataDir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == s.DataDir {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte(`"d": "`)) { // of a private JWK
			keys++
			same(t, "mode of "+filepath.Base(path), info.Mode().Perm(), fs.FileMode(0o600))
		}
		if bytes.Contains(content, []byte(password)) {
			t.Errorf("%s holds a password", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if keys == 0 {
		t.Error("no key was kept")
	}
}

// half is a request whose head the service has read and whose body it waits for.
type half struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
	body string
}

// begin sends the head of a registration and waits until the service asks for the body.
func begin(t *testing.T, s *process.Server, email string) half {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	h := half{t, conn, bufio.NewReader(conn), fmt.Sprintf(`{"email":%q,"password":%q,"first_name":"A","last_name":"B"}`, email, password)}
	if _, err := fmt.Fprintf(conn, "POST /api/users/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", len(h.body)); err != nil {
		t.Fatal(err)
	}
	if resp := h.read(); resp.StatusCode != http.StatusContinue {
		t.Fatalf("status %d, want 100", resp.StatusCode)
	}
	return h
}

// end sends the body and returns the answer.
func (h half) end() *http.Response {
	h.t.Helper()
	if _, err := h.conn.Write([]byte(h.body)); err != nil {
		h.t.Fatal(err)
	}
	return h.read()
}

func (h half) read() *http.Response {
	h.t.Helper()
	resp, err := http.ReadResponse(h.in, &http.Request{Method: "POST"})
	if err != nil {
		h.t.Fatalf("no answer: %v", err)
	}
	return resp
}

// untilRefused waits until the service takes no new connections.
func untilRefused(t *testing.T, s *process.Server) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
		if err != nil {
			return
		}
		_ = conn.Close()
	}
	t.Fatal("the service goes on taking connections")
}

// On SIGTERM the service accepts no connection, finishes the requests that it began, and exits with 0.
func TestStopFinishesRunningRequests(t *testing.T) {
	s := process.Start(t, nil)
	var begun []half
	for i := range 8 {
		begun = append(begun, begin(t, s, fmt.Sprintf("user%d@example.com", i)))
	}
	if err := s.Process().Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	untilRefused(t, s)
	for i, h := range begun {
		resp := h.end()
		same(t, fmt.Sprintf("registration %d", i), resp.StatusCode, 201)
		if !resp.Close {
			t.Error("the connection is offered for further requests")
		}
	}
	code, err := s.Process().Wait()
	if err != nil {
		t.Fatal(err)
	}
	same(t, "exit code", code, 0)
	s.Restart()
	for i := range 8 {
		tryToSignIn(s, t, fmt.Sprintf("user%d@example.com", i), password).want(200)
	}
}

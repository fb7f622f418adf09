//go:build unix

package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/creack/pty"
	"golang.org/x/term"

	"roster/domain/user"
)

const enter = "\r"

// conversation is roster on a pseudo-terminal that the test reads and writes.
type conversation struct {
	t      *testing.T
	screen *os.File // the side of the operator
	seen   strings.Builder
	unread string
	code   chan int
	stdout *bytes.Buffer // complete once code was received
	before *term.State
	tty    *os.File
}

func (s shell) converse(ctx context.Context, args ...string) *conversation {
	s.t.Helper()
	screen, tty, err := pty.Open()
	if err != nil {
		s.t.Fatal(err)
	}
	before, err := term.GetState(int(tty.Fd()))
	if err != nil {
		s.t.Fatal(err)
	}
	c := &conversation{t: s.t, screen: screen, code: make(chan int, 1), stdout: &bytes.Buffer{}, before: before, tty: tty}
	go func() { c.code <- run(ctx, args, tty, c.stdout, tty, s.environ) }()
	s.t.Cleanup(func() {
		_ = tty.Close()
		_ = screen.Close()
	})
	return c
}

// expect reads the screen until text has come.
func (c *conversation) expect(text string) {
	c.t.Helper()
	buf := make([]byte, 1024)
	for {
		if _, after, ok := strings.Cut(c.unread, text); ok {
			c.unread = after
			return
		}
		n, err := c.screen.Read(buf)
		if err != nil {
			c.t.Fatalf("no %q on the screen but %q: %v", text, c.seen.String(), err)
		}
		c.seen.Write(buf[:n])
		c.unread += string(buf[:n])
	}
}

func (c *conversation) answer(question, text string) {
	c.t.Helper()
	c.expect(question)
	if _, err := io.WriteString(c.screen, text); err != nil {
		c.t.Fatal(err)
	}
}

// end checks the exit code and that the terminal's settings are restored, and returns the standard output.
func (c *conversation) end(code int) string {
	c.t.Helper()
	if got := <-c.code; got != code {
		c.t.Errorf("exit code %d, want %d", got, code)
	}
	after, err := term.GetState(int(c.tty.Fd()))
	if err != nil {
		c.t.Fatal(err)
	}
	if !reflect.DeepEqual(c.before, after) {
		c.t.Error("the terminal was left in another state")
	}
	return c.stdout.String()
}

// Each answer is checked before the next question, a password before its repetition; no password is shown.
func TestCreateSuperuserAsks(t *testing.T) {
	s := newShell(t)
	s.createSuperuser("taken@example.org", "T", "T")
	c := s.converse(t.Context(), "createsuperuser")
	c.answer("Email address: ", "nobody"+enter)
	c.expect("email: Enter a valid email address.")
	c.answer("Email address: ", "TAKEN@example.org"+enter)
	c.expect("email: user with this email address already exists.")
	c.answer("Email address: ", "ada@example.org"+enter)
	c.answer("First name (may be empty): ", strings.Repeat("x", user.MaxName+1)+enter)
	c.expect("first_name: Ensure this field has no more than 150 characters.")
	c.answer("First name (may be empty): ", "Zoë"+enter)
	c.answer("Last name (may be empty): ", "Wintergarten"+enter)
	c.expect("A password has at least 8 characters; ")
	c.answer("Password: ", "wintergarten-12"+enter)
	c.expect("password: The password is too similar to the last name.")
	c.answer("Password: ", "12345678"+enter)
	c.expect("password: This password is too common.")
	c.answer("Password: ", strongPassword+enter)
	c.answer("Password (again): ", "something else"+enter)
	c.expect("The two passwords are not the same.")
	c.answer("Password: ", strongPassword+enter)
	c.answer("Password (again): ", strongPassword+enter)
	if out := c.end(0); !strings.HasPrefix(out, "Created the superuser ada@example.org with id ") {
		t.Errorf("createsuperuser says %q", out)
	}
	for _, secret := range []string{"wintergarten-12", "something else", "12345678", strongPassword} {
		if strings.Contains(c.seen.String(), secret) {
			t.Errorf("the screen shows %q: %q", secret, c.seen.String())
		}
	}
	if n := strings.Count(c.seen.String(), "Password (again): "); n != 2 {
		t.Errorf("a password was to be typed again %d times, want 2: %q", n, c.seen.String())
	}
	o := objects(t, s.must("", "user", "show", "ada@example.org", "--format", "json"))[0]
	if o["first_name"] != "Zoë" || o["is_staff"] != true {
		t.Errorf("created %v", o)
	}
}

// A value of a flag is not asked for, unless it is refused; then it is asked for first.
func TestCreateSuperuserAsksForTheRest(t *testing.T) {
	s := newShell(t)
	s.createSuperuser("ada@example.org", "Ada", "Lovelace")
	c := s.converse(t.Context(), "createsuperuser", "--email", "ada@example.org", "--last-name", "Hopper")
	c.expect("email: user with this email address already exists.")
	c.answer("Email address: ", "grace@example.org"+enter)
	c.answer("First name (may be empty): ", enter)
	c.answer("Password: ", strongPassword+enter)
	c.answer("Password (again): ", strongPassword+enter)
	c.end(0)
	if strings.Contains(c.seen.String(), "Last name") {
		t.Errorf("the last name was asked for: %q", c.seen.String())
	}
	if o := objects(t, s.must("", "user", "show", "grace@example.org", "--format", "json"))[0]; o["first_name"] != "" || o["last_name"] != "Hopper" {
		t.Errorf("created %v", o)
	}
}

// A value that is refused when the user is stored is asked for again too.
func TestAskedAgainAfterStoring(t *testing.T) {
	s := newShell(t)
	c := s.converse(t.Context(), "createsuperuser", "--email", "ada@example.org", "--first-name", "A", "--last-name", "B")
	c.answer("Password: ", strongPassword+enter)
	c.expect("Password (again): ")
	s.createSuperuser("ada@example.org", "Ada", "Lovelace")
	c.answer("", strongPassword+enter)
	c.expect("email: user with this email address already exists.")
	c.answer("Email address: ", "grace@example.org"+enter)
	if out := c.end(0); !strings.HasPrefix(out, "Created the superuser grace@example.org") {
		t.Errorf("createsuperuser says %q", out)
	}
}

// Ctrl-C and the end of input end the command without a change.
func TestBreakOff(t *testing.T) {
	for name, key := range map[string]string{"Ctrl-C": "\x03", "Ctrl-D": "\x04"} {
		t.Run(name, func(t *testing.T) {
			s := newShell(t)
			c := s.converse(t.Context(), "createsuperuser", "--email=ada@example.org", "--first-name=A", "--last-name=B")
			c.answer("Password: ", key)
			c.expect("roster: interrupted")
			c.end(exitInterrupted)
			if list := objects(t, s.must("", "user", "list", "--format=json")); len(list) > 0 {
				t.Errorf("created %v", list)
			}
		})
	}
}

// A signal ends the command during a question too, and the terminal's settings are restored.
func TestSignalAtPrompt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := newShell(t).converse(ctx, "createsuperuser")
	c.expect("Email address: ")
	cancel()
	c.expect("roster: interrupted")
	c.end(exitInterrupted)
	c.answer("", enter) // ends the read of the terminal, which would otherwise outlive the test
}

func TestSetPasswordAsks(t *testing.T) {
	s := newShell(t)
	s.createSuperuser("ada@example.org", "Ada", "Lovelace")
	c := s.converse(t.Context(), "user", "set-password", "ada@example.org")
	c.expect("A password has at least ")
	c.answer("Password: ", "lovelace"+enter)
	c.expect("password: The password is too similar to the last name.")
	c.answer("Password: ", strongPassword+enter)
	c.answer("Password (again): ", strongPassword+enter)
	c.end(0)
}

func TestDeleteAsks(t *testing.T) {
	s := newShell(t, "ROSTER_IDS=integer")
	s.createSuperuser("ada@example.org", "Ada", "Lovelace")
	for _, no := range []string{"", "n", "yeah"} {
		c := s.converse(t.Context(), "user", "delete", "1")
		c.answer("Delete ada@example.org with id 1 for good? [y/N]: ", no+enter)
		c.expect("roster: nothing was deleted")
		c.end(exitFailure)
	}
	c := s.converse(t.Context(), "user", "delete", "ada@example.org", "--force")
	c.answer("[y/N]: ", "Y"+enter)
	if out := c.end(0); out != "Deleted ada@example.org with id 1.\n" {
		t.Errorf("user delete says %q", out)
	}
}

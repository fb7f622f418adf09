package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"roster/cmd/roster/console"
)

// hostile is text with control sequences of terminals and characters that change the direction of text.
const hostile = "\u009b31mRED\u009b0m \x1b[2J\x1b]0;owned\x07 \u202egpj.exe \u2028 \x7f \U000e0001 Zoë"

func steers(s string) bool { return strings.ReplaceAll(console.Visible(s), `\u000a`, "\n") != s }

// object is a line of --format json.
type object map[string]any

func objects(t *testing.T, out string) []object {
	t.Helper()
	var list []object
	for line := range strings.Lines(out) {
		var o object
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		list = append(list, o)
	}
	return list
}

func (s shell) createSuperuser(email, first, last string) {
	s.t.Helper()
	out := s.must(strongPassword+"\n", "createsuperuser", "--email", email, "--first-name", first, "--last-name", last, "--password-file", "-")
	if !strings.HasPrefix(out, "Created the superuser "+email+" with id ") {
		s.t.Errorf("createsuperuser says %q", out)
	}
}

func TestUsers(t *testing.T) {
	s := newShell(t, "ROSTER_IDS=integer")
	s.createSuperuser("ada@example.org", "Ada", "Lovelace")
	s.createSuperuser("grace@example.org", "Grace", "Hopper")

	out := s.must("", "user", "set", "2", "--staff=false", "--last-name", "Murray <&>")
	for _, want := range []string{"\nemail:       grace@example.org\n", "\nstaff:       no\n", "Murray <&>", "never"} {
		if !strings.Contains(out, want) {
			t.Errorf("user set shows no %q:\n%s", want, out)
		}
	}
	all := s.must("", "user", "list", "--format", "json")
	list := objects(t, all)
	if len(list) != 2 || !strings.Contains(all, "Murray <&>") {
		t.Fatalf("user list: %s", all)
	}
	if o := list[1]; o["id"] != 2.0 || o["email"] != "grace@example.org" || o["first_name"] != "Grace" || o["is_active"] != true || o["is_staff"] != false || o["last_login"] != nil {
		t.Errorf("user list: %v", o)
	}
	for args, want := range map[string]int{"--staff": 1, "--staff=false": 1, "--active": 2, "--active=false": 0, "--search=GRACE": 1, "--search=ada,hopper": 0, "--search=example org": 2} {
		if got := objects(t, s.must("", "user", "list", "--format=json", args)); len(got) != want {
			t.Errorf("user list %s: %d users, want %d", args, len(got), want)
		}
	}
	for args, want := range map[string]string{"": "1 2", "--ordering=-email": "2 1", "--ordering=first_name,-id": "1 2", "--ordering=-id --limit=1": "2", "--limit=9": "1 2"} {
		var ids []string
		for _, o := range objects(t, s.must("", append([]string{"user", "list", "--format=json"}, strings.Fields(args)...)...)) {
			ids = append(ids, fmt.Sprint(o["id"]))
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("user list %s: %s, want %s", args, got, want)
		}
	}
	if out := s.must("", "user", "list", "--search", "nobody"); strings.Count(out, "\n") != 1 {
		t.Errorf("an empty list: %q", out)
	}
	if o := objects(t, s.must("", "user", "show", "Ada@Example.ORG", "--format", "json")); len(o) != 1 || o[0]["id"] != 1.0 {
		t.Errorf("user show: %v", o)
	}
	last := []string{"no active administrator would be left; make another first, or give --force"}
	for _, args := range [][]string{{"set", "ada@example.org", "--active=false"}, {"set", "1", "--staff=false"}, {"delete", "1", "--yes"}} {
		s.fails(exitFailure, last, "", append([]string{"user"}, args...)...)
	}
	s.fails(exitMisuse, []string{"nothing to change; see roster user set --help"}, "", "user", "set", "1", "--force")
	s.must("", "user", "set", "ada@example.org", "--active=false", "--force")
	s.must("", "user", "set", "ada@example.org", "--active")
	if out := s.must("", "user", "delete", "1", "--yes", "--force"); out != "Deleted ada@example.org with id 1.\n" {
		t.Errorf("user delete says %q", out)
	}
	for _, args := range [][]string{{"show", "1"}, {"set", "ada@example.org", "--staff"}, {"delete", "1", "--yes"}, {"show", "what?"}} {
		s.fails(exitFailure, []string{`there is no user "` + args[1] + `"`}, "", append([]string{"user"}, args...)...)
	}
}

func TestUUIDs(t *testing.T) {
	s := newShell(t)
	s.createSuperuser("ada@example.org", "Ada", "Lovelace")
	id, ok := objects(t, s.must("", "user", "show", "ada@example.org", "--format", "json"))[0]["id"].(string)
	if !ok || len(id) != 36 {
		t.Errorf("id %q", id)
	}
	s.must("", "user", "show", id)
}

// Each refused member is reported in a line.
func TestRefusals(t *testing.T) {
	s := newShell(t)
	s.createSuperuser("ada@example.org", "Ada", "Lovelace")
	s.fails(exitFailure, []string{"email: Enter a valid email address.", "last_name: This field may not be blank."},
		strongPassword, "createsuperuser", "--email=nobody", "--first-name=A", "--last-name=", "--password-file=-")
	s.fails(exitFailure, []string{"password: This password is too short.", "password: This password is too common.", "password: This password is entirely numeric."},
		"1234\n", "createsuperuser", "--email=b@example.org", "--first-name=A", "--last-name=B", "--password-file=-")
	s.fails(exitFailure, []string{"email: user with this email address already exists."},
		strongPassword, "createsuperuser", "--email=ADA@example.org", "--first-name=A", "--last-name=B", "--password-file=-")
	s.fails(exitFailure, []string{"email: Enter a valid email address."}, "", "user", "set", "ada@example.org", "--email", "x")
	s.fails(exitFailure, []string{"password: "}, "", "user", "set-password", "ada@example.org", "--password-file", "-")
}

func TestCreateUser(t *testing.T) {
	s := newShell(t, "ROSTER_IDS=integer")
	s.fails(exitFailure, []string{"sqlite: there is no database at "}, "", "user", "create", "--email=ada@example.org", "--no-password")
	s.must("", "migrate")
	if out := s.must(strongPassword, "user", "create", "--email=ada@example.org", "--first-name=Ada", "--password-file=-"); out != "Created the user ada@example.org with id 1.\n" {
		t.Errorf("user create says %q", out)
	}
	s.must("", "user", "create", "--email=bob@example.org", "--no-password", "--active=false")
	s.must("", "user", "create", "--email=eve@example.org", "--no-password", "--staff")
	for name, want := range map[string]object{
		"1": {"first_name": "Ada", "last_name": "", "email_verified": false, "locale": nil, "is_active": true, "is_staff": false, "has_password": true},
		"2": {"first_name": "", "is_active": false, "is_staff": false, "has_password": false, "sessions": 0.0, "last_failed_sign_in": nil, "locked_until": nil},
		"3": {"is_active": true, "is_staff": true, "has_password": false},
	} {
		got := objects(t, s.must("", "user", "show", name, "--format=json"))[0]
		for member, value := range want {
			if got[member] != value {
				t.Errorf("user %s: %s is %v, want %v", name, member, got[member], value)
			}
		}
	}
	for _, want := range []string{"password:             none fits; ", "last failed sign-in:  never\n", "locked:               no\n"} {
		if out := s.must("", "user", "show", "bob@example.org"); !strings.Contains(out, want) {
			t.Errorf("user show has no %q:\n%s", want, out)
		}
	}
	s.fails(exitFailure, []string{"email: user with this email address already exists."}, "", "user", "create", "--email=ADA@example.org", "--no-password")
	s.fails(exitFailure, []string{"email: Enter a valid email address."}, "", "user", "create", "--email=ada", "--no-password")
	s.fails(exitFailure, []string{"password: This password is too short."}, "x9!q", "user", "create", "--email=new@example.org", "--password-file=-")
}

// With --if-absent createsuperuser can run at each start; it does not change an existing user.
func TestCreateSuperuserIfAbsent(t *testing.T) {
	s := newShell(t, "ROSTER_IDS=integer")
	again := func(email string) []string {
		return []string{"createsuperuser", "--if-absent", "--email", email, "--password-file", "-"}
	}
	if out := s.must(strongPassword, again("ada@example.org")...); out != "Created the superuser ada@example.org with id 1.\n" {
		t.Errorf("createsuperuser says %q", out)
	}
	for _, password := range []string{strongPassword, "another one, which is not looked at"} {
		if out := s.must(password, again("ADA@example.org")...); out != "The superuser ada@example.org with id 1 exists already.\n" {
			t.Errorf("createsuperuser says %q", out)
		}
	}
	s.must("", "user", "create", "--email=bob@example.org", "--no-password")
	s.must("", "user", "create", "--email=eve@example.org", "--no-password", "--staff", "--active=false")
	for id, email := range map[string]string{"2": "bob@example.org", "3": "eve@example.org"} {
		s.fails(exitFailure, []string{email + " exists, but is not an active administrator; roster user set " + id + " --active --staff makes one"}, strongPassword, again(email)...)
		if o := objects(t, s.must("", "user", "show", email, "--format=json"))[0]; o["is_staff"] == true && o["is_active"] == true {
			t.Errorf("%s was made an administrator", email)
		}
	}
}

func TestSetPassword(t *testing.T) {
	s := newShell(t)
	s.createSuperuser("ada@example.org", "Ada", "Lovelace")
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte(strongPassword+"\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := s.must("", "user", "set-password", "ada@example.org", "--password-file", file); out != "Changed the password of ada@example.org and ended their sessions.\n" {
		t.Errorf("set-password says %q", out)
	}
	s.fails(exitFailure, []string{"read the password: " + file + "x: no such file or directory"}, "", "user", "set-password", "ada@example.org", "--password-file", file+"x")
	s.fails(exitFailure, []string{"read the password: it is longer than "}, strings.Repeat("x", maxPasswordFile+2), "user", "set-password", "ada@example.org", "--password-file", "-")
}

func TestUnlock(t *testing.T) {
	s := newShell(t)
	s.createSuperuser("ada@example.org", "Ada", "Lovelace")
	if out := s.must("", "user", "unlock", "ada@example.org"); out != "There were no failed sign-ins of ada@example.org to forget.\n" {
		t.Errorf("unlock says %q", out)
	}
	s.fails(exitFailure, []string{`there is no user "nobody@example.org"`}, "", "user", "unlock", "nobody@example.org")
	s.fails(exitMisuse, []string{"USER"}, "", "user", "unlock")
}

// Any client can choose a name; it must not control the operator's terminal.
func TestVisible(t *testing.T) {
	for text, want := range map[string]string{
		"Zoë Ångström 李": "Zoë Ångström 李", "a\tb": `a\u0009b`, "\x1b[31mred": `\u001b[31mred`, "a\u202eb": `a\u202eb`, "a\nb": `a\u000ab`,
	} {
		if got := console.Visible(text); got != want {
			t.Errorf("console.Visible(%q) is %q, want %q", text, got, want)
		}
	}
}

// Control characters in users and errors are escaped in the output.
func TestHostileText(t *testing.T) {
	s := newShell(t)
	s.must(strongPassword+"\n", "createsuperuser", "--email", "ada@example.org", "--first-name", hostile, "--last-name", "Lee", "--password-file", "-")
	for _, args := range [][]string{{"user", "list"}, {"user", "list", "--format", "json"}, {"user", "show", "ada@example.org"}} {
		if out := s.must("", args...); steers(out) || !strings.Contains(out, "31mRED") {
			t.Errorf("%v: %q", args, out)
		}
	}
	for _, args := range [][]string{
		{"user", "show", hostile}, {"user", "delete", hostile + "@example.org", "--yes"}, {hostile}, {"user", "list", "--" + hostile}, {"export", "/nowhere/" + hostile},
	} {
		if r := s.run("", args...); r.code == 0 || steers(r.stdout+r.stderr) {
			t.Errorf("%q: code %d, %q", args, r.code, r.stdout+r.stderr)
		}
	}
}

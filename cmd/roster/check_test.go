package main

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// dir returns the data directory of the shell.
func (s shell) dir() string { return strings.TrimPrefix(s.environ[0], "ROSTER_DATA_DIR=") }

// check --connect opens an existing database that is up to date, and creates none.
func TestCheckConnect(t *testing.T) {
	s := newShell(t)
	s.fails(exitFailure, []string{"sqlite: there is no database at " + s.dir()}, "", "check", "--connect")
	if left, err := os.ReadDir(s.dir()); err != nil || len(left) > 0 {
		t.Errorf("made %v, %v", left, err)
	}
	s.must("", "migrate")
	out := s.must("", "check", "--connect", "--deploy")
	if !strings.Contains(out, "\nThe database is ready: SQLite 3.") || !strings.Contains(out, filepath.Join(s.dir(), "roster.db")+", schema version ") {
		t.Errorf("check says\n%s", out)
	}
	db, err := sql.Open("sqlite", filepath.Join(s.dir(), "roster.db"))
	if err == nil {
		_, err = db.ExecContext(t.Context(), "DELETE FROM goose_db_version WHERE version_id > 1")
	}
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	s.fails(exitFailure, []string{"sqlite: " + filepath.Join(s.dir(), "roster.db") + " has schema version 1 and needs "}, "", "check", "--connect")
}

// check and a start report files of the service that other users can read, with the right mode. Files that Roster
// creates are private.
func TestExposedFiles(t *testing.T) {
	s := newShell(t)
	open := serveIn(t, s) // with a log of its own, and its index
	key := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(key, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if out := s.must("", "check"); strings.Contains(out, "mode 0") {
		t.Errorf("what Roster made is found unsafe:\n%s", out)
	}
	want := []string{"data_dir: " + s.dir() + ": mode 0755 lets every user list it; make it 0700"}
	modes := map[string]os.FileMode{s.dir(): 0o755}
	for _, name := range []string{"roster.db", "roster.db-wal", "roster.db-shm", "roster.db.bak"} {
		path := filepath.Join(s.dir(), name)
		if name == "roster.db.bak" {
			if err := os.WriteFile(path, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, modes[path] = append(want, "database: "+path+": mode 0644 lets every user read it; make it 0600"), 0o644
	}
	for path, mode := range modes {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	out := s.must("", "check")
	for _, line := range want {
		if !strings.Contains(out, "\n  "+line+"\n") {
			t.Errorf("check does not say %q:\n%s", line, out)
		}
	}
	s.fails(exitFailure, []string{"unsafe settings: 5"}, "", "check", "--deploy")
	open.signal(t, os.Interrupt)
	if err := open.ended(); err != nil {
		t.Fatal(err)
	}
	if again := serveIn(t, s); again.warned["data_dir"] != want[0] || again.warned["database"] == "" {
		t.Errorf("the start says %v", again.warned)
	}
	if err := os.Chmod(key, 0o640); err != nil {
		t.Fatal(err)
	}
	r := s.run("", "check", "--tls-key", key, "--tls-cert", key)
	if line := "tls_key: " + key + ": mode 0640 lets its group read it; make it 0600"; !strings.Contains(r.stdout, line) {
		t.Errorf("check does not say %q:\n%s", line, r.stdout)
	}
}

// The warnings about defaults of the profile are one line of the log.
func TestWarningsOfAStart(t *testing.T) {
	s := serveIn(t, newShell(t, "ROSTER_PROFILE=django", "ROSTER_SIGNING_KEY=hunter2-0123456789-abcdefghijklmnopqrstuvwxyz"))
	if len(s.warned) != 1 || !strings.Contains(s.warned["django"], "signing_algorithm") {
		t.Errorf("the start says %v", s.warned)
	}
}

// An export is readable by its owner only, and an import warns about a file that other users can read.
func TestExposedImport(t *testing.T) {
	s := newShell(t)
	s.must("", "migrate")
	file := filepath.Join(t.TempDir(), "users.jsonl")
	s.must("", "export", file)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the export: %v, %v", info, err)
	}
	for name, args := range map[string][]string{"roster": {"import", "roster", file}, "django": {"import", "django", file, "--dry-run"}} {
		for mode, want := range map[os.FileMode]bool{0o600: false, 0o640: true} { //nolint:exhaustive // two modes
			if err := os.Chmod(file, mode); err != nil {
				t.Fatal(err)
			}
			warned := strings.Contains(s.run("", args...).stderr, "The file to import can be read by others: "+file+": mode 0640 lets its group read it; make it 0600.")
			if warned != want {
				t.Errorf("import %s, mode %04o: warned: %v", name, mode, warned)
			}
		}
	}
}

// check says where mails go, without the password.
func TestCheckOfMail(t *testing.T) {
	for want, environ := range map[string][]string{
		"Mail: off, by the setting mail.\n":                             {"ROSTER_MAIL=off"},
		"Mail: to files in mails.\n":                                    {"ROSTER_MAIL=file:mails"},
		"Mail: to the server mail.example.org:587.\n":                   {"ROSTER_MAIL=smtp://ann:s3cret@mail.example.org:587", "ROSTER_MAIL_FROM=a@example.org"},
		"Mail: off: the service is open to the network, and there is":   {"ROSTER_LISTEN=0.0.0.0:8000"},
		"  mail is (not set): a reader of the log can follow the links": {"ROSTER_LISTEN=0.0.0.0:8000", "ROSTER_PUBLIC_URL=https://id.example.org"},
	} {
		if out := newShell(t, environ...).must("", "check"); !strings.Contains(out, "\n"+want) || strings.Contains(out, "s3cret") {
			t.Errorf("%v: no %q in\n%s", environ, want, out)
		}
	}
}

// Verification without mail is refused, and the error names what switches mail on.
func TestVerificationNeedsMail(t *testing.T) {
	const required = "ROSTER_EMAIL_VERIFICATION=required"
	newShell(t, required, "ROSTER_LISTEN=0.0.0.0:8000").
		fails(exitFailure, []string{"ROSTER_PUBLIC_URL: is needed with email_verification required"}, "", "check")
	newShell(t, required, "ROSTER_MAIL=off").
		fails(exitFailure, []string{"ROSTER_EMAIL_VERIFICATION: needs mail, which is off"}, "", "check")
}

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"

	"roster/domain/user"
	"roster/ports/inbound"
)

// Where nobody watches, progress is a line now and then.
func TestProgressInLines(t *testing.T) {
	var out bytes.Buffer
	p := (&program{stderr: &out}).progress()
	for n := range int64(40_000) {
		p.tell("users", n+1, 40_000)
	}
	for n := range int64(25_000) {
		p.tell("copied events", n+1, 0)
	}
	p.tell("tokens", 3, 3) // too few to be worth a line
	p.finish()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != partsTold+11 || lines[0] != "users: 2000 of 40000" || lines[partsTold-1] != "users: 40000 of 40000" || lines[partsTold] != "copied events: 1000" || lines[len(lines)-1] != "copied events: 20000" {
		t.Errorf("%d lines:\n%s", len(lines), out.String())
	}
	out.Reset()
	for n := int64(0); n < 30_000; n += 7_000 { // stretches that skip what would be told
		p.tell("copied users", n, 0)
	}
	if want := "copied users: 7000\ncopied users: 14000\ncopied users: 21000\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

// On a terminal it is a bar, which begins again with each thing that is moved.
func TestProgressOnATerminal(t *testing.T) {
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	shown := make(chan string)
	go func() {
		var all bytes.Buffer
		_, _ = all.ReadFrom(master) // ends with an error, once the other side is closed
		shown <- all.String()
	}()
	p := (&program{stderr: slave}).progress()
	p.tell("users", 1, 2)
	p.tell("users", 2, 2)
	p.tell("tokens", 1, 1)
	p.finish()
	if err := slave.Close(); err != nil {
		t.Fatal(err)
	}
	text := <-shown
	if !strings.Contains(text, "\r") || !strings.Contains(text, "users 100%") || !strings.Contains(text, "tokens 100%") || !strings.Contains(text, "2/2") {
		t.Errorf("shown: %q", text)
	}
}

// A file of results is there only when it is whole, and may take the place of what was read.
func TestResultFile(t *testing.T) {
	dir := t.TempDir()
	r := resultFile{path: filepath.Join(dir, "rejects.jsonl")}
	if made, err := r.close(); made || err != nil {
		t.Errorf("not opened: %v, %v", made, err)
	}
	if err := r.open(); err != nil {
		t.Fatal(err)
	}
	if made, err := r.close(); made || err != nil {
		t.Errorf("without a line: %v, %v", made, err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
		t.Errorf("left behind: %v, %v", files, err)
	}
	if err := os.WriteFile(r.path, []byte("before"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := r.open(); err != nil {
		t.Fatal(err)
	}
	if err := r.add([]byte("{\n  \"a\": 1\n}")); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(r.path); err != nil || string(text) != "before" {
		t.Errorf("while it is written: %q, %v", text, err)
	}
	if err := r.add([]byte("no JSON")); err == nil {
		t.Error("took what is no JSON")
	}
	if made, err := r.close(); !made || err != nil {
		t.Errorf("%v, %v", made, err)
	}
	text, err := os.ReadFile(r.path)
	info, err2 := os.Stat(r.path)
	if err != nil || err2 != nil || string(text) != "{\"a\":1}\n" || info.Mode().Perm() != 0o600 {
		t.Errorf("%q, %v, %v, %v", text, info.Mode(), err, err2)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("left behind: %v, %v", files, err)
	}
	for _, path := range []string{filepath.Join(dir, "none", "x"), dir} {
		if err := (&resultFile{path: path}).open(); err == nil {
			t.Errorf("opened %s", path)
		}
	}
}

func TestReportLine(t *testing.T) {
	for want, row := range map[string]inbound.ImportRow{
		`{"place":"object 2","id":2,"email":"a@b.example","outcome":"rejected","reason":"duplicate_email","detail":"x","other_id":"1"}`: {
			Place: "object 2", ID: "2", Email: "a@b.example", Outcome: inbound.Rejected, Reason: inbound.ReasonEmailTaken, Detail: "x", Other: "1", Row: []byte("secret"),
		},
		`{"place":"object 3","id":null,"email":"","outcome":"kept","members":["password"]}`: {Place: "object 3", Outcome: inbound.Kept, Differs: []string{"password"}},
		`{"place":"p","id":"0190b7a5-0000-7000-8000-000000000001","email":"","outcome":"added","notices":["superuser_without_staff"]}`: {
			Place: "p", ID: user.ID("0190b7a5-0000-7000-8000-000000000001"), Outcome: inbound.Added, Notices: []inbound.Notice{inbound.NoticeSuperuser},
		},
	} {
		if got, err := newReportLine(row); err != nil || string(got) != want {
			t.Errorf("%v\n%s\n%s", err, got, want)
		}
	}
}

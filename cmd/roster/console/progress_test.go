package console

import (
	"bytes"
	"strings"
	"testing"

	"github.com/creack/pty"
)

// Without a terminal, progress is a line for each 1,000 records.
func TestProgressInLines(t *testing.T) {
	var out bytes.Buffer
	p := NewProgress(&out, false)
	for n := range int64(40_000) {
		p.Report("users", n+1, 40_000)
	}
	for n := range int64(5_000) {
		p.Report("copied events", n+1, 0)
	}
	p.Report("tokens", 3, 3) // too few for a line
	p.Finish()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != parts+5 || lines[0] != "users: 2000 of 40000" || lines[parts-1] != "users: 40000 of 40000" || lines[parts] != "copied events: 1000" || lines[len(lines)-1] != "copied events: 5000" {
		t.Errorf("%d lines:\n%s", len(lines), out.String())
	}
	out.Reset()
	for n := int64(0); n < 30_000; n += 7_000 { // steps that skip the counts of lines
		p.Report("copied users", n, 0)
	}
	if want := "copied users: 7000\ncopied users: 14000\ncopied users: 21000\ncopied users: 28000\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

// On a terminal it is a bar, which restarts with each kind of record.
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
	p := NewProgress(slave, false)
	p.Report("users", 1, 2)
	p.Report("users", 2, 2)
	p.Report("tokens", 1, 1)
	p.Finish()
	if err := slave.Close(); err != nil {
		t.Fatal(err)
	}
	text := <-shown
	if !strings.Contains(text, "\r") || !strings.Contains(text, "users 100%") || !strings.Contains(text, "tokens 100%") || !strings.Contains(text, "2/2") {
		t.Errorf("shown: %q", text)
	}
}

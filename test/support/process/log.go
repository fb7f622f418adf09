package process

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// Log keeps what one or several runs of a process wrote, and sees when one is ready.
type Log struct {
	mu    sync.Mutex
	text  bytes.Buffer
	line  []byte        // the last line, while it is not whole
	ready chan string   // takes the address of the run under way, once
	grown chan struct{} // closed at the next write; nil when none waits for it
}

// begin returns a channel that takes the address of the next process that says that it serves.
func (l *Log) begin() <-chan string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ready = make(chan string, 1)
	return l.ready
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(p)
	if l.grown != nil {
		close(l.grown)
		l.grown = nil
	}
	l.line = append(l.line, p...)
	for {
		line, rest, whole := bytes.Cut(l.line, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		if address := serving(line); address != "" && l.ready != nil {
			l.ready <- address
			l.ready = nil
		}
		l.line = rest
	}
}

// Await returns once text has been written.
func (l *Log) Await(text string) error {
	overdue := time.NewTimer(patience)
	defer overdue.Stop()
	for {
		l.mu.Lock()
		if bytes.Contains(l.text.Bytes(), []byte(text)) {
			l.mu.Unlock()
			return nil
		}
		if l.grown == nil {
			l.grown = make(chan struct{})
		}
		grown := l.grown
		l.mu.Unlock()
		select {
		case <-grown:
		case <-overdue.C:
			return fmt.Errorf("no %q in the log after %s", text, patience)
		}
	}
}

// String returns all that was written so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// serving returns the address that a line of the log says is served, or "".
func serving(line []byte) string {
	var entry struct{ Msg, Address string }
	if err := json.Unmarshal(line, &entry); err != nil || entry.Msg != "serving" {
		return ""
	}
	return entry.Address
}

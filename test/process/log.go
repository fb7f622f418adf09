package process

import (
	"bytes"
	"encoding/json"
	"sync"
)

// Log keeps what one or several runs of a process wrote, and sees when one is ready.
type Log struct {
	mu    sync.Mutex
	text  bytes.Buffer
	line  []byte      // the last line, while it is not whole
	ready chan string // takes the address of the run under way, once
}

// begin returns a channel that takes the address of the next process that says that it serves.
func (l *Log) begin() <-chan string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ready = make(chan string, 1)
	return l.ready
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(p)
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

package bootstrap

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
)

// reader is the reader of a log. It blocks until held, unless nil, is closed, and writes to it fail while it is broken.
type reader struct {
	held   chan struct{}
	mu     sync.Mutex
	broken error
	text   bytes.Buffer
}

func (r *reader) Write(p []byte) (int, error) {
	if r.held != nil {
		<-r.held
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.broken != nil {
		return 0, r.broken
	}
	return r.text.Write(p)
}

func (r *reader) breaks(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken = err
}

func (r *reader) lines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Split(strings.TrimSuffix(r.text.String(), "\n"), "\n")
}

// droppedLines returns how many lines were dropped since the start.
func (o *LogOutput) droppedLines() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.dropped
}

// logTo returns a log of JSON lines that r reads.
func logTo(t *testing.T, r *reader) (*zap.Logger, *LogOutput) {
	t.Helper()
	out := NewLogOutput(r)
	log, _, err := newLog(load(t), out)
	if err != nil {
		t.Fatal(err)
	}
	return log, out
}

// While the reader reads, no line is lost, and the lines of one goroutine keep their order.
func TestLogKeepsAllLines(t *testing.T) {
	const writers, each = 8, 500
	r := new(reader)
	log, out := logTo(t, r)
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				if log := log.With(zap.Int("writer", w), zap.Int("i", i)); i%2 == 0 {
					log.Info("line")
				} else {
					log.Warn("line")
				}
			}
		})
	}
	all.Wait()
	out.Close()
	if n := len(r.lines()); n != writers*each || out.droppedLines() > 0 {
		t.Errorf("%d lines, %d dropped, want %d and none", n, out.droppedLines(), writers*each)
	}
	for w := range writers {
		next := 0
		for _, line := range r.lines() {
			if strings.Contains(line, fmt.Sprintf(`"writer":%d,"i":%d}`, w, next)) {
				next++
			}
		}
		if next != each {
			t.Errorf("of writer %d only %d lines are in order", w, next)
		}
	}
}

// A blocked reader does not delay the service. Lines that exceed the buffer are dropped, warnings last, and the log
// reports their number at the gap.
func TestLogOfAStuckReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{held: make(chan struct{})}
		log, out := logTo(t, r)
		filler := zap.String("filler", strings.Repeat("x", 1000))
		const flood = 3 * logRoom / 1000
		log.Info("held")
		synctest.Wait() // until it is being written: what follows stays in the buffer
		for range flood {
			log.Info("flood", filler)
		}
		lost := out.droppedLines()
		if lost == 0 || lost >= flood {
			t.Errorf("%d of %d lines were dropped", lost, flood)
		}
		log.Warn("important")
		if out.droppedLines() != lost {
			t.Error("the warning was dropped")
		}
		for range flood {
			log.Error("flood", filler)
		}
		lost = out.droppedLines()
		synctest.Wait()
		close(r.held)
		synctest.Wait()
		log.Info("after")
		out.Close()

		lines := r.lines()
		is := func(message string) func(string) bool {
			return func(line string) bool { return strings.Contains(line, `"msg":"`+message) }
		}
		report := slices.IndexFunc(lines, is("lines of this log were dropped"))
		if report < 0 || !strings.Contains(lines[report], `"level":"warn"`) ||
			!strings.Contains(lines[report], fmt.Sprintf(`"lines":%d,"since_start":%d}`, lost, lost)) {
			t.Fatalf("no report of %d lines, but %q", lost, lines[len(lines)-1])
		}
		if written := uint64(len(lines) - 1); written+lost != 2*flood+3 {
			t.Errorf("%d lines were written and %d dropped, of %d", written, lost, 2*flood+3)
		}
		if w, a := slices.IndexFunc(lines, is("important")), slices.IndexFunc(lines, is("after")); w < 0 || w > report || a != report+1 {
			t.Errorf("the warning is line %d, the report %d, what followed %d", w, report, a)
		}
		if slices.ContainsFunc(lines[report+1:], is("lines of this log were dropped")) {
			t.Error("reported twice")
		}
	})
}

// A closed reader, or a full disk, is not a failure; when lines can be written again, the log reports the number of the
// lost ones.
func TestLogOfABrokenReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := new(reader)
		log, out := logTo(t, r)
		r.breaks(errors.New("no space left on device"))
		for range 3 {
			log.Info("lost")
			synctest.Wait()
		}
		if out.droppedLines() != 3 {
			t.Errorf("%d lines were dropped, want 3", out.droppedLines())
		}
		r.breaks(nil)
		log.Info("back")
		synctest.Wait()
		out.Close()
		if lines := r.lines(); len(lines) != 2 || !strings.Contains(lines[0], `"back"`) || !strings.Contains(lines[1], `"lines":3,"since_start":3}`) {
			t.Errorf("%q", lines)
		}
	})
}

// Close waits only a short time for a blocked reader. Its goroutine ends when the reader continues.
func TestLogOfAStuckReaderIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &reader{held: make(chan struct{})}
		log, out := logTo(t, r)
		log.Info("held")
		begun := time.Now()
		out.Close()
		if took := time.Since(begun); took != logFlush {
			t.Errorf("closed after %v, want %v", took, logFlush)
		}
		close(r.held)
		<-out.done
		if lines := r.lines(); len(lines) != 1 || !strings.Contains(lines[0], `"held"`) {
			t.Errorf("%q", lines)
		}
	})
}

// The log level applies to both kinds of lines.
func TestLogLevel(t *testing.T) {
	for level, want := range map[string]int{"debug": 4, "info": 3, "warn": 2, "error": 1} {
		r := new(reader)
		out := NewLogOutput(r)
		log, _, err := newLog(load(t, "ROSTER_LOG_LEVEL="+level), out)
		if err != nil {
			t.Fatal(err)
		}
		log.Debug("line")
		log.Info("line")
		log.Warn("line")
		log.Error("line")
		out.Close()
		if n := strings.Count(strings.Join(r.lines(), ""), `"line"`); n != want {
			t.Errorf("%s: %d lines, want %d", level, n, want)
		}
	}
}

package bootstrap

import (
	"bytes"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

const (
	logRoom    = 1 << 20     // bytes of lines that may wait for the reader of the log
	logReserve = logRoom / 4 // the part of logRoom that only warnings and errors may use
	logFlush   = time.Second // how long Close waits for a reader that takes nothing
)

// LogOutput writes the lines of the log to another writer, such as the pipe to a log collector, in a goroutine of its
// own, so that a reader that is slow or gone delays no request and no shutdown. Up to logRoom bytes wait for the reader;
// further lines are dropped and counted. Each line is one write, in the order of the calls. (zap's BufferedWriteSyncer
// waits for the reader when its buffer is full.)
type LogOutput struct {
	Plain bool // no colours, even on a terminal; set it before the log is used

	w    io.Writer
	wake chan struct{} // there is something to write
	stop chan struct{} // closed by Close
	done chan struct{} // closed when nothing is written any more

	mu       sync.Mutex
	pending  []byte
	dropped  uint64                  // lines since the start
	reported uint64                  // of them, those that report was called for
	report   func(lines, all uint64) // writes a line about dropped ones
}

// NewLogOutput returns a LogOutput that writes to w until Close.
func NewLogOutput(w io.Writer) *LogOutput {
	o := &LogOutput{
		w: w, wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
		report: func(uint64, uint64) {},
	}
	go o.run()
	return o
}

// Write copies whole lines. It neither waits nor fails.
func (o *LogOutput) Write(lines []byte) (int, error) {
	o.add(lines, logRoom)
	return len(lines), nil
}

// ordinary is a LogOutput for the lines that are dropped first.
type ordinary struct{ *LogOutput }

func (o ordinary) Write(lines []byte) (int, error) {
	o.add(lines, logRoom-logReserve)
	return len(lines), nil
}

func (o *LogOutput) add(lines []byte, room int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.pending)+len(lines) > room {
		for range bytes.Lines(lines) {
			o.dropped++
		}
		return
	}
	o.pending = append(o.pending, lines...)
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// onDrop makes report be called after lines were dropped, once there is room for it.
func (o *LogOutput) onDrop(report func(lines, all uint64)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.report = report
}

// Dropped returns how many lines were dropped since the start.
func (o *LogOutput) Dropped() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.dropped
}

// Close writes the lines that wait, for up to a second. A write that then still waits for the reader ends with the
// process, since no system can cancel a write to a pipe.
func (o *LogOutput) Close() {
	close(o.stop)
	limit := time.NewTimer(logFlush)
	defer limit.Stop()
	select {
	case <-o.done:
	case <-limit.C:
	}
}

// terminal reports whether the lines are read on a terminal.
func (o *LogOutput) terminal() bool {
	f, ok := o.w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (o *LogOutput) run() {
	defer close(o.done)
	var batch []byte
	healthy := true // the last batch was written
	for open := true; open; {
		select {
		case <-o.wake:
		case <-o.stop:
			open = false
		}
		for {
			o.mu.Lock()
			batch, o.pending = o.pending, batch[:0]
			lines, all, report := o.dropped-o.reported, o.dropped, o.report
			if !healthy {
				lines = 0 // the report would be lost too
			}
			o.reported += lines
			o.mu.Unlock()
			if lines > 0 {
				report(lines, all) // right after the last line before the gap
			}
			if len(batch) == 0 && lines == 0 {
				break
			}
			healthy = o.write(batch)
		}
	}
}

// write writes batch, and counts the lines that cannot be written as dropped. Lines are written together as far as a pipe
// takes them as a whole, so that several processes can share it.
func (o *LogOutput) write(batch []byte) (all bool) {
	failed := uint64(0)
	for len(batch) > 0 {
		together := wholeLines(batch)
		if n, err := o.w.Write(together); err != nil {
			for range bytes.Lines(together[n:]) {
				failed++
			}
		}
		batch = batch[len(together):]
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.dropped += failed
	return failed == 0
}

// pipeSize is PIPE_BUF of Linux: other writers to a pipe cannot break into a write of so many bytes (pipe(7)).
const pipeSize = 4096

// wholeLines returns the first lines of batch that have pipeSize bytes together, at least one line.
func wholeLines(batch []byte) []byte {
	end := bytes.LastIndexByte(batch[:min(len(batch), pipeSize)], '\n')
	if end < 0 {
		end = bytes.IndexByte(batch, '\n')
	}
	if end < 0 {
		return batch
	}
	return batch[:end+1]
}

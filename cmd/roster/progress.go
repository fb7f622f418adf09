package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"roster/ports/inbound"
)

// How often progress is told where nobody watches: in parts of a known total, never for less than
// leastTold, which takes a moment; or by number, at first more often.
const (
	partsTold = 20
	leastTold = 500
	firstTold = 1_000
	everyTold = 10_000
)

// progress shows how far a move is: a bar on a terminal, now and then a line elsewhere.
type progress struct {
	out   io.Writer
	bar   *progressbar.ProgressBar
	shows bool // on a terminal
	what  string
	next  int64 // the count to be told next
}

func (p *program) progress() *progress {
	return &progress{out: p.stderr, shows: showsTerminal(p.stderr) && !p.dumb()}
}

// tell implements inbound.Progress.
func (p *progress) tell(what string, done, total int64) {
	if what != p.what {
		p.finish()
		p.what, p.next = what, step(total, 0)
		if p.shows {
			p.bar = newBar(p.out, what, total)
		}
	}
	if p.bar != nil {
		_ = p.bar.Set64(done) // a bar that cannot be drawn is no loss
		return
	}
	if done >= p.next {
		each := step(total, done)
		p.next = done - done%each + each
		if total > 0 {
			_, _ = fmt.Fprintf(p.out, "%s: %d of %d\n", what, done, total)
		} else {
			_, _ = fmt.Fprintf(p.out, "%s: %d\n", what, done)
		}
	}
}

func step(total, done int64) int64 {
	switch {
	case total > 0:
		return max(total/partsTold, leastTold)
	case done < everyTold:
		return firstTold
	}
	return everyTold
}

// newBar returns a bar, or where nobody knows the total a count.
func newBar(w io.Writer, what string, total int64) *progressbar.ProgressBar {
	if total <= 0 {
		total = -1
	}
	return progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
		progressbar.OptionSetItsString(what[strings.LastIndexByte(what, ' ')+1:]), // the last word: users/s
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionFullWidth(), progressbar.OptionSetRenderBlankState(true))
}

// finish leaves the last state of the bar behind.
func (p *progress) finish() {
	if p.bar != nil {
		_ = p.bar.Exit()
		_, _ = fmt.Fprintln(p.out)
		p.bar = nil
	}
}

var _ inbound.Progress = (*progress)(nil).tell

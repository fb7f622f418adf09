package console

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
)

// How often a line reports progress where there is no bar: for each of so many parts of a known total, but not for
// fewer records than leastLine; or by number, at first more often.
const (
	lineParts = 20
	leastLine = 500
	firstLine = 1_000
	everyLine = 10_000
)

// Progress shows how far a transfer is: as a bar on a terminal, elsewhere as a line from time to time.
type Progress struct {
	out   io.Writer
	bar   *progressbar.ProgressBar
	shows bool // on a terminal
	what  string
	next  int64 // the count of the next line
}

// NewProgress returns progress on out. It draws a bar if out is a terminal and plain is not set.
func NewProgress(out io.Writer, plain bool) *Progress {
	return &Progress{out: out, shows: IsTerminal(out) && !plain}
}

// Report shows that done of total records are through, 0 for an unknown total.
func (p *Progress) Report(what string, done, total int64) {
	if what != p.what {
		p.Finish()
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
		return max(total/lineParts, leastLine)
	case done < everyLine:
		return firstLine
	}
	return everyLine
}

// newBar returns a bar, or a count when the total is unknown.
func newBar(w io.Writer, what string, total int64) *progressbar.ProgressBar {
	if total <= 0 {
		total = -1
	}
	return progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
		progressbar.OptionSetItsString(what[strings.LastIndexByte(what, ' ')+1:]), // the last word: users/s
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionFullWidth(), progressbar.OptionSetRenderBlankState(true))
}

// Finish ends the bar, with its last state shown.
func (p *Progress) Finish() {
	if p.bar != nil {
		_ = p.bar.Exit()
		_, _ = fmt.Fprintln(p.out)
		p.bar = nil
	}
}

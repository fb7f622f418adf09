package console

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
)

// A line of progress is printed for each twentieth of a known total, but not for fewer records than minStep, and for
// each unknownStep records of an unknown total.
const (
	parts       = 20
	minStep     = 500
	unknownStep = 1_000
)

// Progress shows the progress of a transfer: as a bar on a terminal, and as a line from time to time elsewhere.
type Progress struct {
	out  io.Writer
	bars bool
	bar  *progressbar.ProgressBar
	what string
	next int64 // the count of the next line
}

// NewProgress returns progress on out. It draws a bar if out is a terminal and plain is not set.
func NewProgress(out io.Writer, plain bool) *Progress {
	return &Progress{out: out, bars: IsTerminal(out) && !plain}
}

// Report shows that done of total records are through, 0 for an unknown total.
func (p *Progress) Report(what string, done, total int64) {
	step, ofTotal := int64(unknownStep), ""
	if total > 0 {
		step, ofTotal = max(total/parts, minStep), fmt.Sprintf(" of %d", total)
	}
	if what != p.what {
		p.Finish()
		p.what, p.next = what, step
		if p.bars {
			p.bar = newBar(p.out, what, total)
		}
	}
	if p.bar != nil {
		_ = p.bar.Set64(done) // a bar that cannot be drawn is no loss
	} else if done >= p.next {
		p.next = done - done%step + step
		_, _ = fmt.Fprintf(p.out, "%s: %d%s\n", what, done, ofTotal)
	}
}

// newBar returns a bar, or a counter for an unknown total.
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

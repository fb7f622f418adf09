package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// ErrInterrupted reports that the operator interrupted a question.
var ErrInterrupted = fmt.Errorf("interrupted: %w", context.Canceled)

// Terminal asks the operator questions.
type Terminal struct {
	file  *os.File
	out   io.Writer
	lines *term.Terminal
}

// OpenTerminal returns the terminal that in is; ok is false when in is none. Questions are written to out.
func OpenTerminal(in io.Reader, out io.Writer) (t *Terminal, ok bool) {
	f, ok := in.(*os.File)
	if !ok || !term.IsTerminal(descriptor(f)) {
		return nil, false
	}
	lines := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{f, out}, "")
	if w, h, err := term.GetSize(descriptor(f)); err == nil && w > 0 {
		_ = lines.SetSize(w, h) // fails only when it cannot draw, and nothing is drawn yet
	}
	return &Terminal{file: f, out: out, lines: lines}, true
}

// IsTerminal reports whether w is a terminal.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(descriptor(f))
}

func descriptor(f *os.File) int { return int(f.Fd()) }

// Ask shows a question and returns the line that the operator types, which is not shown when hidden. It fails with
// ErrInterrupted, and with the error of ctx. The terminal is in raw mode from before the question is shown, so that no
// part of a hidden answer is shown, until Ask returns.
func (t *Terminal) Ask(ctx context.Context, question string, hidden bool) (string, error) {
	state, err := term.MakeRaw(descriptor(t.file))
	if err != nil {
		return "", err
	}
	defer func() { _ = term.Restore(descriptor(t.file), state) }()
	text, err := Await(ctx, func() (string, error) {
		if hidden {
			return t.lines.ReadPassword(question + ": ")
		}
		t.lines.SetPrompt(question + ": ")
		return t.lines.ReadLine()
	})
	if errors.Is(err, io.EOF) { // Ctrl-C, Ctrl-D, or the terminal is gone
		err = ErrInterrupted
	}
	if err != nil {
		_, _ = io.WriteString(t.out, "\r\n")
	}
	return text, err
}

// Print prints lines of text.
func (t *Terminal) Print(lines ...string) {
	for _, l := range lines {
		_, _ = fmt.Fprintln(t.out, Visible(l))
	}
}

// Await returns what read returns, or the error of ctx when ctx ends first. A read that cannot be cancelled continues
// until the process ends.
func Await(ctx context.Context, read func() (string, error)) (string, error) {
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		text, err := read()
		done <- result{text, err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case r := <-done:
		return r.text, r.err
	}
}

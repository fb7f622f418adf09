package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// terminal asks the operator questions.
type terminal struct {
	file  *os.File
	out   io.Writer
	lines *term.Terminal
}

// terminal returns the terminal that the standard input is, and whether it is one.
func (p *program) terminal() (*terminal, bool) {
	f, ok := p.stdin.(*os.File)
	if !ok || !term.IsTerminal(descriptor(f)) {
		return nil, false
	}
	t := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{f, p.stderr}, "")
	if w, h, err := term.GetSize(descriptor(f)); err == nil && w > 0 {
		_ = t.SetSize(w, h) // fails only when it cannot draw, and nothing is drawn yet
	}
	return &terminal{file: f, out: p.stderr, lines: t}, true
}

func descriptor(f *os.File) int { return int(f.Fd()) }

// answer returns a line of text, which is not shown when it is hidden.
func (t *terminal) answer(ctx context.Context, question string, hidden bool) (string, error) {
	return t.read(ctx, func() (string, error) {
		if hidden {
			return t.lines.ReadPassword(question + ": ")
		}
		t.lines.SetPrompt(question + ": ")
		return t.lines.ReadLine()
	})
}

// tell shows lines of text.
func (t *terminal) tell(lines ...string) {
	for _, l := range lines {
		_, _ = fmt.Fprintln(t.out, visible(l))
	}
}

// read takes the terminal out of its line mode before the question is shown, so that nothing of a
// hidden answer is ever shown, and puts it back, also when ctx ends while nobody answers.
func (t *terminal) read(ctx context.Context, line func() (string, error)) (string, error) {
	state, err := term.MakeRaw(descriptor(t.file))
	if err != nil {
		return "", err
	}
	defer func() { _ = term.Restore(descriptor(t.file), state) }()
	text, err := await(ctx, line)
	if errors.Is(err, io.EOF) { // Ctrl-C, Ctrl-D, or the terminal went away
		err = errInterrupted
	}
	if err != nil {
		_, _ = io.WriteString(t.out, "\r\n")
	}
	return text, err
}

// await returns what read returns, or the end of ctx. A read that cannot be broken off goes on until
// the process ends.
func await(ctx context.Context, read func() (string, error)) (string, error) {
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

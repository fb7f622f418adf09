// Command roster serves user accounts over HTTP and administers them from the command line.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	signal.Ignore(syscall.SIGPIPE) // writes fail instead, so that work whose messages are not read is finished
	os.Exit(supervise(signals, func(ctx context.Context) int {
		return run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ())
	}))
}

// supervise runs the program and returns its exit code. The first signal cancels the context, so that the program
// shuts down; after the second, supervise returns at once.
func supervise(signals <-chan os.Signal, program func(context.Context) int) int {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	done := make(chan int, 1)
	go func() { done <- program(ctx) }()
	select {
	case code := <-done:
		return code
	case <-signals:
		stop()
	}
	select {
	case code := <-done:
		return code
	case <-signals:
		return exitFailure
	}
}

// run is the whole program. It returns the exit code: 0 for success, 1 for a failure, 2 for an invalid command line, 130
// for an interruption, 141 when the reader of standard output has gone.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, environ []string) int {
	p := &program{stdin: stdin, stdout: stdout, stderr: stderr, environ: environ}
	root := p.command()
	root.SetArgs(append([]string{}, args...)) // never nil: cobra would take the process's own
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	code := p.report(root.ExecuteContext(ctx))
	if p.log != nil {
		p.log.Close()
	}
	return code
}

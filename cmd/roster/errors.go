package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"roster/bootstrap/config"
	"roster/cmd/roster/console"
	"roster/domain/fault"
)

// Exit codes.
const (
	exitFailure     = 1
	exitMisuse      = 2
	exitInterrupted = 128 + int(syscall.SIGINT)  // as shells report a program that the signal ended
	exitUnread      = 128 + int(syscall.SIGPIPE) // likewise
)

// misuseError is the error of an invalid command line.
type misuseError struct{ text string }

func (e misuseError) Error() string { return e.text }

// misuse returns a misuseError that names the help of cmd.
func misuse(cmd *cobra.Command, format string, args ...any) error {
	return misuseError{fmt.Sprintf(format, args...) + "; see " + cmd.CommandPath() + " --help"}
}

func interrupted(err error) bool { return errors.Is(err, context.Canceled) }

// resumable is the error of work that can be resumed, as hint says.
type resumable struct {
	error
	hint string
}

func (r resumable) Unwrap() error { return r.error }

// report prints err, one line per fault, and returns the exit code.
func (p *program) report(err error) int {
	if err == nil {
		return 0
	}
	if unread(err) {
		return exitUnread
	}
	for _, line := range lines(err) {
		_, _ = fmt.Fprintln(p.stderr, "roster: "+console.Visible(line))
	}
	if _, ok := errors.AsType[misuseError](err); ok {
		return exitMisuse
	}
	if interrupted(err) {
		return exitInterrupted
	}
	return exitFailure
}

// unread reports whether err is that the reader of standard output has gone, such as head once it has enough.
func unread(err error) bool {
	f, ok := errors.AsType[*fs.PathError](err)
	return ok && f.Path == os.Stdout.Name() && errors.Is(f, syscall.EPIPE)
}

// lines returns the lines to print for err.
func lines(err error) []string {
	if interrupted(err) {
		if r, ok := errors.AsType[resumable](err); ok {
			return []string{"interrupted; " + r.hint}
		}
		return []string{"interrupted"}
	}
	if faults, ok := errors.AsType[config.Faults](err); ok {
		return strings.Split(faults.Error(), "\n")
	}
	if f, ok := errors.AsType[*fault.Error](err); ok && len(f.Fields) > 0 {
		return fieldLines(f)
	}
	text := err.Error()
	if f, ok := errors.AsType[*fs.PathError](err); ok { // without the name of the system call
		text = strings.Replace(text, f.Error(), f.Path+": "+f.Err.Error(), 1)
	}
	return strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' })
}

// fieldLines returns a line for each member at fault, as in "email: Enter a valid email address."
func fieldLines(f *fault.Error) []string {
	out := make([]string, len(f.Fields))
	for i, one := range f.Fields {
		out[i] = one.Message
		if one.Name != "" {
			out[i] = one.Name + ": " + one.Message
		}
	}
	return out
}

// arguments accepts exactly the arguments named; [NAME] is optional.
func arguments(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > len(names) {
			extra, hint := args[len(names)], ""
			if extra == "true" || extra == "false" {
				hint = "; the value of a flag follows an equals sign, as in --staff=" + extra
			}
			return misuse(cmd, "unexpected argument %q%s", extra, hint)
		}
		if len(args) < len(names) && names[len(args)][0] != '[' {
			return misuse(cmd, "%s is missing", names[len(args)])
		}
		if i := slices.Index(args, ""); i >= 0 {
			return misuse(cmd, "%s is empty", strings.Trim(names[i], "[]"))
		}
		return nil
	}
}

// subcommand refuses an unknown subcommand of cmd.
func subcommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return misuse(cmd, "unknown command %q; did you mean %s?", args[0], strings.Join(near, ", "))
	}
	return misuse(cmd, "unknown command %q", args[0])
}

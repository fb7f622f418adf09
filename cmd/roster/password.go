package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"roster/cmd/roster/console"
	"roster/domain/field"
	"roster/ports/inbound"
)

const flagPasswordFile = "password-file"

// maxPasswordFile is more than any password may have; the rest would only be refused.
const maxPasswordFile = 64 << 10

// readPassword returns the password that a file holds, "-" for the standard input. One line feed at
// its end does not count.
func (p *program) readPassword(ctx context.Context, path string) (string, error) {
	text, err := console.Await(ctx, func() (string, error) {
		if path == "-" {
			return readText(p.stdin)
		}
		f, err := os.Open(path) //nolint:gosec // the operator names it
		if err != nil {
			return "", err
		}
		text, err := readText(f)
		return text, errors.Join(err, f.Close())
	})
	if err != nil {
		return "", fmt.Errorf("read the password: %w", err)
	}
	return text, nil
}

func readText(r io.Reader) (string, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxPasswordFile+1))
	if err != nil {
		return "", err
	}
	if len(data) > maxPasswordFile {
		return "", fmt.Errorf("it is longer than %d bytes", maxPasswordFile)
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r"), nil
}

// withPassword returns in with the password that --password-file names, if it names one.
func (p *program) withPassword(cmd *cobra.Command, in inbound.UserInput) (inbound.UserInput, error) {
	file := cmd.Flag(flagPasswordFile)
	if !file.Changed {
		return in, nil
	}
	password, err := p.readPassword(cmd.Context(), file.Value.String())
	if err == nil {
		in.Password = field.Given(password)
	}
	return in, err
}

// mustAsk returns the terminal to ask on, or an error that names the flag that makes asking unnecessary.
func (p *program) mustAsk(cmd *cobra.Command, flag string) (*console.Terminal, error) {
	t, ok := console.OpenTerminal(p.stdin, p.stderr)
	if !ok {
		return nil, misuse(cmd, "there is no terminal to ask on; give --%s", flag)
	}
	return t, nil
}

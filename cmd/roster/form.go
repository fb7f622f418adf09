package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"roster/cmd/roster/console"
	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/user"
	"roster/ports/inbound"
)

// question asks for a member of a user.
type question struct {
	member string
	label  string
	text   func(in *inbound.UserInput) *field.Text
	hidden bool // the answer is not shown, and is typed twice
	empty  bool // the answer may be empty
}

var (
	emailQuestion = question{
		member: user.FieldEmail, label: "Email address",
		text: func(in *inbound.UserInput) *field.Text { return &in.Email },
	}
	firstNameQuestion = question{
		member: user.FieldFirstName, label: "First name (may be empty)", empty: true,
		text: func(in *inbound.UserInput) *field.Text { return &in.FirstName },
	}
	lastNameQuestion = question{
		member: user.FieldLastName, label: "Last name (may be empty)", empty: true,
		text: func(in *inbound.UserInput) *field.Text { return &in.LastName },
	}
	passwordQuestion = question{
		member: user.FieldPassword, label: "Password", hidden: true,
		text: func(in *inbound.UserInput) *field.Text { return &in.Password },
	}
)

// form asks for members of a user.
type form struct {
	*console.Terminal // nil to ask nothing
	inbound.Administration
	questions []question
	user      *user.User // the user to change, or nil for a new one
	do        func(ctx context.Context, in inbound.UserInput) error
}

// fill asks for the members that in lacks and calls do. It shows why a member is refused and asks again.
func (f form) fill(ctx context.Context, in inbound.UserInput) error {
	if f.Terminal == nil {
		return f.do(ctx, in)
	}
	err := f.CheckInput(ctx, in, f.user)
	for {
		if err := f.clearRefused(&in, err); err != nil {
			return err
		}
		for _, q := range f.questions {
			if err := f.ask(ctx, q, &in); err != nil {
				return err
			}
		}
		if err = f.do(ctx, in); err == nil {
			return nil
		}
	}
}

// ask asks for a member that in lacks, until the answer is valid.
func (f form) ask(ctx context.Context, q question, in *inbound.UserInput) error {
	text := q.text(in)
	if q.hidden && !text.Present() {
		f.Print(f.PasswordRules())
	}
	for !text.Present() {
		answer, err := f.Ask(ctx, q.label, q.hidden)
		if err != nil {
			return err
		}
		if answer == "" && q.empty {
			return nil
		}
		*text = field.Given(answer)
		if err := f.clearRefused(in, f.CheckInput(ctx, *in, f.user)); err != nil {
			return err
		}
		if !q.hidden || !text.Present() {
			continue
		}
		again, err := f.Ask(ctx, q.label+" (again)", true)
		if err != nil {
			return err
		}
		if again != answer {
			f.Print("The two passwords are not the same.")
			*text = field.Text{}
		}
	}
	return nil
}

// clearRefused shows why err refuses members, and clears them in in. It returns any other err.
func (f form) clearRefused(in *inbound.UserInput, err error) error {
	refusal, ok := errors.AsType[*fault.Error](err)
	if !ok || len(refusal.Fields) == 0 {
		return err
	}
	for _, one := range refusal.Fields {
		i := slices.IndexFunc(f.questions, func(q question) bool { return q.member == one.Name })
		if i < 0 {
			return err
		}
		*f.questions[i].text(in) = field.Text{}
	}
	f.Print(fieldLines(refusal)...)
	return nil
}

// password returns the password in the file of --password-file or, without that flag, a terminal to ask on.
func (p *program) password(cmd *cobra.Command) (field.Text, *console.Terminal, error) {
	if f := cmd.Flag(flagPasswordFile); f.Changed {
		text, err := console.Await(cmd.Context(), func() (string, error) { return p.readPassword(f.Value.String()) })
		if err != nil {
			return field.Text{}, nil, fmt.Errorf("read the password: %w", err)
		}
		return field.Given(text), nil, nil
	}
	t, ok := console.OpenTerminal(p.stdin, p.stderr)
	if !ok {
		return field.Text{}, nil, misuse(cmd, "there is no terminal to ask on; give --%s", flagPasswordFile)
	}
	return field.Text{}, t, nil
}

// maxPasswordFile is a limit in bytes, far above the longest valid password.
const maxPasswordFile = 64 << 10

// readPassword returns the text of a file, "-" for the standard input, without one line break at its end.
func (p *program) readPassword(path string) (string, error) {
	in := p.stdin
	if path != "-" {
		f, err := os.Open(path) //nolint:gosec // the operator names it
		if err != nil {
			return "", err
		}
		defer func() { _ = f.Close() }() // nothing was written
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxPasswordFile+1))
	if len(data) > maxPasswordFile {
		err = fmt.Errorf("it is longer than %d bytes", maxPasswordFile)
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r"), err
}

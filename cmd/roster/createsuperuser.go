package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"roster/bootstrap"
	"roster/domain/field"
	"roster/ports/inbound"
)

// Flags that give a member of a user.
const (
	flagEmail     = "email"
	flagFirstName = "first-name"
	flagLastName  = "last-name"
)

func (p *program) createSuperuserCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "createsuperuser",
		Short:   "Create a user who may administer all others",
		Long:    "Create a user who may administer all others. What is not given is asked for; with --password-file\nnothing is asked and everything must be given.",
		Example: "  roster createsuperuser\n  roster createsuperuser --email ada@example.org --first-name Ada --last-name Lovelace --password-file -",
		Args:    arguments(),
		RunE:    p.createSuperuser,
	}
	memberFlags(cmd)
	cmd.Flags().String(flagPasswordFile, "", "read the password from a `file`, - for the standard input")
	return cmd
}

// memberFlags adds the flags for the members of a user that anybody may be shown.
func memberFlags(cmd *cobra.Command) {
	cmd.Flags().SortFlags = false
	cmd.Flags().String(flagEmail, "", "email `address`")
	cmd.Flags().String(flagFirstName, "", "first `name`")
	cmd.Flags().String(flagLastName, "", "last `name`")
}

// given returns a flag's value, or an absent member when it was not given.
func given(cmd *cobra.Command, flag string) field.Text {
	if f := cmd.Flag(flag); f.Changed {
		return field.Given(f.Value.String())
	}
	return field.Text{}
}

// members returns the members that the flags of memberFlags give.
func members(cmd *cobra.Command) inbound.UserInput {
	return inbound.UserInput{Email: given(cmd, flagEmail), FirstName: given(cmd, flagFirstName), LastName: given(cmd, flagLastName)}
}

func (p *program) createSuperuser(cmd *cobra.Command, _ []string) error {
	cfg, err := p.load(cmd)
	if err != nil {
		return err
	}
	in := members(cmd)
	create := func(ctx context.Context, a inbound.Administration) error {
		u, err := a.CreateSuperuser(ctx, in)
		if err != nil {
			return err
		}
		s := u.Snapshot()
		_, err = fmt.Fprintf(p.stdout, "Created the superuser %s with id %s.\n", visible(s.Email), s.ID)
		return err
	}
	file := cmd.Flag(flagPasswordFile)
	if !file.Changed {
		t, ok := p.terminal()
		if !ok {
			return misuse(cmd, "there is no terminal to ask on; give --%s", flagPasswordFile)
		}
		return bootstrap.Administer(cmd.Context(), cfg, bootstrap.Create, p.notice, func(ctx context.Context, a inbound.Administration) error {
			return t.insist(ctx, questions, &in, func() error { return create(ctx, a) })
		})
	}
	var missing []string
	for _, f := range []string{flagEmail, flagFirstName, flagLastName} {
		if !cmd.Flag(f).Changed {
			missing = append(missing, "--"+f)
		}
	}
	if len(missing) > 0 {
		return misuse(cmd, "--%s needs %s too", flagPasswordFile, strings.Join(missing, ", "))
	}
	password, err := p.readPassword(cmd.Context(), file.Value.String())
	if err != nil {
		return err
	}
	in.Password = field.Given(password)
	return bootstrap.Administer(cmd.Context(), cfg, bootstrap.Create, p.notice, create)
}

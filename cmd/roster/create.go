package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"roster/bootstrap"
	"roster/cmd/roster/console"
	"roster/domain/field"
	"roster/domain/user"
	"roster/ports/inbound"
)

// creation describes how a command creates a user.
type creation struct {
	access     bootstrap.Access
	noPassword bool
	ifAbsent   bool // succeed when the user is an active administrator already
}

func (p *program) createSuperuserCommand() *cobra.Command {
	c := creation{access: bootstrap.Create}
	cmd := &cobra.Command{
		Use:   "createsuperuser",
		Short: "Create an administrator",
		Long: "Create an administrator. What is not given is asked for; with --password-file\n" +
			"nothing is asked, --email must be given, and names that are not given are empty.\n\n" +
			"With --if-absent the command can run at each start of a container: when an active administrator has\n" +
			"the address already, it changes nothing and succeeds. Any other user with the address is an error.",
		Example: "  roster createsuperuser\n" +
			"  roster createsuperuser --if-absent --email ada@example.org --password-file /run/secrets/password",
		Args: arguments(),
	}
	memberFlags(cmd)
	passwordFlag(cmd)
	cmd.Flags().BoolVar(&c.ifAbsent, "if-absent", false, "succeed also when the administrator exists already; needs --"+flagEmail)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		in := members(cmd)
		in.Staff = field.Bool(true)
		if c.ifAbsent && !in.Email.Present() {
			return misuse(cmd, "--if-absent needs --%s", flagEmail)
		}
		return p.create(cmd, in, c)
	}
	return cmd
}

func (p *program) userCreateCommand() *cobra.Command {
	c := creation{access: bootstrap.Write}
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Create a user",
		Long: "Create a user. What is not given is asked for; with --password-file or --no-password nothing is\n" +
			"asked, --email must be given, and names that are not given are empty.",
		Example: "  roster user create --email grace@example.org --first-name Grace --last-name Hopper --password-file -\n" +
			"  roster user create --email grace@example.org --no-password",
		Args: arguments(),
	}
	memberFlags(cmd)
	passwordFlag(cmd)
	cmd.Flags().BoolVar(&c.noPassword, "no-password", false, "no password fits until user set-password")
	active := optionalBool(cmd, "active", "the user may sign in (default), or with =false not")
	staff := optionalBool(cmd, "staff", "the user may administer others")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if c.noPassword && cmd.Flag(flagPasswordFile).Changed {
			return misuse(cmd, "--no-password does not go with --%s", flagPasswordFile)
		}
		in := members(cmd)
		if value := active(); value != nil {
			in.Active = field.Bool(*value)
		}
		if value := staff(); value != nil {
			in.Staff = field.Bool(*value)
		}
		return p.create(cmd, in, c)
	}
	return cmd
}

// create creates a user from the flags and the answers to questions.
func (p *program) create(cmd *cobra.Command, in inbound.UserInput, c creation) (err error) {
	if (c.noPassword || cmd.Flag(flagPasswordFile).Changed) && !in.Email.Present() {
		return misuse(cmd, "--%s is missing", flagEmail)
	}
	var t *console.Terminal
	if !c.noPassword {
		if in.Password, t, err = p.password(cmd); err != nil {
			return err
		}
	}
	return p.administer(cmd, c.access, p.notice, func(ctx context.Context, a inbound.Administration) error {
		if c.ifAbsent {
			if exists, err := p.administratorExists(ctx, a, in.Email.Value()); exists || err != nil {
				return err
			}
		}
		do := func(ctx context.Context, in inbound.UserInput) error {
			u, err := a.Create(ctx, in)
			if err != nil && c.ifAbsent { // another start may have created it at the same time
				if exists, err := p.administratorExists(ctx, a, in.Email.Value()); exists || err != nil {
					return err
				}
			}
			if err != nil {
				return err
			}
			s, what := u.Snapshot(), "user"
			if s.Staff {
				what = "superuser"
			}
			_, err = fmt.Fprintf(p.stdout, "Created the %s %s with id %s.\n", what, console.Visible(s.Email), s.ID)
			return err
		}
		questions := []question{emailQuestion, firstNameQuestion, lastNameQuestion, passwordQuestion}
		return form{Terminal: t, Administration: a, questions: questions, do: do}.fill(ctx, in)
	})
}

// administratorExists reports whether an active administrator has an address. It fails when another user has it.
func (p *program) administratorExists(ctx context.Context, a inbound.Administration, address string) (bool, error) {
	u, err := a.Find(ctx, address)
	if errors.Is(err, user.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	s := u.Snapshot()
	if !s.Administers() {
		return false, fmt.Errorf("%s exists, but is not an active administrator; roster user set %s --active --staff makes one", s.Email, s.ID)
	}
	_, err = fmt.Fprintf(p.stdout, "The superuser %s with id %s exists already.\n", console.Visible(s.Email), s.ID)
	return true, err
}

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

// Flags that give a member of a user.
const (
	flagEmail     = "email"
	flagFirstName = "first-name"
	flagLastName  = "last-name"
)

func (p *program) createSuperuserCommand() *cobra.Command {
	var ifAbsent bool
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
	cmd.Flags().BoolVar(&ifAbsent, "if-absent", false, "succeed also when the administrator exists already; needs --"+flagEmail)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		in := members(cmd)
		in.Staff = field.Bool(true)
		if !ifAbsent {
			return p.create(cmd, creation{in: in, access: bootstrap.Create})
		}
		if !in.Email.Present() {
			return misuse(cmd, "--if-absent needs --%s", flagEmail)
		}
		return p.create(cmd, creation{in: in, access: bootstrap.Create, there: p.administratorThere})
	}
	return cmd
}

// administratorThere reports whether an active administrator has an address. It fails when another user has it.
func (p *program) administratorThere(ctx context.Context, a inbound.Administration, address string) (bool, error) {
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

// memberFlags adds the flags for the members of a user that anybody may be shown.
func memberFlags(cmd *cobra.Command) {
	cmd.Flags().SortFlags = false
	cmd.Flags().String(flagEmail, "", "email `address`")
	cmd.Flags().String(flagFirstName, "", "first `name`")
	cmd.Flags().String(flagLastName, "", "last `name`")
}

func passwordFlag(cmd *cobra.Command) {
	cmd.Flags().String(flagPasswordFile, "", "read the password from a `file`, - for the standard input")
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

// creation is how a command makes a user.
type creation struct {
	in         inbound.UserInput // what the flags give
	access     bootstrap.Access
	noPassword bool

	// there, unless nil, reports whether the user that is wanted is there already, so that nothing is to be done.
	there func(ctx context.Context, a inbound.Administration, address string) (bool, error)
}

// create makes a user of what the flags give and what is asked for.
func (p *program) create(cmd *cobra.Command, c creation) error {
	in, there := c.in, c.there
	cfg, err := p.load(cmd)
	if err != nil {
		return err
	}
	var t *console.Terminal
	if file := cmd.Flag(flagPasswordFile); file.Changed || c.noPassword {
		if !in.Email.Present() {
			return misuse(cmd, "--%s is missing", flagEmail)
		}
		if in, err = p.withPassword(cmd, in); err != nil {
			return err
		}
	} else if t, err = p.mustAsk(cmd, flagPasswordFile); err != nil {
		return err
	}
	return bootstrap.Administer(cmd.Context(), cfg, c.access, p.notice, func(ctx context.Context, a inbound.Administration) error {
		if there != nil {
			if done, err := there(ctx, a, in.Email.Value()); done || err != nil {
				return err
			}
		}
		do := func(ctx context.Context, in inbound.UserInput) error {
			u, err := a.Create(ctx, in)
			if err != nil && there != nil { // another start may have created it at the same moment
				if done, err := there(ctx, a, in.Email.Value()); done || err != nil {
					return err
				}
			}
			if err != nil {
				return err
			}
			s := u.Snapshot()
			what := map[bool]string{true: "superuser", false: "user"}[s.Staff]
			_, err = fmt.Fprintf(p.stdout, "Created the %s %s with id %s.\n", what, console.Visible(s.Email), s.ID)
			return err
		}
		if t == nil {
			return do(ctx, in)
		}
		judge := func(ctx context.Context, in inbound.UserInput) error { return a.CheckInput(ctx, in, nil) }
		return form{Terminal: t, questions: questions, rules: a.PasswordRules(), judge: judge, do: do}.fill(ctx, in)
	})
}

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"roster/bootstrap"
	"roster/domain/field"
	"roster/domain/user"
	"roster/ports/inbound"
)

// who is how the commands call their argument.
const who = "WHO (an email address or an id)"

func (p *program) userCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "user",
		Short: "List, show, change, unlock and delete users",

		SuggestionsMinimumDistance: 2,

		Args: subcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.userListCommand(), p.userShowCommand(), p.userSetCommand(), p.userSetPasswordCommand(), p.userUnlockCommand(), p.userDeleteCommand())
	return cmd
}

// onUser returns a command's body: do with the user that the first argument names.
func (p *program) onUser(access bootstrap.Access, do func(ctx context.Context, cmd *cobra.Command, a inbound.Administration, u *user.User) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		cfg, err := p.load(cmd)
		if err != nil {
			return err
		}
		err = bootstrap.Administer(cmd.Context(), cfg, access, nil, func(ctx context.Context, a inbound.Administration) error {
			u, err := a.Find(ctx, args[0])
			if err != nil {
				return err
			}
			return do(ctx, cmd, a, u)
		})
		if errors.Is(err, user.ErrNotFound) {
			return fmt.Errorf("there is no user %q", args[0])
		}
		return err
	}
}

func (p *program) userListCommand() *cobra.Command {
	var search string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List users, the first to join first",
		Args:  arguments(),
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&search, "search", "", "only users whose email or names hold all these `words`")
	active, staff := triState(cmd, "active", "only users who may sign in, or with =false who may not"), triState(cmd, "staff", "only administrators, or with =false only others")
	format := formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		form, err := format.get(cmd)
		if err != nil {
			return err
		}
		cfg, err := p.load(cmd)
		if err != nil {
			return err
		}
		filter := user.Filter{Terms: user.Terms(search), Active: active.value, Staff: staff.value}
		return bootstrap.Administer(cmd.Context(), cfg, bootstrap.Read, nil, func(ctx context.Context, a inbound.Administration) error {
			out := form(p.stdout)
			return errors.Join(a.Each(ctx, filter, out.add), out.flush())
		})
	}
	return cmd
}

func (p *program) userShowCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "show WHO", Short: "Show a user", Args: arguments(who), ValidArgsFunction: cobra.NoFileCompletions}
	format := formatFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		form, err := format.get(cmd)
		if err != nil {
			return err
		}
		return p.onUser(bootstrap.Read, func(_ context.Context, _ *cobra.Command, _ inbound.Administration, u *user.User) error {
			return printUser(form(p.stdout), u)
		})(cmd, args)
	}
	return cmd
}

// forceFlag is the flag that lets a command take away the last administrator.
func forceFlag(cmd *cobra.Command) *bool {
	return cmd.Flags().Bool("force", false, "also if no active administrator is left then")
}

// lastStaff names the way out where a command is refused for being about the last administrator.
func lastStaff(err error) error {
	if errors.Is(err, user.ErrLastStaff) {
		return errors.New("no active administrator would be left; make another first, or give --force")
	}
	return err
}

func (p *program) userSetCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "set WHO",
		Short:             "Change a user",
		Long:              "Change a user. Whoever may no longer sign in is shut out at once; where immediate_revocation\nis on, their sessions are over for good.",
		Example:           "  roster user set ada@example.org --active=false\n  roster user set 42 --staff=true --last-name Lovelace",
		Args:              arguments(who),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.Flags().SortFlags = false
	active, staff := triState(cmd, "active", "whether the user may sign in"), triState(cmd, "staff", "whether the user may administer others")
	memberFlags(cmd)
	force := forceFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		in := members(cmd)
		s := inbound.Settings{Active: active.value, Staff: staff.value, Email: in.Email, FirstName: in.FirstName, LastName: in.LastName}
		if s == (inbound.Settings{}) {
			return misuse(cmd, "nothing to change")
		}
		s.AllowLastStaff = *force
		return p.onUser(bootstrap.Write, func(ctx context.Context, _ *cobra.Command, a inbound.Administration, u *user.User) error {
			u, err := a.Set(ctx, u.ID(), s)
			if err != nil {
				return lastStaff(err)
			}
			return printUser(newUserTable(p.stdout), u)
		})(cmd, args)
	}
	return cmd
}

func (p *program) userSetPasswordCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "set-password WHO",
		Short:             "Give a user another password, end their sessions and unlock the account",
		Args:              arguments(who),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.Flags().String(flagPasswordFile, "", "read the password from a `file`, - for the standard input")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var in inbound.UserInput
		var t *terminal
		if file := cmd.Flag(flagPasswordFile); file.Changed {
			password, err := p.readPassword(cmd.Context(), file.Value.String())
			if err != nil {
				return err
			}
			in.Password = field.Given(password)
		} else {
			var ok bool
			if t, ok = p.terminal(); !ok {
				return misuse(cmd, "there is no terminal to ask on; give --%s", flagPasswordFile)
			}
		}
		return p.onUser(bootstrap.Write, func(ctx context.Context, _ *cobra.Command, a inbound.Administration, u *user.User) error {
			set := func() error {
				if err := a.SetPassword(ctx, u.ID(), in.Password); err != nil {
					return err
				}
				_, err := fmt.Fprintf(p.stdout, "Changed the password of %s and ended their sessions.\n", visible(u.Snapshot().Email))
				return err
			}
			if t == nil {
				return set()
			}
			return t.insist(ctx, []question{passwordQuestion}, &in, set)
		})(cmd, args)
	}
	return cmd
}

func (p *program) userUnlockCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "unlock WHO",
		Short:             "Forget the failed sign-ins of a user, so that a sign-in need not wait",
		Args:              arguments(who),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: p.onUser(bootstrap.Write, func(ctx context.Context, _ *cobra.Command, a inbound.Administration, u *user.User) error {
			text := "There were no failed sign-ins of %s to forget.\n"
			had, err := a.Unlock(ctx, u.ID())
			if err != nil {
				return err
			}
			if had {
				text = "Unlocked %s.\n"
			}
			_, err = fmt.Fprintf(p.stdout, text, visible(u.Snapshot().Email))
			return err
		}),
	}
}

func (p *program) userDeleteCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:               "delete WHO",
		Short:             "Delete a user and their sessions",
		Args:              arguments(who),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	force := forceFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		t, ok := p.terminal()
		if !ok && !yes {
			return misuse(cmd, "there is no terminal to ask on; give --yes")
		}
		return p.onUser(bootstrap.Write, func(ctx context.Context, _ *cobra.Command, a inbound.Administration, u *user.User) error {
			name := visible(u.Snapshot().Email)
			if !yes {
				answer, err := t.ask(ctx, fmt.Sprintf("Delete %s with id %s for good? [y/N]", name, u.ID()))
				if err != nil {
					return err
				}
				if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
					return errors.New("nothing was deleted")
				}
			}
			if err := a.Delete(ctx, u.ID(), *force); err != nil {
				return lastStaff(err)
			}
			_, err := fmt.Fprintf(p.stdout, "Deleted %s with id %s.\n", name, u.ID())
			return err
		})(cmd, args)
	}
	return cmd
}

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"roster/bootstrap"
	"roster/cmd/roster/console"
	"roster/domain/user"
	"roster/ports/inbound"
)

// userArgument is the name of the argument in messages.
const userArgument = "USER (an email address or an id)"

func (p *program) userCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "user",
		Short: "List, show, create, change, unlock and delete users",

		SuggestionsMinimumDistance: 2,

		Args: subcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.userListCommand(), p.userShowCommand(), p.userCreateCommand(), p.userSetCommand(), p.userSetPasswordCommand(), p.userUnlockCommand(), p.userDeleteCommand())
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
	var search, ordering string
	var limit int
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List users",
		Example: "  roster user list --search lovelace\n  roster user list --ordering=-date_joined --limit 10",
		Args:    arguments(),
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&search, "search", "", "only users whose email or names hold all these `words`")
	active, staff := triState(cmd, "active", "only users that may sign in, or with =false that may not"), triState(cmd, "staff", "only administrators, or with =false only others")
	cmd.Flags().StringVar(&ordering, "ordering", string(user.SortJoined), "`members` to order by, separated by commas, with - before one for descending: "+strings.Join(sortNames(), ", "))
	cmd.Flags().IntVar(&limit, "limit", 0, "`most` users to list; 0 for all")
	must(cmd.RegisterFlagCompletionFunc("ordering", cobra.FixedCompletions(sortNames(), cobra.ShellCompDirectiveNoFileComp)))
	format := formatFlag(cmd, "table")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		form, err := format.get(cmd)
		if err != nil {
			return err
		}
		order, err := ordered(cmd, ordering)
		if err != nil {
			return err
		}
		if limit < 0 {
			return misuse(cmd, "--limit must not be negative")
		}
		cfg, err := p.load(cmd)
		if err != nil {
			return err
		}
		filter := user.Filter{Terms: user.Terms(search), Active: active.value, Staff: staff.value}
		return bootstrap.Administer(cmd.Context(), cfg, bootstrap.Read, nil, func(ctx context.Context, a inbound.Administration) error {
			out := form(p.stdout)
			return errors.Join(a.Each(ctx, user.Query{Filter: filter, Order: order, Limit: limit}, out.Add), out.Flush())
		})
	}
	return cmd
}

// sortNames returns what users can be ordered by.
func sortNames() []string {
	var names []string
	for _, s := range user.Sorts() {
		names = append(names, string(s))
	}
	return names
}

// ordered reads the value of --ordering, as the API does, but refuses a name that the API leaves out.
func ordered(cmd *cobra.Command, ordering string) ([]user.Order, error) {
	for part := range strings.SplitSeq(ordering, ",") {
		if name := strings.TrimPrefix(strings.TrimSpace(part), "-"); !slices.Contains(sortNames(), name) {
			return nil, misuse(cmd, "--ordering: users cannot be ordered by %q, but by %s", name, strings.Join(sortNames(), ", "))
		}
	}
	return user.Ordering(ordering), nil
}

func (p *program) userShowCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "show USER", Short: "Show a user", Args: arguments(userArgument), ValidArgsFunction: cobra.NoFileCompletions}
	format := formatFlag(cmd, "lines")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		json, err := format.json(cmd)
		if err != nil {
			return err
		}
		return p.onUser(bootstrap.Read, func(ctx context.Context, _ *cobra.Command, a inbound.Administration, u *user.User) error {
			standing, err := a.SignInStatus(ctx, u)
			if err != nil {
				return err
			}
			if json {
				return console.NewEncoder(p.stdout).Encode(newStandingObject(u, standing))
			}
			return console.PrintLines(p.stdout, append(userLines(u), standingLines(standing)...))
		})(cmd, args)
	}
	return cmd
}

func (p *program) userCreateCommand() *cobra.Command {
	var noPassword bool
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
	cmd.Flags().BoolVar(&noPassword, "no-password", false, "no password fits until user set-password")
	active, staff := triState(cmd, "active", "the user may sign in (default), or with =false not"), triState(cmd, "staff", "the user may administer others")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if noPassword && cmd.Flag(flagPasswordFile).Changed {
			return misuse(cmd, "--no-password does not go with --%s", flagPasswordFile)
		}
		in := members(cmd)
		in.Active, in.Staff = active.member(), staff.member()
		return p.create(cmd, creation{in: in, access: bootstrap.Write, noPassword: noPassword})
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
		Use:               "set USER",
		Short:             "Change a user",
		Long:              "Change a user. A user that may no longer sign in is refused at once; where immediate_revocation\nis on, the sessions end for good.",
		Example:           "  roster user set ada@example.org --active=false\n  roster user set 42 --staff=true --last-name Lovelace",
		Args:              arguments(userArgument),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.Flags().SortFlags = false
	active, staff := triState(cmd, "active", "the user may sign in, or with =false not"), triState(cmd, "staff", "the user may administer others, or with =false not")
	memberFlags(cmd)
	force := forceFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		in := members(cmd)
		s := inbound.AdminChanges{Active: active.value, Staff: staff.value, Email: in.Email, FirstName: in.FirstName, LastName: in.LastName}
		if s == (inbound.AdminChanges{}) {
			return misuse(cmd, "nothing to change")
		}
		s.AllowLastStaff = *force
		return p.onUser(bootstrap.Write, func(ctx context.Context, _ *cobra.Command, a inbound.Administration, u *user.User) error {
			u, err := a.Set(ctx, u.ID(), s)
			if err != nil {
				return lastStaff(err)
			}
			return console.PrintLines(p.stdout, userLines(u))
		})(cmd, args)
	}
	return cmd
}

func (p *program) userSetPasswordCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "set-password USER",
		Short:             "Give a user another password, end their sessions and unlock the account",
		Args:              arguments(userArgument),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	passwordFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		in, err := p.withPassword(cmd, inbound.UserInput{})
		if err != nil {
			return err
		}
		var t *console.Terminal
		if !cmd.Flag(flagPasswordFile).Changed {
			if t, err = p.mustAsk(cmd, flagPasswordFile); err != nil {
				return err
			}
		}
		return p.onUser(bootstrap.Write, func(ctx context.Context, _ *cobra.Command, a inbound.Administration, u *user.User) error {
			set := func(ctx context.Context, in inbound.UserInput) error {
				if err := a.SetPassword(ctx, u.ID(), in.Password); err != nil {
					return err
				}
				_, err := fmt.Fprintf(p.stdout, "Changed the password of %s and ended their sessions.\n", console.Visible(u.Snapshot().Email))
				return err
			}
			if t == nil {
				return set(ctx, in)
			}
			judge := func(ctx context.Context, in inbound.UserInput) error { return a.CheckInput(ctx, in, u) }
			return form{Terminal: t, questions: []question{passwordQuestion}, rules: a.PasswordRules(), judge: judge, do: set}.fill(ctx, in)
		})(cmd, args)
	}
	return cmd
}

func (p *program) userUnlockCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "unlock USER",
		Short:             "Forget the failed sign-ins of a user, so that a sign-in need not wait",
		Args:              arguments(userArgument),
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
			_, err = fmt.Fprintf(p.stdout, text, console.Visible(u.Snapshot().Email))
			return err
		}),
	}
}

func (p *program) userDeleteCommand() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:               "delete USER",
		Short:             "Delete a user and their sessions",
		Args:              arguments(userArgument),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	force := forceFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		t, ok := console.OpenTerminal(p.stdin, p.stderr)
		if !ok && !yes {
			return misuse(cmd, "there is no terminal to ask on; give --yes")
		}
		return p.onUser(bootstrap.Write, func(ctx context.Context, _ *cobra.Command, a inbound.Administration, u *user.User) error {
			name := console.Visible(u.Snapshot().Email)
			if !yes {
				answer, err := t.Ask(ctx, fmt.Sprintf("Delete %s with id %s for good? [y/N]", name, u.ID()), false)
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

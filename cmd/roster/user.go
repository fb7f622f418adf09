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
	"roster/domain/field"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
)

func (p *program) userCommand() *cobra.Command {
	return group("user", "List, show, create, change, unlock and delete users", p.userListCommand(), p.userShowCommand(),
		p.userCreateCommand(), p.userSetCommand(), p.userSetPasswordCommand(), p.userUnlockCommand(), p.userDeleteCommand())
}

func (p *program) sessionCommand() *cobra.Command {
	return group("session", "List the sessions of a user", p.sessionListCommand())
}

type (
	administrationFunc func(context.Context, inbound.Administration) error
	userFunc           func(context.Context, inbound.Administration, *user.User) error
)

// administer opens the storage of the settings and calls do.
func (p *program) administer(cmd *cobra.Command, access bootstrap.Access, notice func(string), do administrationFunc) error {
	cfg, err := p.load(cmd)
	if err != nil {
		return err
	}
	return bootstrap.Administer(cmd.Context(), cfg, access, notice, do)
}

// forUser makes cmd call do with the user that its argument names.
func (p *program) forUser(cmd *cobra.Command, access bootstrap.Access, do userFunc) *cobra.Command {
	cmd.Args, cmd.ValidArgsFunction = arguments("USER (an email address or an id)"), cobra.NoFileCompletions
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		err := p.administer(cmd, access, nil, func(ctx context.Context, a inbound.Administration) error {
			u, err := a.Find(ctx, args[0])
			if err != nil {
				return err
			}
			return do(ctx, a, u)
		})
		switch {
		case errors.Is(err, user.ErrNotFound):
			return fmt.Errorf("there is no user %q", args[0])
		case errors.Is(err, user.ErrLastStaff):
			return errors.New("no active administrator would be left; make another first, or give --force")
		}
		return err
	}
	return cmd
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
	names := strings.Join(sortNames(), ", ")
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&search, "search", "", "only users whose email or names hold all these `words`")
	active := optionalBool(cmd, "active", "only users that may sign in, or with =false that may not")
	staff := optionalBool(cmd, "staff", "only administrators, or with =false only others")
	cmd.Flags().StringVar(&ordering, "ordering", string(user.SortJoined),
		"`members` to order by, separated by commas, with - before one for descending: "+names)
	cmd.Flags().IntVar(&limit, "limit", 0, "`most` users to list; 0 for all")
	must(cmd.RegisterFlagCompletionFunc("ordering", choices(sortNames()...)))
	inJSON := formatFlag(cmd, "table")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		for part := range strings.SplitSeq(ordering, ",") { // the API ignores an unknown name
			if name := strings.TrimPrefix(strings.TrimSpace(part), "-"); !slices.Contains(sortNames(), name) {
				return misuse(cmd, "--ordering: users cannot be ordered by %q, but by %s", name, names)
			}
		}
		if limit < 0 {
			return misuse(cmd, "--limit must not be negative")
		}
		filter := user.Filter{Terms: user.Terms(search), Active: active(), Staff: staff()}
		query := user.Query{Filter: filter, Order: user.Ordering(ordering), Limit: limit}
		return p.administer(cmd, bootstrap.Read, nil, func(ctx context.Context, a inbound.Administration) error {
			return userList.Print(p.stdout, inJSON(), func(add func(*user.User) error) error { return a.Each(ctx, query, add) })
		})
	}
	return cmd
}

// sortNames returns the members by which users can be ordered.
func sortNames() []string {
	var names []string
	for _, s := range user.Sorts() {
		names = append(names, string(s))
	}
	return names
}

func (p *program) userShowCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "show USER", Short: "Show a user"}
	inJSON := formatFlag(cmd, "lines")
	return p.forUser(cmd, bootstrap.Read, func(ctx context.Context, a inbound.Administration, u *user.User) error {
		status, err := a.SignInStatus(ctx, u)
		if err != nil {
			return err
		}
		if inJSON() {
			return console.NewEncoder(p.stdout).Encode(newStatusObject(u, status))
		}
		return console.PrintLines(p.stdout, append(userLines(u), statusLines(status)...))
	})
}

// forceFlag adds the flag that lets a command remove the last administrator.
func forceFlag(cmd *cobra.Command) *bool {
	return cmd.Flags().Bool("force", false, "also if no active administrator is left then")
}

func (p *program) userSetCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "set USER",
		Short: "Change a user",
		Long: "Change a user. A user that may no longer sign in is refused at once; where immediate_revocation\n" +
			"is on, the sessions end for good.",
		Example: "  roster user set ada@example.org --active=false\n  roster user set 42 --staff=true --last-name Lovelace",
	}
	cmd.Flags().SortFlags = false
	active := optionalBool(cmd, "active", "the user may sign in, or with =false not")
	staff := optionalBool(cmd, "staff", "the user may administer others, or with =false not")
	memberFlags(cmd)
	force := forceFlag(cmd)
	var changes inbound.AdminChanges
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		in := members(cmd)
		changes = inbound.AdminChanges{Active: active(), Staff: staff(), Email: in.Email, FirstName: in.FirstName, LastName: in.LastName}
		if changes == (inbound.AdminChanges{}) {
			return misuse(cmd, "nothing to change")
		}
		changes.AllowLastStaff = *force
		return nil
	}
	return p.forUser(cmd, bootstrap.Write, func(ctx context.Context, a inbound.Administration, u *user.User) error {
		u, err := a.Set(ctx, u.ID(), changes)
		if err != nil {
			return err
		}
		return console.PrintLines(p.stdout, userLines(u))
	})
}

func (p *program) userSetPasswordCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "set-password USER", Short: "Give a user another password, end their sessions and unlock the account"}
	passwordFlag(cmd)
	var password field.Text
	var t *console.Terminal
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) (err error) {
		password, t, err = p.password(cmd)
		return err
	}
	return p.forUser(cmd, bootstrap.Write, func(ctx context.Context, a inbound.Administration, u *user.User) error {
		do := func(ctx context.Context, in inbound.UserInput) error {
			if err := a.SetPassword(ctx, u.ID(), in.Password); err != nil {
				return err
			}
			_, err := fmt.Fprintf(p.stdout, "Changed the password of %s and ended their sessions.\n", console.Visible(u.Snapshot().Email))
			return err
		}
		f := form{Terminal: t, Administration: a, questions: []question{passwordQuestion}, user: u, do: do}
		return f.fill(ctx, inbound.UserInput{Password: password})
	})
}

func (p *program) userUnlockCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "unlock USER", Short: "Forget the failed sign-ins of a user, so that a sign-in need not wait"}
	return p.forUser(cmd, bootstrap.Write, func(ctx context.Context, a inbound.Administration, u *user.User) error {
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
	})
}

func (p *program) userDeleteCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "delete USER", Short: "Delete a user and their sessions"}
	yes := cmd.Flags().Bool("yes", false, "do not ask")
	force := forceFlag(cmd)
	var t *console.Terminal
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		var ok bool
		if t, ok = console.OpenTerminal(p.stdin, p.stderr); !ok && !*yes {
			return misuse(cmd, "there is no terminal to ask on; give --yes")
		}
		return nil
	}
	return p.forUser(cmd, bootstrap.Write, func(ctx context.Context, a inbound.Administration, u *user.User) error {
		name := console.Visible(u.Snapshot().Email)
		if !*yes {
			answer, err := t.Ask(ctx, fmt.Sprintf("Delete %s with id %s for good? [y/N]", name, u.ID()), false)
			if err != nil {
				return err
			}
			if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
				return errors.New("nothing was deleted")
			}
		}
		if err := a.Delete(ctx, u.ID(), *force); err != nil {
			return err
		}
		_, err := fmt.Fprintf(p.stdout, "Deleted %s with id %s.\n", name, u.ID())
		return err
	})
}

func (p *program) sessionListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list USER",
		Short: "List the live sessions of a user, the newest first",
		Long:  "List the live sessions of a user, the newest first. roster user set-password ends them all.",
	}
	inJSON := formatFlag(cmd, "table")
	return p.forUser(cmd, bootstrap.Read, func(ctx context.Context, a inbound.Administration, u *user.User) error {
		return sessionList.Print(p.stdout, inJSON(), func(add func(*session.Session) error) error { return a.EachSession(ctx, u, add) })
	})
}

package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"roster/bootstrap"
	"roster/cmd/roster/console"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
)

func (p *program) sessionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "session",
		Short: "List the sessions of a user",

		SuggestionsMinimumDistance: 2,

		Args: subcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.sessionListCommand())
	return cmd
}

func (p *program) sessionListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:               "list USER",
		Short:             "List the live sessions of a user, the newest first",
		Long:              "List the live sessions of a user, the newest first. roster user set-password ends them all.",
		Args:              arguments(userArgument),
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	format := formatFlag(cmd, "table")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		json, err := format.json(cmd)
		if err != nil {
			return err
		}
		return p.onUser(bootstrap.Read, func(ctx context.Context, _ *cobra.Command, a inbound.Administration, u *user.User) error {
			out := newSessionTable(p.stdout)
			if json {
				out = console.NewJSONLines(p.stdout, func(s *session.Session) any { return newSessionObject(s) })
			}
			return errors.Join(a.EachSession(ctx, u, out.Add), out.Flush())
		})(cmd, args)
	}
	return cmd
}

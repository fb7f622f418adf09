package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"roster/bootstrap"
)

func (p *program) healthCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask a running service whether it is ready",
		Long: "Ask the running service of the settings for /readyz: on its admin listener if admin_listen is given,\n" +
			"otherwise on the API. The exit code is 0 if the service is ready, and 1 if it is not or does not answer\n" +
			"within 5 seconds.",
		Example: "  roster health\n  roster health --url https://id.example.org",
		Args:    arguments(),
	}
	base := cmd.Flags().String("url", "", "ask the service at this `URL` instead, whose certificate is then verified")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, err := p.load(cmd)
		if err != nil {
			return err
		}
		if err := bootstrap.Ready(cmd.Context(), cfg, *base); err != nil {
			return fmt.Errorf("not ready: %w", err)
		}
		_, err = fmt.Fprintln(p.stdout, "ready")
		return err
	}
	return cmd
}

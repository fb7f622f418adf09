package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"roster/bootstrap"
	"roster/bootstrap/config"
	"roster/cmd/roster/console"
)

func (p *program) checkCommand() *cobra.Command {
	var deploy, connect bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Show the settings in force and what is unsafe in them",
		Long: "Show the settings in force, where each comes from, and what is unsafe in them. Secrets are not shown.\n" +
			"The exit code is 1 if a setting is wrong.",
		Annotations: withSettings,
		Args:        arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := p.load(cmd)
			if err != nil {
				return err
			}
			warnings := bootstrap.Warnings(cfg)
			if err := printCheck(p.stdout, cfg.Effective(), bootstrap.MailState(cfg), warnings); err != nil {
				return err
			}
			if err := bootstrap.Check(cmd.Context(), cfg); err != nil {
				return err
			}
			if connect {
				about, err := bootstrap.Connect(cmd.Context(), cfg)
				if err != nil {
					return err
				}
				if _, err := fmt.Fprintln(p.stdout, "\nThe database is ready: "+console.Visible(about)+"."); err != nil {
					return err
				}
			}
			if deploy && len(warnings) > 0 {
				return fmt.Errorf("unsafe settings: %d", len(warnings))
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&connect, "connect", false, "open the database too, which must exist with its schema up to date; nothing is changed")
	cmd.Flags().BoolVar(&deploy, "deploy", false, "fail when anything is unsafe")
	return cmd
}

func printCheck(w io.Writer, settings []config.Setting, mail string, warnings []config.Warning) error {
	t := console.NewTabs(w)
	_, _ = fmt.Fprintln(t, "SETTING\tVALUE\tSOURCE")
	for _, s := range settings {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\n", s.Name, console.Visible(s.Value), s.Source)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(w, "\nMail: "+console.Visible(mail)+"."); err != nil {
		return err
	}
	if len(warnings) == 0 {
		_, err := fmt.Fprintln(w, "\nNothing unsafe was found.")
		return err
	}
	_, err := fmt.Fprintln(w, "\nUnsafe:")
	for _, one := range warnings {
		if err == nil {
			_, err = fmt.Fprintln(w, "  "+console.Visible(one.Text))
		}
	}
	return err
}

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"roster/bootstrap"
	"roster/cmd/roster/console"
	"roster/ports/inbound"
)

func (p *program) copyCommand() *cobra.Command {
	var from, to string
	var o inbound.CopyOptions
	cmd := &cobra.Command{
		Use:   "copy [--from URL] [--to URL]",
		Short: "Take everything from one database to another",
		Long: "Take users, sessions, failed sign-ins, the audit trail and the count of ids from one database to\n" +
			"another, of whatever backend, and compare them afterwards. Nothing may write to either during that time.\n\n" +
			"One of the two is by default the database that the settings name. So a URL with a password need not\n" +
			"be on the command line, where others on the machine see it: name it in ROSTER_DATABASE.",
		Example: "  roster copy --from sqlite:data/roster.db --to postgres://roster@db.example.org/roster\n" +
			"  roster copy --to mongodb://db.example.org/roster --verify-only",
		Args: arguments(),
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&from, "from", "", "`URL` of the database to copy, as for the setting database")
	f.StringVar(&to, "to", "", "`URL` of the database to fill")
	f.BoolVar(&o.Resume, "resume", false, "go on with a copy that was cut off")
	f.BoolVar(&o.VerifyOnly, "verify-only", false, "copy nothing, compare")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if from == "" && to == "" {
			return misuse(cmd, "--from and --to are missing: one of them can be the settings' database")
		}
		if o.Resume && o.VerifyOnly {
			return misuse(cmd, "--resume copies, and --verify-only does not")
		}
		cfg, err := p.load(cmd)
		if err != nil {
			return err
		}
		bar := console.NewProgress(p.stderr, p.dumb())
		got, err := bootstrap.Copy(cmd.Context(), cfg, from, to, o, p.notice, bar.Report)
		bar.Finish()
		if err := p.printContents(got, moveError(err)); err != nil {
			return err
		}
		_, err = fmt.Fprintln(p.stdout, "Source and target hold the same.")
		return err
	}
	return cmd
}

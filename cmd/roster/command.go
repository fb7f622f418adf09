package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"roster/bootstrap"
	"roster/bootstrap/config"
)

// program is what the commands share: the streams, the environment, and the file of --config.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	log            *bootstrap.LogOutput // of a command that serves; else nil
	environ        []string
	configFile     string
}

// command returns the tree of commands.
func (p *program) command() *cobra.Command {
	root := &cobra.Command{
		Use:           "roster",
		Short:         "User accounts, sign-in and tokens over HTTP",
		Long:          "Roster keeps user accounts and signs people in, over HTTP.\n\nEvery setting is a flag, a variable ROSTER_* and a key of the file that --config names; a flag beats\na variable, a variable the file, the file the profile.",
		SilenceErrors: true,
		SilenceUsage:  true,

		SuggestionsMinimumDistance: 2,

		Args: subcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return misuse(cmd, "%v", err) })
	root.SetUsageFunc(usage)
	p.addSettings(root)
	root.AddCommand(
		p.serveCommand(), p.checkCommand(), p.migrateCommand(),
		p.createSuperuserCommand(), p.userCommand(), p.keysCommand(),
		p.importCommand(), p.exportCommand(), p.copyCommand(), p.versionCommand(),
	)
	return root
}

func (p *program) serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:         "serve",
		Short:       "Serve the API until SIGINT or SIGTERM",
		Long:        "Serve the API until SIGINT or SIGTERM. What is under way is finished; a second signal ends it at once.\nSIGHUP makes it read signing keys and certificate again.",
		Annotations: withSettings,
		Args:        arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			p.log = bootstrap.NewLogOutput(p.stderr)
			p.stderr = p.log // also for the reason of a failure
			hangups := make(chan os.Signal, 1)
			signal.Notify(hangups, syscall.SIGHUP) // until the end of the process: it must not end it
			cfg, err := p.load(cmd)
			if err != nil {
				return err
			}
			err = bootstrap.Serve(cmd.Context(), cfg, hangups, p.log)
			if interrupted(err) {
				return nil // stopped before it had started
			}
			return err
		},
	}
}

func (p *program) migrateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "migrate",
		Short: "Bring the storage's schema up to date",
		Long:  "Bring the storage's schema up to date. Every other command that opens the storage does so too, but\ngives up after two minutes, which a large database may take longer than; this one does nothing else,\nfor as long as it takes.",
		Args:  arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := p.load(cmd)
			if err != nil {
				return err
			}
			if err := bootstrap.Migrate(cmd.Context(), cfg); err != nil {
				return err
			}
			_, err = fmt.Fprintln(p.stdout, "The schema is up to date.")
			return err
		},
	}
}

// load returns the settings in force.
func (p *program) load(cmd *cobra.Command) (config.Config, error) {
	if f := cmd.Flag(flagConfig); f.Changed && p.configFile == "" {
		return config.Config{}, misuse(cmd, "--%s names no file", flagConfig)
	}
	return config.Load(config.Sources{
		File: p.configFile, Environ: p.environ, Flags: settingsGiven(cmd),
		ReadFile: os.ReadFile, Stat: os.Stat,
	})
}

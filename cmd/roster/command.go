package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"roster/bootstrap"
	"roster/bootstrap/config"
	"roster/cmd/roster/console"
)

// program is the state that the commands share.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	log            *bootstrap.LogOutput // of serve, else nil
	environ        []string
	configFile     string
}

// command returns the tree of commands.
func (p *program) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "roster",
		Short: "User accounts, sign-in and tokens over HTTP",
		Long: "Roster keeps user accounts and signs people in, over HTTP.\n\n" +
			"Every setting is a flag, a variable ROSTER_* and a key of the file that --config names; a flag beats\n" +
			"a variable, a variable the file, the file the profile.",
		SilenceErrors: true,
		SilenceUsage:  true,

		SuggestionsMinimumDistance: 2,

		Args: subcommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if show, err := cmd.Flags().GetBool("version"); err != nil || show {
				return errors.Join(err, p.printVersion())
			}
			return cmd.Help()
		},
	}
	// Not cobra's own Version: its template would link text/template, which keeps every exported method.
	root.Flags().BoolP("version", "v", false, "show the version of this program")
	root.SetFlagErrorFunc(flagError)
	root.SetUsageFunc(usage)
	root.SetHelpCommand(helpCommand())
	p.addSettings(root)
	root.AddCommand(
		p.serveCommand(), p.checkCommand(), p.migrateCommand(),
		p.createSuperuserCommand(), p.userCommand(), p.sessionCommand(), p.mailCommand(), p.keysCommand(),
		p.importCommand(), p.exportCommand(), p.copyCommand(), p.backupCommand(), p.restoreCommand(),
		p.healthCommand(), p.versionCommand(),
	)
	return root
}

// group returns a command that only has subcommands.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: subcommand, SuggestionsMinimumDistance: 2,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(commands...)
	return cmd
}

// flagError returns the error for a mistake in the flags of cmd.
func flagError(cmd *cobra.Command, err error) error {
	hint := ""
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok && invalid.GetFlag().Value.Type() == "bool" {
		return misuse(cmd, "invalid argument %q for \"--%s\" flag: must be true or false", invalid.GetValue(), invalid.GetFlag().Name)
	}
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		var own []string
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) { own = append(own, f.Name) })
		hint = config.Meant(unknown.GetSpecifiedName(), own...)
	}
	return misuse(cmd, "%v%s", err, hint)
}

func (p *program) serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Serve the API until SIGINT or SIGTERM",
		Long: "Serve the API until SIGINT or SIGTERM. Requests in progress are finished; a second signal ends them at once.\n" +
			"SIGHUP makes it read signing keys, certificate and log level again.",
		Annotations: withSettings,
		Args:        arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			onTerminal := console.IsTerminal(p.stderr)
			p.log = bootstrap.NewLogOutput(p.stderr)
			p.log.Plain = p.variable("NO_COLOR") != "" || p.dumb() // https://no-color.org
			p.stderr = p.log                                       // also for the reason of a failure
			hangups := make(chan os.Signal, 1)
			signal.Notify(hangups, syscall.SIGHUP) // until the end of the process: it must not end it
			cfg, err := p.load(cmd)
			if err != nil {
				return err
			}
			var announce func(bootstrap.Serving)
			if onTerminal && cfg.LogFormat != "json" {
				announce = func(s bootstrap.Serving) { p.announce(cmd, s) }
			}
			bootstrap.Version = nameOf(version, buildInfo())
			reload := bootstrap.Reload{Signals: hangups, Settings: func() (config.Config, error) { return p.load(cmd) }}
			err = bootstrap.Serve(cmd.Context(), cfg, reload, p.log, announce)
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
		Long: "Bring the storage's schema up to date, and create the database if it is missing. Every other command\n" +
			"that writes migrates the schema too, but gives up after two minutes; this one has no limit of time.",
		Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := p.load(cmd)
			if err != nil {
				return err
			}
			if err := bootstrap.Migrate(cmd.Context(), cfg, p.notice); err != nil {
				return err
			}
			_, err = fmt.Fprintln(p.stdout, "The schema is up to date.")
			return err
		},
	}
}

// notice prints a sentence for the operator.
func (p *program) notice(text string) {
	_, _ = fmt.Fprintln(p.stderr, console.Visible(strings.ToUpper(text[:1])+text[1:])+".")
}

// announce prints the addresses and the database of a service that has started.
func (p *program) announce(cmd *cobra.Command, s bootstrap.Serving) {
	var text bytes.Buffer
	w := console.NewTabs(&text)
	line := func(name, value string) { _, _ = fmt.Fprintf(w, "  %s\t%s\n", name, console.Visible(value)) }
	_, _ = fmt.Fprintln(w, "Serving; Ctrl-C stops.")
	line("API", s.URL)
	if s.Docs != "" {
		line("documentation", s.Docs)
	}
	line("admin", cmp.Or(s.Admin, "none"))
	line("console", cmp.Or(s.Console, "none"))
	line("database", s.Database+", "+s.Place+map[bool]string{true: " (new)"}[s.Created])
	line("mail", s.Mail)
	if s.NoAdministrator {
		hint := "no administrator yet: " + os.Args[0] + " createsuperuser"
		if cmd.Flags().NFlag() > 0 {
			hint += " with the same flags"
		}
		line("administrator", hint)
	}
	_ = w.Flush()
	_, _ = p.stderr.Write(text.Bytes())
}

// variable returns a variable of the environment, "" when it is not set.
func (p *program) variable(name string) string {
	for _, entry := range p.environ {
		if key, value, _ := strings.Cut(entry, "="); key == name {
			return value
		}
	}
	return ""
}

// dumb reports whether the terminal only prints text, without colours and cursor movements.
func (p *program) dumb() bool { return p.variable("TERM") == "dumb" }

// load returns the settings in force.
func (p *program) load(cmd *cobra.Command) (config.Config, error) {
	f := cmd.Flag(flagConfig)
	if f.Changed && p.configFile == "" {
		return config.Config{}, misuse(cmd, "--%s names no file", flagConfig)
	}
	file := p.configFile
	if !f.Changed {
		file = p.variable(config.FileVariable)
	}
	environ := slices.DeleteFunc(slices.Clone(p.environ), func(entry string) bool { return strings.HasPrefix(entry, config.FileVariable+"=") })
	_, signs := cmd.Annotations[signing]
	return config.Load(config.Sources{
		File: file, Environ: environ, Flags: settingsGiven(cmd), Unsigned: !signs,
		ReadFile: os.ReadFile, Stat: os.Stat,
	})
}

// signing is the annotation of commands that need a signing key.
const signing = "signing"

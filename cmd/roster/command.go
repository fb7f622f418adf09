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
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"roster/bootstrap"
	"roster/bootstrap/config"
	"roster/cmd/roster/console"
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
		p.createSuperuserCommand(), p.userCommand(), p.sessionCommand(), p.keysCommand(),
		p.importCommand(), p.exportCommand(), p.copyCommand(), p.versionCommand(),
	)
	return root
}

// flagError says what is wrong with the flags of cmd.
func flagError(cmd *cobra.Command, err error) error {
	hint := ""
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
		var own []string
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) { own = append(own, f.Name) })
		hint = config.Meant(unknown.GetSpecifiedName(), own...)
	}
	return misuse(cmd, "%v%s", err, hint)
}

func (p *program) serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:         "serve",
		Short:       "Serve the API until SIGINT or SIGTERM",
		Long:        "Serve the API until SIGINT or SIGTERM. What is under way is finished; a second signal ends it at once.\nSIGHUP makes it read signing keys and certificate again.",
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
			err = bootstrap.Serve(cmd.Context(), cfg, hangups, p.log, announce)
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
		Long:  "Bring the storage's schema up to date, and create the database where there is none. Every other\ncommand that writes does the former too, but gives up after two minutes, which a large database may\ntake longer than; this one does nothing else, for as long as it takes.",
		Args:  arguments(),
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

// notice prints what the operator is to know of a database.
func (p *program) notice(text string) {
	_, _ = fmt.Fprintln(p.stderr, console.Visible(strings.ToUpper(text[:1])+text[1:])+".")
}

// announce prints what a person at a terminal should know of a service that has started.
func (p *program) announce(cmd *cobra.Command, s bootstrap.Serving) {
	var text bytes.Buffer
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	line := func(name, value string) { _, _ = fmt.Fprintf(w, "  %s\t%s\n", name, console.Visible(value)) }
	_, _ = fmt.Fprintln(w, "Serving; Ctrl-C stops.")
	line("API", s.URL)
	line("admin", cmp.Or(s.Admin, "none"))
	line("database", s.Database+", "+s.Place+map[bool]string{true: " (new)"}[s.Created])
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

// dumb reports whether the terminal understands text alone: no colours, and no bar that is drawn over itself.
func (p *program) dumb() bool { return p.variable("TERM") == "dumb" }

// load returns the settings in force.
func (p *program) load(cmd *cobra.Command) (config.Config, error) {
	f := cmd.Flag(flagConfig)
	if f.Changed && p.configFile == "" {
		return config.Config{}, misuse(cmd, "--%s names no file", flagConfig)
	}
	file, environ := p.configFile, p.environ
	for i, entry := range environ {
		if name, value, _ := strings.Cut(entry, "="); name == config.FileVariable {
			if environ = slices.Delete(slices.Clone(environ), i, i+1); !f.Changed {
				file = value
			}
			break
		}
	}
	_, signs := cmd.Annotations[signing]
	return config.Load(config.Sources{
		File: file, Environ: environ, Flags: settingsGiven(cmd), Unsigned: !signs,
		ReadFile: os.ReadFile, Stat: os.Stat,
	})
}

// signing is the annotation of the commands that sign tokens or judge the settings for signing them. The
// others do without a signing key.
const signing = "signing"

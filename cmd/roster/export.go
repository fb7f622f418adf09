package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"roster/adapters/privatefile"
	"roster/bootstrap"
	"roster/cmd/roster/console"
)

func (p *program) exportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "export FILE",
		Short: "Write everything to a file of JSON lines",
		Long: "Write everything in the database to a new file, or to the standard output with -: users with their\n" +
			"password hashes, sessions, failed sign-ins, the audit trail. Keep it as you keep the database.",
		Example: "  roster export backup.jsonl\n  roster export - | age -r RECIPIENT > backup.jsonl.age",
		Args:    arguments("FILE"),
		RunE:    p.export,
	}
}

func (p *program) export(cmd *cobra.Command, args []string) (err error) {
	cfg, err := p.load(cmd)
	if err != nil {
		return err
	}
	bar := console.NewProgress(p.stderr, p.dumb())
	defer bar.Finish()
	path := args[0]
	if path == "-" {
		_, err := bootstrap.Export(cmd.Context(), cfg, p.stdout, p.notice, bar.Report)
		return err
	}
	if _, err := os.Lstat(path); err == nil { // before the work; Publish checks again
		return existsAlready(path)
	}
	f, err := privatefile.Create(path)
	if err != nil {
		return err
	}
	got, err := bootstrap.Export(cmd.Context(), cfg, f, p.notice, bar.Report)
	if err != nil {
		err = errors.Join(err, f.Discard())
	} else if err = f.Publish(); errors.Is(err, fs.ErrExist) {
		err = existsAlready(path)
	}
	bar.Finish()
	if err != nil {
		return err
	}
	return p.printContents(got, nil)
}

func existsAlready(path string) error { return fmt.Errorf("%s exists already", path) }

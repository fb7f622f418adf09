package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"roster/bootstrap"
)

func (p *program) exportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "export FILE",
		Short: "Write everything down as JSON lines",
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
	bar := p.progress()
	defer bar.finish()
	path := args[0]
	if path == "-" {
		_, err := bootstrap.Export(cmd.Context(), cfg, p.stdout, bar.tell)
		return err
	}
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("%s is there already", path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-") // mode 0600
	if err != nil {
		return err
	}
	got, err := bootstrap.Export(cmd.Context(), cfg, f, bar.tell)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	bar.finish()
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return p.moved(got, nil)
}

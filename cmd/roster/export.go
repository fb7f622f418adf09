package main

import (
	"errors"
	"fmt"
	"io/fs"
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
		_, err := bootstrap.Export(cmd.Context(), cfg, p.stdout, p.notice, bar.tell)
		return err
	}
	if _, err := os.Lstat(path); err == nil { // before the work; publish looks again
		return thereAlready(path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-") // mode 0600
	if err != nil {
		return err
	}
	got, err := bootstrap.Export(cmd.Context(), cfg, f, p.notice, bar.tell)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = publish(f.Name(), path)
	}
	bar.finish()
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return p.moved(got, nil)
}

func thereAlready(path string) error { return fmt.Errorf("%s is there already", path) }

// publish gives a file its name, unless there is a file of that name by now: a link to it is made, which
// replaces nothing, where a renaming would.
func publish(unnamed, path string) error {
	err := os.Link(unnamed, path)
	if err == nil {
		return os.Remove(unnamed)
	}
	if errors.Is(err, fs.ErrExist) {
		return thereAlready(path)
	}
	// The file system has no links. Then the name is taken by an empty file first, which the renaming replaces.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // the operator names it
	if errors.Is(err, fs.ErrExist) {
		return thereAlready(path)
	}
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(unnamed, path)
}

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"roster/adapters/privatefile"
	"roster/bootstrap"
	"roster/bootstrap/config"
)

func (p *program) backupCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "backup FILE",
		Short: "Write the SQLite database and the signing keys to a file",
		Long: "Write the SQLite database, as it is at one moment, and the signing keys to a new file, or to the standard\n" +
			"output with -. The service may be running. The file is read again and verified before it gets its name.\n" +
			"It is a tar file with everything secret in it: keep it as you keep the database.",
		Example: "  roster backup backup.tar\n  roster backup - | age -r RECIPIENT > backup.tar.age",
		Args:    arguments("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, err := p.load(cmd)
			if err != nil {
				return err
			}
			if args[0] == "-" {
				_, err := bootstrap.Backup(cmd.Context(), cfg, p.stdout, filepath.Join(os.TempDir(), "roster-backup"), p.notice)
				return err
			}
			return p.backup(cmd, cfg, args[0])
		},
	}
}

func (p *program) backup(cmd *cobra.Command, cfg config.Config, path string) error {
	if _, err := os.Lstat(path); err == nil { // before the work; Publish checks again
		return existsAlready(path)
	}
	f, err := privatefile.Create(path)
	if err != nil {
		return err
	}
	sum, err := bootstrap.Backup(cmd.Context(), cfg, f, path, p.notice)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err == nil {
		err = bootstrap.CheckBackup(cmd.Context(), f)
	}
	if err != nil {
		return errors.Join(err, f.Discard())
	}
	if err := f.Publish(); errors.Is(err, fs.ErrExist) {
		return existsAlready(path)
	} else if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "%s  %s\n", sum, path) // as sha256sum prints it
	return err
}

func (p *program) restoreCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "Make the SQLite database and the signing keys from a backup",
		Long: "Make the SQLite database and the signing keys of the settings from a file that roster backup wrote, or from\n" +
			"the standard input with -. There must be no database and no other keys: move them away first. Nothing is\n" +
			"made unless all of the file is as it was written.",
		Args: arguments("FILE"),
	}
	without := cmd.Flags().Bool("without-keys", false, "do not restore the signing keys: all users have to sign in again")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		cfg, err := p.load(cmd)
		if err != nil {
			return err
		}
		in := p.stdin
		if args[0] != "-" {
			f, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer f.Close() //nolint:errcheck // only read
			in = f
		}
		made, err := bootstrap.RestoreBackup(cmd.Context(), cfg, in, !*without)
		for _, path := range made {
			_, _ = fmt.Fprintln(p.stdout, "Restored "+path+".")
		}
		return err
	}
	return cmd
}

package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"roster/adapters/storage"
	"roster/bootstrap/config"
)

// named says which setting an error is about, and what gave it.
func named(cfg config.Config, setting string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", cfg.Where(setting), err)
	}
	return nil
}

// located says of what is missing or cannot be written on the disk which setting names it, and what to do.
func located(cfg config.Config, err error) error {
	setting := "database"
	if cfg.Database.InDataDir() {
		setting = "data_dir"
	}
	switch {
	case errors.Is(err, storage.ErrNoDatabase):
		return fmt.Errorf("%w (%s); roster serve, migrate and createsuperuser create one", err, cfg.Origin(setting))
	case errors.Is(err, storage.ErrReadOnly):
		return named(cfg, setting, unwritable(err))
	}
	e, ok := errors.AsType[*fs.PathError](err)
	if !ok || !errors.Is(err, fs.ErrPermission) && !errors.Is(err, syscall.EROFS) && !errors.Is(err, syscall.ENOTDIR) {
		return err
	}
	for _, s := range []struct{ name, path string }{{"keys_dir", cfg.KeysDir}, {"data_dir", cfg.DataDir}} {
		if s.path != "" && (within(e.Path, s.path) || within(s.path, e.Path)) {
			return named(cfg, s.name, unwritable(err))
		}
	}
	return err
}

func unwritable(err error) error {
	return fmt.Errorf("give user %d the right to read and write there (chown), or name another place: %w", os.Geteuid(), err)
}

// within reports whether path is dir or lies in it.
func within(path, dir string) bool {
	path, pathErr := filepath.Abs(path)
	dir, dirErr := filepath.Abs(dir)
	if pathErr != nil || dirErr != nil {
		return false
	}
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// started says of a database server that cannot be used which setting names it.
func started(cfg config.Config, err error) error {
	if cfg.Database.Scheme() == "sqlite" || errors.Is(err, storage.ErrNoDatabase) || errors.Is(err, context.Canceled) {
		return err // names the file; located does the rest
	}
	return named(cfg, "database", err)
}

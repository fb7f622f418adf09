package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"roster/adapters/storage"
	"roster/bootstrap/config"
)

// named adds to an error the setting that it is about, and the source of its value.
func named(cfg config.Config, setting string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", cfg.Where(setting), err)
	}
	return nil
}

// located adds to the error of a missing or read-only file the setting that names it, and a remedy.
func located(cfg config.Config, err error) error {
	setting := "database"
	if cfg.Database.InDataDir() {
		setting = "data_dir"
	}
	switch {
	case errors.Is(err, storage.ErrNoDatabase):
		return fmt.Errorf("%w, named by %s; roster serve, migrate and createsuperuser create one", err, cfg.Where(setting))
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

// within reports whether path is dir or in it.
func within(path, dir string) bool {
	path, pathErr := filepath.Abs(path)
	dir, dirErr := filepath.Abs(dir)
	rel, err := filepath.Rel(dir, path)
	return errors.Join(pathErr, dirErr, err) == nil && filepath.IsLocal(rel)
}

// started adds to the error of a database server the setting that names it. SQLite's errors name the file.
func started(cfg config.Config, err error) error {
	if cfg.Database.Scheme() == "sqlite" || errors.Is(err, storage.ErrNoDatabase) || errors.Is(err, context.Canceled) {
		return err
	}
	return named(cfg, "database", err)
}

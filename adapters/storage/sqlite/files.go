package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"roster/adapters/storage"
)

// Modes of what the backend creates. The database holds password hashes.
const (
	dirMode  fs.FileMode = 0o700
	fileMode fs.FileMode = 0o600
)

// noDatabase is the error of a database file that is not there, or holds nothing.
func noDatabase(path string) error {
	return fmt.Errorf("sqlite: %w at %s", storage.ErrNoDatabase, path)
}

// findFile makes sure that there is a file that can be written, which it creates if it may.
func (s *Store) findFile() error {
	info, err := os.Stat(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && s.options.Access == storage.Create:
		return createFile(s.path)
	case errors.Is(err, fs.ErrNotExist):
		return noDatabase(s.path)
	case err != nil:
		return fmt.Errorf("sqlite: %w", err)
	case info.IsDir():
		return fmt.Errorf("sqlite: %s is a directory, not a database file", s.path)
	case !info.Mode().IsRegular():
		return fmt.Errorf("sqlite: %s is no regular file", s.path)
	}
	// SQLite would go on with what it can only read until the first write. In the directory it keeps its log.
	for _, path := range []string{s.path, filepath.Dir(s.path)} {
		if err := writable(path); err != nil {
			return fmt.Errorf("sqlite: %s: %w: write %s: %w", s.path, storage.ErrReadOnly, path, err)
		}
	}
	return nil
}

// createFile makes an empty file at path, and sees to it that a loss of power does not take it away again:
// SQLite syncs a file's content, and the directory entries of its journals, but not the entry of the database
// itself.
//
// A file that is there is never opened here: closing it would drop the POSIX locks that SQLite holds
// on it in this process.
func createFile(path string) error {
	dir := filepath.Dir(path)
	if err := createDir(dir); err != nil {
		return fmt.Errorf("sqlite: data directory: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, fileMode) //nolint:gosec // the operator names it
	if errors.Is(err, fs.ErrExist) {
		return nil // another process was faster
	}
	if err != nil {
		return fmt.Errorf("sqlite: create the database: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("sqlite: create the database: %w", err)
	}
	return syncDir(dir)
}

// createDir is os.MkdirAll that makes each new entry durable.
func createDir(dir string) error {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		return fmt.Errorf("%s is no directory", dir)
	}
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(dir)
	if err := createDir(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(parent)
}

func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // has no such thing; NTFS journals its entries
	}
	d, err := os.Open(dir) //nolint:gosec // the operator names it
	if err != nil {
		return fmt.Errorf("sqlite: sync directory: %w", err)
	}
	err = d.Sync()
	if e := d.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("sqlite: sync directory: %w", err)
	}
	return nil
}

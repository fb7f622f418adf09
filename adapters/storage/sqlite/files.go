package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"roster/adapters/privatefile"
	"roster/adapters/storage"
)

// fileMode is the mode of the database, which holds password hashes.
const fileMode fs.FileMode = 0o600

// noDatabase is the error of a database file that does not exist, or is empty.
func noDatabase(path string) error {
	return fmt.Errorf("sqlite: %w at %s", storage.ErrNoDatabase, path)
}

// findFile checks that the file exists and can be written. It creates the file if the options permit.
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
	// SQLite would open a read-only file and fail at the first write. It creates its log in the directory.
	for _, path := range []string{s.path, filepath.Dir(s.path)} {
		if err := writable(path); err != nil {
			return fmt.Errorf("sqlite: %s: %w: write %s: %w", s.path, storage.ErrReadOnly, path, err)
		}
	}
	return nil
}

// createFile creates an empty file at path and syncs its directory, so that the file survives a loss of power:
// SQLite syncs the content of a file, and the directory entries of its journals, but not the entry of the database.
//
// An existing file is never opened here: closing it would drop the POSIX locks that SQLite holds
// on it in this process.
func createFile(path string) error {
	dir := filepath.Dir(path)
	if err := privatefile.MkdirAll(dir); err != nil {
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
	if err := privatefile.SyncDir(dir); err != nil {
		return fmt.Errorf("sqlite: create the database: %w", err)
	}
	return nil
}

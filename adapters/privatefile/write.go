package privatefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// File is an unfinished file of mode 0600. It has another name in the directory of its path until Replace or Publish
// renames it, so that a reader, or a start after a crash, finds either all of it or none.
type File struct {
	*os.File
	path string
}

// Create makes a File for path. The caller ends it with Replace, Publish or Discard.
func Create(path string) (*File, error) {
	f, err := os.CreateTemp(filepath.Dir(path), unfinished(path)+"*") // mode 0600
	if cause, ok := errors.AsType[*fs.PathError](err); ok {
		err = fmt.Errorf("%s cannot be written: %w", path, cause.Err) // the operator does not know the other name
	}
	if err != nil {
		return nil, err
	}
	return &File{f, path}, nil
}

// unfinished returns the prefix of the names of unfinished Files for path.
func unfinished(path string) string { return "." + filepath.Base(path) + "-" }

// Replace makes the file durable and renames it to its path, replacing any file there. After an error the File is
// removed, and the path as it was.
func (f *File) Replace() error { return f.finish(os.Rename) }

// Publish is Replace, but fails with fs.ErrExist if there is a file at the path.
func (f *File) Publish() error { return f.finish(publish) }

// OwnAsDir gives a file that root writes to the owner of its directory.
func (f *File) OwnAsDir() error { return ownAsDir(f.File) }

// Discard removes the file.
func (f *File) Discard() error { return errors.Join(f.Close(), os.Remove(f.Name())) }

func (f *File) finish(name func(from, to string) error) error {
	err := errors.Join(f.Sync(), f.Close())
	if err == nil {
		err = name(f.Name(), f.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return SyncDir(filepath.Dir(f.path))
}

// publish renames a file unless the new name exists. Unlike os.Rename, a hard link replaces nothing.
func publish(from, to string) error {
	err := os.Link(from, to)
	if err == nil {
		return os.Remove(from)
	}
	if errors.Is(err, fs.ErrExist) {
		return err
	}
	// The file system has no hard links: an empty file reserves the name, and the renaming replaces it.
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // the operator names it
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Rename(from, to))
}

// Write replaces the file at path durably. Root gives it to the owner of the directory, since the service must be able to
// read what an administrator writes with sudo.
func Write(path string, content []byte) error {
	f, err := Create(path)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.OwnAsDir()); err != nil {
		return errors.Join(err, f.Discard())
	}
	return f.Replace()
}

// RemoveUnfinished removes the unfinished Files for path that a crash left. No process may be writing one.
func RemoveUnfinished(path string) error {
	dir := filepath.Dir(path)
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), unfinished(path)) {
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

// Touch makes an empty file, with the owner that Write sets, unless there is a file.
func Touch(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // the operator names it
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(ownAsDir(f), f.Close())
}

// MkdirAll is like os.MkdirAll. New directories are durable and have mode 0700 and the owner that Write sets.
func MkdirAll(dir string) error {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		return &fs.PathError{Op: "mkdir", Path: dir, Err: errNoDir}
	}
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(dir)
	if err := MkdirAll(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil // another process has made it
		}
		return err
	}
	return errors.Join(ownDirAsParent(dir), SyncDir(parent))
}

var errNoDir = errors.New("not a directory")

// SyncDir makes the names in a directory survive a loss of power. On Windows the journal of NTFS does that.
func SyncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir) //nolint:gosec // the operator names it
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

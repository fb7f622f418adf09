package jwt

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// scratchName is where what replaces a file is written first. One name will do: whoever writes so holds
// the lock. What a crash leaves there is overwritten by the next.
const scratchName = ".new"

// replaceFile writes a file, in place of what there is, so that readers and crashes find either the old
// or the new one whole.
func replaceFile(name string, content []byte) error {
	scratch := filepath.Join(filepath.Dir(name), scratchName)
	if err := os.Remove(scratch); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := writeNew(scratch, content); err != nil {
		return err
	}
	if err := os.Rename(scratch, name); err != nil {
		return errors.Join(err, os.Remove(scratch))
	}
	return syncFolder(filepath.Dir(name))
}

// makeFolder makes a folder that is not there. It is the owner's of the one around it.
func makeFolder(name string) error {
	if !missing(name) {
		return nil
	}
	if err := os.MkdirAll(name, 0o700); err != nil {
		return err
	}
	f, err := os.Open(name) //nolint:gosec // as readFile
	if err != nil {
		return err
	}
	return errors.Join(handOver(f), f.Close())
}

// removeFile removes a file for good.
func removeFile(name string) error {
	return errors.Join(os.Remove(name), syncFolder(filepath.Dir(name)))
}

// writeNew writes a file that must not exist, through to the disk. It is the folder's owner's.
func writeNew(name string, content []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // as readFile
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err := errors.Join(err, handOver(f), f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return syncFolder(filepath.Dir(name))
}

// syncFolder makes the names in a folder survive a loss of power, where a folder can be opened for it.
func syncFolder(name string) error {
	if !hasModes {
		return nil
	}
	f, err := os.Open(name) //nolint:gosec // as readFile
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

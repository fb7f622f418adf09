package jwt

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// create makes a key, unless another process has made one meanwhile. What decides is the link to the
// name of the marker, which only one process can make; by then its key is on the disk, under a name
// from which whoever reads the marker next can finish the work.
func create(folder, algorithm string) error {
	k, err := makeKey(algorithm)
	if err != nil {
		return err
	}
	text, err := privatePEM(k.private)
	if err != nil {
		return err
	}
	made := unfinished(folder, k.kid)
	if err := writeNew(made, text); err != nil {
		return err
	}
	note := unfinished(folder, k.kid+"."+markerName)
	if err = writeNew(note, []byte(k.kid+"\n")); err == nil {
		err = os.Link(note, filepath.Join(folder, markerName))
		_ = os.Remove(note)
	}
	if err != nil {
		_ = os.Remove(made)
		if errors.Is(err, fs.ErrExist) {
			return nil // another's key it is
		}
		return err
	}
	return errors.Join(finish(folder, k.kid), syncFolder(folder), syncFolder(filepath.Dir(folder)))
}

// makeKey makes a key whose id no command line takes for a flag.
func makeKey(algorithm string) (*key, error) {
	for {
		private, err := generate(algorithm)
		if err != nil {
			return nil, err
		}
		if k, err := newKey(private); err != nil || k.kid[0] != '-' {
			return k, err
		}
	}
}

// unfinished is where a key lies until it is known to be the one; load does not look there.
func unfinished(folder, kid string) string { return filepath.Join(folder, "."+kid+".new") }

// finish gives a key its name, unless another process has done so.
func finish(folder, kid string) error {
	_, err := os.Lstat(unfinished(folder, kid)) // renaming nothing fails elsewise on a read-only disk
	if err == nil {
		err = os.Rename(unfinished(folder, kid), filepath.Join(folder, kid+keySuffix))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

package sqlitefile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// copied opens a private copy of the database, which was in the state before, and of the file of a suffix, which SQLite has
// to apply to it.
func copied(ctx context.Context, before fs.FileInfo, path, suffix string) (_ *File, err error) {
	rest, err := os.Stat(path + suffix)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, ErrChanged), err)
	}
	dir, err := os.MkdirTemp("", "roster-read-") // mode 0700
	if err != nil {
		return nil, fmt.Errorf("%s was not closed properly and has to be read through a copy (TMPDIR says where): %w", path, err)
	}
	f := &File{
		source: path, path: filepath.Join(dir, filepath.Base(path)), query: "mode=rw", dir: dir,
		note: path + " was not closed properly: it is read through a private copy in " + dir,
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	for _, s := range []string{"", suffix} {
		if err := copyFile(ctx, path+s, f.path+s); err != nil {
			return nil, err
		}
	}
	for name, was := range map[string]fs.FileInfo{path: before, path + suffix: rest} {
		if now, err := os.Stat(name); err != nil || !same(now, was) {
			return nil, fmt.Errorf("%s: %w", path, ErrChanged)
		}
	}
	if err := f.probe(ctx); err != nil {
		return nil, err
	}
	return f, nil
}

func copyFile(ctx context.Context, from, to string) error {
	in, err := os.Open(from) //nolint:gosec // the operator names it
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = in.Close() })()             // which ends the copying
	defer func() { _ = in.Close() }()                                     // nothing was written
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // in a private directory
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(ctx.Err(), err, out.Close())
}

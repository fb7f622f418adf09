// Package sqlitefile opens SQLite database files for reading only, and writes no file beside them. SQLite's mode=ro does
// not suffice: for a database in WAL mode it creates missing -wal and -shm files, which belong to the reading user, so
// that the owner of the database can no longer write, and it fails when it cannot create them.
package sqlitefile

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// ErrChanged reports that a process wrote to a database that was read without locks.
var ErrChanged = errors.New("the database was written to while it was read; run the command again")

// Suffixes of the files that SQLite keeps beside a database.
const (
	logSuffix     = "-wal"     // in WAL mode, the changes that are not in the database yet
	indexSuffix   = "-shm"     // the shared index of the log
	journalSuffix = "-journal" // in other modes, the former content of an incomplete transaction
)

// File is an open database file. A process must not open a database twice: closing either file ends the locks of both.
type File struct {
	source string      // the path without symbolic links
	path   string      // of the opened file: source, or a private copy
	query  string      // parameters of SQLite's URI
	note   string      // see Note
	before fs.FileInfo // the state of a file that is read without locks, or nil
	dir    string      // of the private copy, or ""
}

// attempts is the number of attempts to open a file whose state changes at the same time.
const attempts = 3

// Open opens the database file at path, with all transactions that were committed to it:
//
//   - in WAL mode with a log and an index: with both, which are only read, and with SQLite's locks;
//   - in WAL mode without a log: without locks (immutable=1); Unchanged reports whether a process wrote to it since;
//   - in WAL mode with a log and no index, or with an incomplete transaction: SQLite has to write to it, so a private copy
//     is opened, which Close removes;
//   - in other modes: with SQLite's locks, which need no file.
//
// The error is fs.ErrNotExist when there is no file.
func Open(ctx context.Context, path string) (*File, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if path, err = filepath.EvalSymlinks(path); err != nil { // the log lies beside the file that a link leads to
		return nil, err
	}
	for n := 1; ; n++ {
		f, err := look(ctx, path)
		if err == nil || n == attempts || !errors.Is(err, ErrChanged) && code(err)&0xff != lib.SQLITE_CANTOPEN {
			return f, err
		}
	}
}

func look(ctx context.Context, path string) (*File, error) {
	before, err := os.Stat(path) // first, so that later writes are detected
	if err != nil {
		return nil, err
	}
	if !before.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	wal, err := inWALMode(path)
	if err != nil {
		return nil, err
	}
	f := &File{source: path, path: path, query: "mode=ro"}
	log, index := size(path+logSuffix), size(path+indexSuffix)
	switch {
	case !wal:
		if err = f.probe(ctx); code(err) == lib.SQLITE_READONLY_ROLLBACK {
			return copied(ctx, before, path, journalSuffix)
		}
		return f, err
	case log >= 0 && index >= 0:
		f.query = "mode=ro&readonly_shm=1"
	case log > 0:
		return copied(ctx, before, path, logSuffix)
	default:
		f.query, f.before = "mode=ro&immutable=1", before
		f.note = "no process has " + path + " open: it is read without locks (immutable=1)"
	}
	return f, f.probe(ctx)
}

// inWALMode reports whether the read version in the header of the database is 2 (see "The Database Header" of SQLite's
// file format).
func inWALMode(path string) (wal bool, err error) {
	f, err := os.Open(path) //nolint:gosec // the operator names it
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	var version [1]byte
	if _, err := f.ReadAt(version[:], 19); err != nil && !errors.Is(err, io.EOF) { // SQLite rejects a file that is too short
		return false, err
	}
	return version[0] == 2, nil
}

// size returns the size of a file, -1 when there is none.
func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return -1
	}
	return info.Size()
}

// probe reads the database for the first time.
func (f *File) probe(ctx context.Context) (err error) {
	db, err := f.Pool(1)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var n int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&n); err != nil {
		return errors.Join(f.Unchanged(), err)
	}
	return f.Unchanged()
}

// Note returns how the file is read, if that is unusual, or "".
func (f *File) Note() string { return f.note }

// Pool returns a pool of up to size connections to the database, which cannot write. options are further
// parameters, as the driver takes them.
func (f *File) Pool(size int, options ...string) (*sql.DB, error) {
	return Pool(f.path, size, append([]string{f.query, "_query_only=1", "_busy_timeout=10000"}, options...)...)
}

// Absent fails with fs.ErrExist unless there is neither a database file at path nor one that SQLite would apply to it,
// which a process that runs or was killed has left.
func Absent(path string) error {
	for _, suffix := range []string{"", logSuffix, indexSuffix, journalSuffix} {
		if _, err := os.Lstat(path + suffix); err == nil {
			return fmt.Errorf("%s: %w", path+suffix, fs.ErrExist)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Copy writes the database, as it is at one moment, to the empty file at to, without its unused pages. A reader of the
// database does not wait for it; writers do not either, but their log grows until it ends.
func (f *File) Copy(ctx context.Context, to string) (err error) {
	db, err := Pool(f.path, 1, f.query, "_busy_timeout=10000") // SQLite refuses VACUUM INTO with query_only
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", to); err != nil {
		return errors.Join(f.Unchanged(), err)
	}
	return f.Unchanged()
}

// Unchanged fails with ErrChanged when the results of queries so far may be of different states of the database. It must be
// called after each query.
func (f *File) Unchanged() error {
	if f.before == nil {
		return nil
	}
	now, err := os.Stat(f.source)
	if err != nil || !same(now, f.before) {
		return fmt.Errorf("%s: %w", f.source, ErrChanged)
	}
	return nil
}

func same(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// Close removes the private copy, if there is one. All pools must be closed.
func (f *File) Close() error {
	if f.dir == "" {
		return nil
	}
	return os.RemoveAll(f.dir)
}

// Pool returns a pool of up to size connections to the database file at path, which stay open once opened.
// Nothing is opened yet. options are parameters of SQLite's URI and of the driver.
func Pool(path string, size int, options ...string) (*sql.DB, error) {
	name := filepath.ToSlash(path)
	if !strings.HasPrefix(name, "/") {
		name = "/" + name // C:/...
	}
	c, err := sqlite.NewConnector((&url.URL{Scheme: "file", Path: name, RawQuery: strings.Join(options, "&")}).String())
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db, nil
}

// code returns SQLite's extended result code in err's tree, or 0.
func code(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()
	}
	return 0
}

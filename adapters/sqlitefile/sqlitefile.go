// Package sqlitefile opens SQLite database files that are only read: nothing is written in them or beside
// them. SQLite's own mode=ro is not enough. On a database in WAL mode it makes the files -wal and -shm where
// they are missing; they belong to the user that reads, so that the database's owner can no longer write,
// and where they cannot be made the database cannot be read.
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

// ErrChanged means that a database that was in use by no process came into use while it was read.
var ErrChanged = errors.New("the database was written to while it was read; run the command again")

// Suffixes of the files that SQLite keeps beside a database.
const (
	logSuffix     = "-wal"     // what was written and is not in the database yet, in WAL mode
	indexSuffix   = "-shm"     // the index of the log, which processes share
	journalSuffix = "-journal" // what the database held before a transaction that is not complete, in other modes
)

// File is a database file that is read. It must be the only one that this process has open of its database:
// closing a file ends the locks of its whole process.
type File struct {
	source string      // the file, without symbolic links
	path   string      // what is opened: the file, or a private copy
	query  string      // how, as parameters of SQLite's URI
	note   string      // how, for people
	before fs.FileInfo // of a file that is read without locks
	dir    string      // holds the private copy
}

// attempts is how often Open looks at a file whose state changes at that moment.
const attempts = 3

// Open finds how the database file at path can be read, all that was committed to it included:
//
//   - A process has it open in WAL mode, or left its log and index behind: the log and its index are read too,
//     and SQLite's locks keep what is read from being overwritten. They are not written.
//   - No process does, and the database is complete: it is read without locks (immutable=1). Unchanged reports
//     whether a process wrote to it since.
//   - A process left a log without its index, or a transaction that must be taken back: that needs to be
//     written, and happens in a private copy, which Close removes.
//   - It is not in WAL mode: it is read under SQLite's locks, which need no file.
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
	before, err := os.Stat(path) // first, so that whatever is written afterwards shows
	if err != nil {
		return nil, err
	}
	if !before.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	ahead, err := logsAhead(path)
	if err != nil {
		return nil, err
	}
	f := &File{source: path, path: path, query: "mode=ro"}
	log, index := size(path+logSuffix), size(path+indexSuffix)
	switch {
	case !ahead:
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

// logsAhead reports whether the database is in WAL mode: the read version of its header is 2 (see "The Database
// Header" of SQLite's file format).
func logsAhead(path string) (ahead bool, err error) {
	const at, wal = 19, 2
	f, err := os.Open(path) //nolint:gosec // the operator names it
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	var version [1]byte
	if _, err := f.ReadAt(version[:], at); err != nil && !errors.Is(err, io.EOF) { // too short: SQLite judges it
		return false, err
	}
	return version[0] == wal, nil
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

// Note says how the file is read where that is not the usual way, "" otherwise.
func (f *File) Note() string { return f.note }

// Pool returns a pool of up to size connections to the database, which cannot write. options are further
// parameters, as the driver takes them.
func (f *File) Pool(size int, options ...string) (*sql.DB, error) {
	return Pool(f.path, size, append([]string{f.query, "_query_only=1", "_busy_timeout=10000"}, options...)...)
}

// Unchanged fails with ErrChanged when what was read so far need not be one state of the database. It is to be
// asked after each query.
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

// Close removes the private copy, if there is one. The pools must be closed before.
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

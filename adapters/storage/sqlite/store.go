package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"

	"github.com/pressly/goose/v3"

	"roster/adapters/sqlitefile"
	"roster/adapters/storage"
	"roster/adapters/storage/sqltable"
)

// Store is the backend. Writes go through one connection, since SQLite has one writer at a time and a queue here
// is fairer and cheaper than its polling; reads have their own connections and do not wait.
type Store struct {
	path    string
	options storage.Options

	groupSize int // writes of one transaction at most

	writer  *sql.DB          // nil when the database is only read
	reader  *sql.DB          // nil before Start when the database is only read
	source  *sqlitefile.File // of a database that is only read, after Start
	gate    storage.Gate
	slots   chan struct{} // one for each connection of reader, held by a Read
	readers *querier      // after Start, as the next two
	writes  *prepared     // of the writer
	group   group
	alone   bool        // no other process can open the database; writer and reader are the same
	loaded  atomic.Bool // a load has ended
	file    fs.FileInfo // of the file that was opened

	sqltable.Tables
}

var _ storage.Backend = (*Store)(nil)

// New returns a Store for the database file at path, which Start creates when it does not exist. It does no I/O on
// the file.
func New(path string) (*Store, error) { return newStore(path, storage.Options{}) }

func newStore(path string, o storage.Options) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	s := &Store{path: path, options: o, groupSize: maxGroup, slots: make(chan struct{}, readers())}
	s.group.turn = make(chan struct{}, 1)
	s.Tables = sqltable.New(s, &dialect)
	if o.Access == storage.Read {
		return s, nil
	}
	if s.writer, err = pool(path, 1, "_txlock=immediate"); err != nil {
		return nil, err
	}
	if s.reader, err = pool(path, readers(), "_query_only=1"); err != nil {
		return nil, err
	}
	return s, nil
}

// readers is the number of connections that read.
func readers() int { return max(4, runtime.GOMAXPROCS(0)) }

// common are the options of every connection.
var common = []string{
	"_defensive=1",          // no SQL can damage the file's structure
	"_dqs=0",                // "x" is a name, never a string literal
	"_error_rc=1",           // an error has no message of another operation
	"_pragma=temp_store(2)", // sorts stay in memory: no files beside the data
}

// pool returns a pool of up to size connections, which stay open once opened. It opens none.
func pool(path string, size int, options ...string) (*sql.DB, error) {
	db, err := sqlitefile.Pool(path, size, append([]string{
		"mode=rw",            // a missing file is a failure, not a new database
		"_busy_timeout=5000", // ms, for another process's write
		"_synchronous=FULL",  // a commit is on the disk before it is acknowledged
		"_foreign_keys=1",    // there are none so far
		"_pragma=journal_size_limit(67108864)",
		// Deleted data is overwritten with zeros. FAST would leave the content of pages that become free: hundreds of
		// addresses and a few hashes of 60 deleted users. Copies that SQLite made when it moved rows between pages can
		// remain until VACUUM.
		"_pragma=secure_delete(1)",
	}, append(common, options...)...)...)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	return db, nil
}

// Start implements storage.Backend. It creates the file and its directory when they do not exist and the options
// permit. A Store whose Start failed has nothing open and cannot be started again.
func (s *Store) Start(ctx context.Context) error {
	if err := s.start(ctx); err != nil {
		return errors.Join(err, s.release())
	}
	s.gate.Open()
	return nil
}

func (s *Store) start(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	begin := s.startWriting
	if s.options.Access == storage.Read {
		begin = s.startReading
	}
	if err := begin(ctx); err != nil {
		return err
	}
	var err error
	if s.file, err = os.Stat(s.path); err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	s.readers = &querier{runner: s.reader, prepared: newPrepared(s.reader)}
	s.writes = newPrepared(s.writer)
	return nil
}

func (s *Store) startWriting(ctx context.Context) error {
	if err := s.findFile(); err != nil {
		return err
	}
	if s.options.Load {
		if err := s.holdAlone(ctx); err != nil {
			return err
		}
	}
	created, err := prepare(ctx, s.writer, s.path, s.options)
	if err == nil && created {
		s.options.Notify("created the database " + s.path)
	}
	if err == nil && !s.alone { // otherwise the load continues
		err = endLoad(ctx, s.writer, s.path, s.options)
	}
	return err
}

// startReading opens a database that another process may be using. It writes neither to it nor to other files.
func (s *Store) startReading(ctx context.Context) (err error) {
	if s.source, err = sqlitefile.Open(ctx, s.path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return noDatabase(s.path)
		}
		return translate(ctx, "open "+s.path, err)
	}
	if s.reader, err = s.source.Pool(readers(), common...); err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	s.options.Notify(s.source.Note())
	return recognise(ctx, s.reader, s.path)
}

// About implements storage.Backend.
func (s *Store) About(ctx context.Context) (about string, err error) {
	err = s.Read(ctx, func(ctx context.Context, q sqltable.Querier) error {
		var program string
		var schema int64
		err := q.QueryRow(ctx, "SELECT sqlite_version(), max(version_id) FROM "+goose.DefaultTablename).Scan(&program, &schema)
		about = fmt.Sprintf("SQLite %s, %s, schema version %d", program, s.path, schema)
		return translate(ctx, "read the versions", err)
	})
	return about, err
}

// Same implements storage.Backend.
func (s *Store) Same(_ context.Context, other storage.Backend) (bool, error) {
	o, ok := other.(*Store)
	return ok && os.SameFile(s.file, o.file), nil
}

// Ping implements storage.Backend. It also fails when the file was deleted or replaced: the connections would keep
// writing to the old file, which the next start does not open.
func (s *Store) Ping(ctx context.Context) error {
	return s.Read(ctx, func(ctx context.Context, q sqltable.Querier) error {
		var n int
		if err := q.QueryRow(ctx, sqltable.SelectPing).Scan(&n); err != nil {
			return translate(ctx, "ping", err)
		}
		info, err := os.Stat(s.path)
		if err != nil {
			return storage.Unavailable(fmt.Errorf("sqlite: ping: %w", err))
		}
		if !os.SameFile(info, s.file) {
			return storage.Unavailable(fmt.Errorf("sqlite: ping: %s is another file than the one opened", s.path))
		}
		return nil
	})
}

// Close implements storage.Backend. When ctx ends first, running operations lose their connections when they return
// them.
func (s *Store) Close(ctx context.Context) error {
	return errors.Join(s.gate.Shut(ctx), s.release())
}

// release closes the connections, the writer's last: the last to close moves the log into the
// database file.
func (s *Store) release() error {
	var err error
	if s.readers != nil {
		err = errors.Join(s.writes.close(), s.readers.prepared.close())
	}
	for _, db := range []*sql.DB{s.reader, s.writer} {
		if db != nil {
			err = errors.Join(err, db.Close())
		}
	}
	if s.source != nil {
		err = errors.Join(err, s.source.Close())
	}
	return err
}

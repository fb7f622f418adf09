package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"roster/adapters/storage"
	"roster/adapters/storage/sqltable"
	"roster/ports/outbound"
)

// A load is an import into a database without users that no other process has open. It drops the indexes that only
// lists and searches need, and the triggers, and creates them again after the last user: each row then costs the same
// whatever their number, and an index that is created over all rows is sorted once and written once.
//
// The table deferred has the statements that create them again. It is committed with the first users, so it exists
// after a load that was killed; every later opening of the database first creates what is missing. The unique indexes
// over ids and addresses stay during a load, and so do users_kind_id, which a change of a user reads, and users_number.

const selectDeferred = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'deferred')"

// beginLoad lists the indexes and triggers to drop. The statements in sqlite_schema are those of the migrations.
const beginLoad = `
CREATE TABLE deferred (name TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, statement TEXT NOT NULL) STRICT;
INSERT INTO deferred (name, kind, statement) SELECT name, type, sql FROM sqlite_schema
	WHERE tbl_name = 'users' AND type IN ('index', 'trigger') AND sql IS NOT NULL
	AND name NOT IN ('users_email_key', 'users_kind_id', 'users_number');
CREATE TRIGGER users_numbered AFTER INSERT ON users BEGIN
	UPDATE users SET number = (SELECT coalesce(max(number), 0) + 1 FROM users) WHERE rowid = new.rowid;
END`

// buildSearch fills the search index, which triggers keep up to date otherwise. A few large segments are merged less
// often than many small ones; SQLite's default is one segment for each MB.
const buildSearch = `
INSERT INTO users_search (users_search, rank) VALUES ('hashsize', 4194304);
INSERT INTO users_search (users_search) VALUES ('rebuild');
INSERT INTO users_search (users_search, rank) VALUES ('hashsize', 1048576);
UPDATE user_counts SET value = (SELECT count(*) FROM users WHERE users.active = user_counts.active AND users.staff = user_counts.staff)`

// CREATE INDEX sorts in unnamed temporary files in the directory of the database, since the rows may not fit in
// memory.
const (
	setBuild   = "PRAGMA temp_store_directory = '%s'; PRAGMA temp_store = 1; PRAGMA cache_size = -16384"
	unsetBuild = "PRAGMA temp_store = 2; PRAGMA cache_size = -2000"
)

// manyUsers is the number of users from which a notice says that the import builds indexes at its end.
const manyUsers = 1_000

// errLoading is the error of opening a database for reading during a load, or after one that was interrupted.
func errLoading(path string) error {
	return fmt.Errorf("sqlite: %s: an import is not complete: wait for its end, or run it again if it was cut off; roster migrate "+
		"completes what is there", path)
}

// loading reports whether what is listed in deferred is missing.
func loading(ctx context.Context, q runner) (is bool, err error) {
	err = q.QueryRowContext(ctx, selectDeferred).Scan(&is)
	return is, err
}

// holdAlone replaces the connections of the store by one with an exclusive lock, when no other process has the
// database open and a load can begin or continue.
func (s *Store) holdAlone(ctx context.Context) error {
	db, err := pool(s.path, 1, "_txlock=immediate", "_busy_timeout=0",
		"_pragma=locking_mode(EXCLUSIVE)", "_pragma=cache_size(-32768)", "_pragma=wal_autocheckpoint(65536)")
	if err != nil {
		return err
	}
	can, err := canLoad(ctx, db)
	if err != nil || !can {
		if busy(err) {
			err = nil
		}
		return errors.Join(translate(ctx, "open "+s.path, err), db.Close())
	}
	err = errors.Join(s.reader.Close(), s.writer.Close())
	s.writer, s.reader, s.alone = db, db, true
	return err
}

// canLoad takes the lock, and reports whether the database has no users or those of an interrupted load.
func canLoad(ctx context.Context, db *sql.DB) (can bool, err error) {
	if _, err := db.ExecContext(ctx, "BEGIN EXCLUSIVE; COMMIT"); err != nil {
		return false, err
	}
	var users bool
	err = db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'users')").Scan(&users)
	if err != nil || !users {
		return err == nil, err
	}
	const question = "SELECT NOT EXISTS (SELECT 1 FROM users) OR EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'deferred')"
	err = db.QueryRowContext(ctx, question).Scan(&can)
	return can, err
}

// startLoad begins a load in a transaction that will store the first users.
func startLoad(ctx context.Context, q *querier) error {
	var begun bool
	err := q.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM users) OR EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'deferred')").Scan(&begun)
	if err != nil || begun {
		return err
	}
	if _, err := q.Exec(ctx, beginLoad); err != nil {
		return err
	}
	var drops []string
	err = q.QueryEach(ctx, "SELECT 'DROP ' || kind || ' ' || name FROM deferred", nil, func(row sqltable.Row) error {
		drops = append(drops, "")
		return row.Scan(&drops[len(drops)-1])
	})
	for _, drop := range drops {
		if err == nil {
			_, err = q.Exec(ctx, drop)
		}
	}
	return err
}

// endLoad creates what a load dropped. Each index is a transaction of its own, so that it is kept when a later one is
// interrupted; the search index, the counts and the triggers follow in one transaction.
func endLoad(ctx context.Context, db *sql.DB, path string, o storage.Options) error {
	is, err := loading(ctx, db)
	if err != nil || !is {
		return translate(ctx, "open "+path, err)
	}
	o.NotifyBuilding("the indexes of the users of " + path)
	op := "build the indexes of " + path
	c, err := db.Conn(ctx)
	if err != nil {
		return translate(ctx, op, err)
	}
	defer func() { _ = c.Close() }() // returns it to the pool
	unset, err := tune(ctx, c, fmt.Sprintf(setBuild, strings.ReplaceAll(filepath.Dir(path), "'", "''")), unsetBuild)
	if err != nil {
		return translate(ctx, op, err)
	}
	defer unset()
	for is && err == nil {
		is, err = endLoadStep(ctx, c)
	}
	return translate(ctx, op, err)
}

func endLoadStep(ctx context.Context, c *sql.Conn) (more bool, err error) {
	tx, err := c.BeginTx(ctx, nil)
	if err != nil {
		return false, err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	if is, err := loading(ctx, tx); err != nil || !is {
		return false, err // another process was faster
	}
	var name, statement string
	err = tx.QueryRowContext(ctx, "SELECT name, statement FROM deferred WHERE kind = 'index' LIMIT 1").Scan(&name, &statement)
	switch {
	case err == nil:
		_, err = tx.ExecContext(ctx, statement+"; DELETE FROM deferred WHERE name = ?", name)
		more = true
	case errors.Is(err, sql.ErrNoRows):
		var triggers string
		err = tx.QueryRowContext(ctx, "SELECT coalesce(group_concat(statement, ';'), '') FROM deferred").Scan(&triggers)
		if err == nil {
			_, err = tx.ExecContext(ctx, "DROP TRIGGER users_numbered; DROP TABLE deferred;"+triggers+";"+buildSearch)
		}
	}
	if err != nil {
		return false, err
	}
	return more, tx.Commit()
}

// archive is the archive of a store that can load.
type archive struct {
	outbound.Archive
	s *Store
}

// Archive implements storage.Backend.
func (s *Store) Archive() outbound.Archive { return archive{s.Tables.Archive(), s} }

// BuildIndexes implements outbound.Archive. Users that are put after it are stored with all indexes.
func (a archive) BuildIndexes(ctx context.Context) error {
	s := a.s
	if !s.alone {
		return ctx.Err()
	}
	if err := s.gate.Enter(); err != nil {
		return err
	}
	defer s.gate.Leave()
	s.loaded.Store(true)
	o := s.options
	var users int64
	if err := s.writer.QueryRowContext(ctx, "SELECT coalesce(max(number), 0) FROM users").Scan(&users); err != nil {
		return translate(ctx, "count the users", err)
	}
	if users < manyUsers {
		o.Notice = nil
	}
	return endLoad(ctx, s.writer, s.path, o)
}

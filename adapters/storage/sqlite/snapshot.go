package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"roster/adapters/sqlitefile"
)

// Snapshot writes the database at path, as it is at one moment, to the empty file at to, and verifies that as Verify does.
// Processes may be using the database. It changes nothing there, and takes every version of the schema. note says how the
// database is read, if that is unusual.
func Snapshot(ctx context.Context, path, to string) (note string, err error) {
	source, err := sqlitefile.Open(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", noDatabase(path)
	}
	if err != nil {
		return "", translate(ctx, "open "+path, err)
	}
	err = source.Copy(ctx, to)
	if err = errors.Join(err, source.Close()); err != nil {
		return "", translate(ctx, "back up "+path, err)
	}
	return source.Note(), Verify(ctx, to)
}

// Verify fails unless the file at path, which no process writes to, is an intact database of Roster.
func Verify(ctx context.Context, path string) (err error) {
	db, err := sqlitefile.Pool(path, 1, append([]string{"mode=ro&immutable=1"}, common...)...)
	if err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if isRoster, err := marked(ctx, db, path); err != nil || !isRoster {
		return errors.Join(err, noDatabase(path))
	}
	var found string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&found); err != nil {
		return translate(ctx, "verify "+path, err)
	}
	if found != "ok" {
		return fmt.Errorf("sqlite: %s is damaged: %s", path, found)
	}
	return nil
}

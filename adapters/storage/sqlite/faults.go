package sqlite

import (
	"context"
	"errors"
	"fmt"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"roster/adapters/storage"
	"roster/adapters/storage/sqltable"
)

// Failure implements sqltable.DB. It reads result codes, never the text of an error.
func (s *Store) Failure(ctx context.Context, op string, err error, c sqltable.Conflicts) error {
	return failure(ctx, op, err, c)
}

// translate is Failure for statements that cannot violate a unique index.
func translate(ctx context.Context, op string, err error) error {
	return failure(ctx, op, err, sqltable.Conflicts{})
}

func failure(ctx context.Context, op string, err error, c sqltable.Conflicts) error {
	if err == nil {
		return nil
	}
	if end := storage.Ended(ctx); end != nil {
		// The driver reports an interrupt in several ways; the cause is the end of the context.
		return fmt.Errorf("sqlite: %s: %w", op, end)
	}
	err = fmt.Errorf("sqlite: %s: %w", op, err)
	switch code := codeOf(err); code {
	case lib.SQLITE_CONSTRAINT_PRIMARYKEY:
		if c.ID != nil {
			return fmt.Errorf("sqlite: %s: %w", op, c.ID)
		}
	case lib.SQLITE_CONSTRAINT_UNIQUE:
		if c.Unique != nil {
			return fmt.Errorf("sqlite: %s: %w", op, c.Unique)
		}
	default:
		switch code & 0xff { // the extended codes share their low byte with the primary one
		case lib.SQLITE_BUSY, lib.SQLITE_LOCKED, lib.SQLITE_PROTOCOL,
			lib.SQLITE_FULL, lib.SQLITE_IOERR, lib.SQLITE_CANTOPEN, lib.SQLITE_READONLY:
			return storage.Unavailable(err)
		}
	}
	return err
}

// codeOf returns the extended result code of err, or 0.
func codeOf(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()
	}
	return 0
}

func busy(err error) bool {
	code := codeOf(err) & 0xff
	return code == lib.SQLITE_BUSY || code == lib.SQLITE_LOCKED
}

package outbound

import (
	"context"

	"roster/domain/audit"
	"roster/domain/fault"
	"roster/domain/lockout"
	"roster/domain/mail"
	"roster/domain/session"
	"roster/domain/user"
)

// Archive gives access to all records of a backend as snapshots, for imports, copies and exports. A read during
// writes returns some state of each record, not a consistent state of all.
type Archive interface {
	Users() Collection[user.Snapshot]       // in the order of user.ID.SortKey
	Sessions() Collection[session.Snapshot] // in the order of ids
	Attempts() Collection[lockout.Snapshot] // in the order of subjects
	Events() Collection[audit.Event]        // in the order of ids
	Mails() Collection[mail.Snapshot]       // in the order of ids

	// LastUserID returns the highest integer id that was ever assigned or stored, or 0.
	LastUserID(ctx context.Context) (int64, error)

	// SkipUserIDs makes new integer ids higher than n. It never lowers the counter.
	SkipUserIDs(ctx context.Context, n int64) error

	// BuildIndexes ends a number of Puts. A backend that was opened to store many users may build then what lists, searches
	// and counts need; before, these can fail or miss users. It does nothing where nothing is missing. When it is cut off,
	// the next opening of the database completes it.
	BuildIndexes(ctx context.Context) error
}

// Collection holds all records of one type. Each has a key, and the byte order of keys is the same on every backend.
type Collection[T any] interface {
	// Key returns the key of a record.
	Key(record T) string

	// Page returns up to limit records in key order, from the first one after the key after; "" is before all keys.
	// It fails when a stored record breaks a rule, with an error that contains its key.
	Page(ctx context.Context, after string, limit int) ([]T, error)

	// Put stores records as they are, versions and times included, in one transaction where the backend can. Records
	// of one call must have different keys. refused has an entry per record, in the same order: nil when the record
	// was stored, ErrKeyTaken when its key is in use, whose record stays, or user.ErrEmailTaken. When a record
	// breaks a rule of its type, Put fails with an error that contains its key and stores nothing. When Put fails in
	// another way, any of the records may have been stored; a second call shows which.
	Put(ctx context.Context, records []T) (refused []error, err error)
}

// ErrKeyTaken is the error of a record whose key is in use.
var ErrKeyTaken = fault.New(fault.Conflict, "key_taken", "there is a record under this key already")

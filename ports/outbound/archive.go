package outbound

import (
	"context"

	"roster/domain/audit"
	"roster/domain/fault"
	"roster/domain/lockout"
	"roster/domain/session"
	"roster/domain/user"
)

// Archive is everything that a backend keeps, as snapshots, for taking it elsewhere and bringing it
// in: imports, copies, exports. What is read while the service writes is some state of each record,
// not one moment of all.
type Archive interface {
	Users() Collection[user.Snapshot]       // ordered by user.ID.SortKey
	Sessions() Collection[session.Snapshot] // ordered by id
	Attempts() Collection[lockout.Snapshot] // ordered by subject
	Events() Collection[audit.Event]        // ordered by id

	// LastUserID returns the highest counted id ever given or added, 0 for none.
	LastUserID(ctx context.Context) (int64, error)

	// SkipUserIDs makes counting go on above n; it never goes back.
	SkipUserIDs(ctx context.Context, n int64) error
}

// Collection is all records of one kind, each under a key whose bytes give the order: the same on
// every backend.
type Collection[T any] interface {
	// Key returns the key of a record.
	Key(record T) string

	// Page returns up to limit records in order of their keys, from the first one after a key; "" is
	// before all. It fails with an error that holds the key when a record as stored breaks a rule.
	Page(ctx context.Context, after string, limit int) ([]T, error)

	// Put stores records as they are, versions and times included, in one go where the backend can.
	// Each is judged by itself: refused holds, in the order of records, nil for those stored, and for
	// those that were not ErrKeyTaken, when there is a record under the key, which stays as it is; or
	// user.ErrEmailTaken. When Put as a whole fails, any of the records may have been stored: putting
	// them again says which. A record that breaks a rule of its kind makes Put fail before anything is
	// stored, with an error that holds its key. Records of one call have different keys.
	Put(ctx context.Context, records []T) (refused []error, err error)
}

// ErrKeyTaken says that there is a record under the same key.
var ErrKeyTaken = fault.New(fault.Conflict, "key_taken", "there is a record under this key already")

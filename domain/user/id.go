package user

import (
	"strconv"
	"strings"
)

// ID identifies a user: a positive 63-bit integer in decimal, as Django counts them, or a UUID in its canonical
// lower-case form. An id is never reused after its user was deleted.
type ID string

const integerKeyLen = 19 // digits of the largest 63-bit integer

// LastImportedID is the highest integer id that an import accepts. New users get higher ids; 2^40 of them are left
// above it.
const LastImportedID = 1<<63 - 1 - 1<<40

// ParseID parses an id. It accepts the canonical spelling only, so that each user has one URL. It fails with
// ErrNotFound, since no user can have any other id.
func ParseID(text string) (ID, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > 0 && strconv.FormatInt(n, 10) == text {
		return ID(text), nil
	}
	if isUUID(text) {
		return ID(text), nil
	}
	return "", ErrNotFound
}

// IntegerID returns the id for n, which must be positive.
func IntegerID(n int64) ID { return ID(strconv.FormatInt(n, 10)) }

// Integer returns the value of an integer id. ok is false for other ids.
func (id ID) Integer() (n int64, ok bool) {
	if len(id) > integerKeyLen {
		return 0, false
	}
	n, err := strconv.ParseInt(string(id), 10, 64)
	return n, err == nil
}

// SortKey returns a string for id whose byte order is the order of ids on every backend: integers by value, before
// UUIDs, which are ordered by text (UUIDv7: by age).
func (id ID) SortKey() string {
	if _, ok := id.Integer(); ok {
		return strings.Repeat("0", integerKeyLen-len(id)) + string(id)
	}
	return string(id)
}

// Stored returns the sort key of id, which a user is stored under. It fails with ErrBadID when that would be read
// back as another id: "07" as "7".
func (id ID) Stored() (key string, err error) {
	if key = id.SortKey(); IDFromSortKey(key) != id {
		return "", ErrBadID
	}
	return key, nil
}

// IDFromSortKey returns the id for a result of SortKey.
func IDFromSortKey(key string) ID {
	if len(key) == integerKeyLen {
		return ID(strings.TrimLeft(key, "0"))
	}
	return ID(key)
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range []byte(s) {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return false
			}
		}
	}
	return true
}

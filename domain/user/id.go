package user

import (
	"strconv"
	"strings"
)

// ID identifies a user for good: a positive 63-bit integer in decimal, as Django counts them, or a
// UUID in its canonical lower-case form. Ids are never used again after their user is gone.
type ID string

const integerKeyLen = 19 // digits of the largest 63-bit integer

// LastImportedID is the highest counted id that is taken over from elsewhere: counting goes on above
// it, and the ids that are left for new users, 2^40, do not run out.
const LastImportedID = 1<<63 - 1 - 1<<40

// ParseID returns the id that text spells. Any other spelling than the canonical one is refused, so
// that one user has one address; ErrNotFound says that no user can have such an id.
func ParseID(text string) (ID, error) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > 0 && strconv.FormatInt(n, 10) == text {
		return ID(text), nil
	}
	if isUUID(text) {
		return ID(text), nil
	}
	return "", ErrNotFound
}

// IntegerID returns the id counted n, which must be positive.
func IntegerID(n int64) ID { return ID(strconv.FormatInt(n, 10)) }

// Integer returns the number of a counted id, and whether id is one.
func (id ID) Integer() (int64, bool) {
	if len(id) > integerKeyLen {
		return 0, false
	}
	n, err := strconv.ParseInt(string(id), 10, 64)
	return n, err == nil
}

// SortKey returns the form of id whose byte order is the order of ids on every backend: counted ids
// by value, UUIDs by their text (UUIDv7: by age).
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

// IDFromSortKey undoes SortKey.
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

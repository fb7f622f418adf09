package user_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"roster/domain/user"
)

func TestParseID(t *testing.T) {
	for _, text := range []string{"1", "42", "9223372036854775807", "0197b5a0-1234-7abc-8def-0123456789ab", "00000000-0000-0000-0000-000000000000"} {
		id, err := user.ParseID(text)
		if err != nil || string(id) != text {
			t.Errorf("%q: %q, %v", text, id, err)
		}
		if got := user.IDFromSortKey(id.SortKey()); got != id {
			t.Errorf("%q: sort key %q, back %q", text, id.SortKey(), got)
		}
		if n, counted := id.Integer(); counted != (len(text) < 20) || counted && user.IntegerID(n) != id {
			t.Errorf("%q: %d, %t", text, n, counted)
		}
	}
	for _, text := range []string{
		"", "0", "-1", "+1", "01", "1 ", " 1", "1.0", "1e3", "0x1", "1_000", "٣", "9223372036854775808", "99999999999999999999", strings.Repeat("9", 1000), "me", "1\x00", "１",
		"0197B5A0-1234-7ABC-8DEF-0123456789AB", "0197b5a012347abc8def0123456789ab", "{0197b5a0-1234-7abc-8def-0123456789ab}", "urn:uuid:0197b5a0-1234-7abc-8def-0123456789ab",
		"0197b5a0-1234-7abc-8def-0123456789a", "0197b5a0-1234-7abc-8def-0123456789abc", "0197b5a0-1234-7abc-8def-0123456789ag", "0197b5a0_1234-7abc-8def-0123456789ab", "0197b5a-01234-7abc-8def-0123456789ab",
	} {
		if id, err := user.ParseID(text); !errors.Is(err, user.ErrNotFound) || id != "" {
			t.Errorf("%q: %q, %v", text, id, err)
		}
	}
}

func TestSortKeysOrderIDs(t *testing.T) {
	inOrder := []user.ID{"1", "2", "9", "10", "99", "100", "1000000000", "9223372036854775807", "0197b5a0-1234-7abc-8def-0123456789ab", "0197b5a1-0000-7000-8000-000000000000"}
	counted := inOrder[:8]
	if !slices.IsSortedFunc(counted, func(a, b user.ID) int { return strings.Compare(a.SortKey(), b.SortKey()) }) {
		t.Error("counted ids are not in order")
	}
	if inOrder[8].SortKey() >= inOrder[9].SortKey() {
		t.Error("UUIDs are not in order")
	}
	for _, id := range counted {
		if len(id.SortKey()) != 19 {
			t.Errorf("%q: %q", id, id.SortKey())
		}
	}
}

// TestStored shows which ids are read back as they were stored.
func TestStored(t *testing.T) {
	for id, want := range map[user.ID]string{
		"7": "0000000000000000007", "9223372036854775807": "9223372036854775807",
		"01900000-0000-7000-8000-000000000001": "01900000-0000-7000-8000-000000000001",
	} {
		if key, err := id.Stored(); err != nil || key != want || user.IDFromSortKey(key) != id {
			t.Errorf("%s: %q, %v; want %q", id, key, err, want)
		}
	}
	for _, id := range []user.ID{"07", "0", "0000000000000000007", "0abcdefghijklmnopqr"} {
		if key, err := id.Stored(); !errors.Is(err, user.ErrBadID) {
			t.Errorf("%s: %q, %v; want ErrBadID", id, key, err)
		}
	}
}

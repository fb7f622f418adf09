package user

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Networks holds the networks from which a user signed in, the latest first, each with the day of the last sign-in.
// A network is stored as a digest that differs from user to user. The zero value is empty. Values are comparable
// with ==.
type Networks struct{ encoded string }

const (
	maxNetworks = 8
	networkDays = 90 // days for which a network stays known after a sign-in
)

// RestoreNetworks returns the value for a result of Encoded. Entries of s that it cannot parse are ignored.
func RestoreNetworks(s string) Networks { return Networks{s} }

// Encoded returns the form for storage: DIGEST:DAY for each network, separated by spaces. DAY counts days since 1
// January 1970 UTC.
func (n Networks) Encoded() string { return n.encoded }

// Equal reports whether n and m are equal.
func (n Networks) Equal(m Networks) bool { return n == m }

// SignedInFrom reports whether the user signed in from network within the 90 days before now. Only the last eight
// networks of a user are kept.
func (u *User) SignedInFrom(network string, now time.Time) bool {
	day, ok := u.s.Networks.lastDay(digestOf(u.s.ID, network))
	return ok && dayNumber(now)-day <= networkDays
}

// RecordNetwork records a sign-in at now from network. It changes nothing when one of the same day is recorded.
func (u *User) RecordNetwork(network string, now time.Time) {
	u.s.Networks = u.s.Networks.with(digestOf(u.s.ID, network), dayNumber(now))
}

// Device returns what stands for a client in a network, for SignedInFrom and RecordNetwork. The version numbers of the client
// do not count.
func Device(network, client string) string {
	return network + "\x00" + strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '.' {
			return -1
		}
		return r
	}, client)
}

// lastDay returns the day of the last sign-in from a network. ok is false when there is none.
func (n Networks) lastDay(digest string) (day int, ok bool) {
	for entry := range strings.FieldsSeq(n.encoded) {
		if d, day, ok := parseNetwork(entry); ok && d == digest {
			return day, true
		}
	}
	return 0, false
}

// with returns n with a sign-in from a network on day added, and n itself when that is recorded already.
func (n Networks) with(digest string, day int) Networks {
	if last, ok := n.lastDay(digest); ok && last == day {
		return n
	}
	entries := []string{fmt.Sprintf("%s:%d", digest, day)}
	for entry := range strings.FieldsSeq(n.encoded) {
		d, last, ok := parseNetwork(entry)
		if ok && d != digest && day-last <= networkDays && len(entries) < maxNetworks {
			entries = append(entries, fmt.Sprintf("%s:%d", d, min(last, day))) // the recorded day may be in the future: another clock was ahead
		}
	}
	return Networks{strings.Join(entries, " ")}
}

func parseNetwork(entry string) (digest string, day int, ok bool) {
	digest, text, _ := strings.Cut(entry, ":")
	day, err := strconv.Atoi(text)
	return digest, day, digest != "" && err == nil
}

func digestOf(id ID, network string) string {
	sum := sha256.Sum256([]byte(string(id) + "\x00" + network))
	return hex.EncodeToString(sum[:8])
}

func dayNumber(now time.Time) int { return int(now.Unix() / (24 * 60 * 60)) }

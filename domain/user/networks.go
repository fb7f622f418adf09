package user

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Networks is the networks from which a user signed in, the last first, each with the day when it last
// did. A network is kept as a digest that is another one for each user. The zero value is none. Two values
// can be compared with ==.
type Networks struct{ encoded string }

const (
	mostNetworks = 8
	networkDays  = 90 // after a sign-in its network is known for so long
)

// RestoreNetworks returns the value that Encoded returned s for. What it does not understand of s counts
// as no network.
func RestoreNetworks(s string) Networks { return Networks{s} }

// Encoded returns the form for storage: DIGEST:DAY for each network, separated by blanks. Days are counted
// from 1 January 1970 UTC.
func (n Networks) Encoded() string { return n.encoded }

// Equal reports whether n and m are the same.
func (n Networks) Equal(m Networks) bool { return n == m }

// SignedInFrom reports whether the user signed in from a network in the 90 days before now, unless from
// eight others since.
func (u *User) SignedInFrom(network string, now time.Time) bool {
	day, ok := u.s.Networks.lastDay(digestOf(u.s.ID, network))
	return ok && today(now)-day <= networkDays
}

// RecordNetwork notes that a sign-in at now came from a network. It changes nothing when one of the same day
// did.
func (u *User) RecordNetwork(network string, now time.Time) {
	u.s.Networks = u.s.Networks.with(digestOf(u.s.ID, network), today(now))
}

// lastDay returns the day of the last sign-in from a network.
func (n Networks) lastDay(digest string) (day int, ok bool) {
	for entry := range strings.FieldsSeq(n.encoded) {
		if d, day, ok := parseNetwork(entry); ok && d == digest {
			return day, true
		}
	}
	return 0, false
}

// with returns n after a sign-in from a network. It is n itself when that is known of the same day.
func (n Networks) with(digest string, day int) Networks {
	if last, ok := n.lastDay(digest); ok && last == day {
		return n
	}
	entries := []string{fmt.Sprintf("%s:%d", digest, day)}
	for entry := range strings.FieldsSeq(n.encoded) {
		d, last, ok := parseNetwork(entry)
		if ok && d != digest && day-last <= networkDays && len(entries) < mostNetworks {
			entries = append(entries, fmt.Sprintf("%s:%d", d, min(last, day))) // a clock may have been ahead
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

func today(now time.Time) int { return int(now.Unix() / (24 * 60 * 60)) }

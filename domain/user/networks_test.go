package user_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"roster/domain/user"
)

func TestNetworksAreKnownFor90Days(t *testing.T) {
	const day = 24 * time.Hour
	u := register(t)
	known := func(network string, at time.Time, want bool) {
		t.Helper()
		if got := u.SignedInFrom(network, at); got != want {
			t.Errorf("%s at %s: known %t", network, at, got)
		}
	}
	known("192.0.2.1", joined, false)
	u.RecordNetwork("192.0.2.1", joined)
	u.RecordNetwork("2001:db8::/64", joined.Add(10*day))
	known("192.0.2.1", joined, true)
	known("192.0.2.1", joined.Add(90*day), true)
	known("192.0.2.1", joined.Add(91*day), false)
	known("192.0.2.2", joined, false)
	known("2001:db8::/64", joined.Add(91*day), true)
	u.RecordNetwork("192.0.2.1", joined.Add(89*day))
	known("192.0.2.1", joined.Add(91*day), true)
	u.RecordNetwork("192.0.2.3", joined.Add(200*day))
	if text := u.Snapshot().Networks.Encoded(); strings.Count(text, ":") != 1 {
		t.Errorf("old networks are kept: %q", text)
	}
}

func TestEightNetworksAreKept(t *testing.T) {
	u := register(t)
	for i := range 20 {
		u.RecordNetwork(fmt.Sprint("n", i), joined)
	}
	u.RecordNetwork("n12", joined.Add(24*time.Hour)) // the oldest kept network, used again
	u.RecordNetwork("n20", joined.Add(24*time.Hour))
	for i := range 21 {
		if known, want := u.SignedInFrom(fmt.Sprint("n", i), joined), i == 12 || i >= 14; known != want {
			t.Errorf("n%d: known %t", i, known)
		}
	}
	if text := u.Snapshot().Networks.Encoded(); len(text) > 256 || strings.Contains(text, "n1") {
		t.Errorf("%q is long or says what the networks are", text)
	}
}

// The stored value changes once a day per network at most, even when two are used in turn.
func TestNetworksChangeOncePerDay(t *testing.T) {
	u := register(t)
	u.RecordNetwork("a", joined)
	u.RecordNetwork("b", joined)
	before := u.Snapshot()
	u.RecordNetwork("a", joined.Add(time.Second))
	u.RecordNetwork("b", joined.Add(time.Minute))
	if u.Snapshot() != before {
		t.Errorf("%q became %q", before.Networks.Encoded(), u.Snapshot().Networks.Encoded())
	}
	u.RecordNetwork("a", joined.Add(24*time.Hour))
	if text := u.Snapshot().Networks.Encoded(); u.Snapshot() == before || strings.Count(text, ":") != 2 {
		t.Errorf("the next day is not noted, or the network twice: %q", text)
	}
}

func TestNetworkDigestsDifferByUser(t *testing.T) {
	u := register(t)
	u.RecordNetwork("192.0.2.1", joined)
	s := u.Snapshot()
	s.ID = "8"
	other, err := user.Restore(s)
	if err != nil || other.SignedInFrom("192.0.2.1", joined) {
		t.Errorf("the digest of one user's network is another's too, %v", err)
	}
}

// A sign-in dated a year ahead does not remove networks that are in use.
func TestNetworksDatedAhead(t *testing.T) {
	u := register(t)
	u.RecordNetwork("ahead", joined.AddDate(1, 0, 0))
	for i := range 7 {
		u.RecordNetwork(fmt.Sprint("n", i), joined)
	}
	if !u.SignedInFrom("ahead", joined) || !u.SignedInFrom("n0", joined) {
		t.Error("a network is forgotten")
	}
	u.RecordNetwork("n7", joined)
	if u.SignedInFrom("ahead", joined) || !u.SignedInFrom("n0", joined) {
		t.Error("the one of the clock ahead is kept for those in use")
	}
}

// Malformed entries are ignored and removed by the next sign-in.
func TestMalformedNetworksAreIgnored(t *testing.T) {
	for _, text := range []string{"x", ":", "x:y", ":20000", "0123456789abcdef:99999999999999999999", strings.Repeat("a:1 ", 100), "\x00 \xff"} {
		s := register(t).Snapshot()
		s.Networks = user.RestoreNetworks(text)
		u, err := user.Restore(s)
		if err != nil {
			t.Fatal(err)
		}
		if u.SignedInFrom("192.0.2.1", joined) || u.SignedInFrom("", joined) {
			t.Errorf("%q: known", text)
		}
		u.RecordNetwork("192.0.2.1", joined)
		if n := strings.Count(u.Snapshot().Networks.Encoded(), ":"); n != 1 || !u.SignedInFrom("192.0.2.1", joined) {
			t.Errorf("%q became %q", text, u.Snapshot().Networks.Encoded())
		}
	}
}

package application_test

import (
	"fmt"
	"testing"
	"time"

	"roster/domain/audit"
	"roster/domain/field"
	"roster/domain/session"
	"roster/ports/inbound"
	"roster/test/support/fixture"
)

// trailOf returns the details of the events of a kind, oldest first.
func trailOf(t *testing.T, s *fixture.Service, kind audit.Kind) []string {
	t.Helper()
	events, err := s.Ports.AuditTrail.List(t.Context(), audit.Query{Filter: audit.Filter{Kinds: []audit.Kind{kind}}, Back: true, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	details := []string{}
	for _, e := range events {
		details = append(details, e.Detail)
	}
	return details
}

func wantTrail(t *testing.T, s *fixture.Service, kind audit.Kind, want ...string) {
	t.Helper()
	got := trailOf(t, s, kind)
	if len(got) != len(want) {
		t.Errorf("%s: got %q, want %q", kind, got, want)
		return
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%s: got %q, want %q", kind, got, want)
		}
	}
}

// A reused refresh token is recorded once a minute, with the number of repetitions.
func TestReusedTokenIsRecordedOncePerMinute(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.Add(t, "a@example.com")
	old := s.SignsIn(t, "a@example.com", fixture.Password)
	next := s.Refreshes(t, old.Refresh)
	if err := s.SignOut(t.Context(), field.Given(next.Refresh)); err != nil {
		t.Fatal(err)
	}
	again := func(n int) {
		t.Helper()
		for range n {
			if err := s.SignOut(t.Context(), field.Given(old.Refresh)); err == nil {
				t.Fatal("a used token signs out")
			}
		}
	}
	again(20)
	wantTrail(t, s, audit.Reused, "refused")
	s.Flush(t.Context(), false)
	wantTrail(t, s, audit.Reused, "refused")
	s.Clock.Advance(time.Minute)
	s.Flush(t.Context(), false)
	s.Flush(t.Context(), false)
	wantTrail(t, s, audit.Reused, "refused", "refused; 19 more since 2026-01-02T03:04:05Z")
	s.Clock.Advance(time.Hour)
	again(3)
	s.Flush(t.Context(), true) // as at shutdown
	wantTrail(t, s, audit.Reused, "refused", "refused; 19 more since 2026-01-02T03:04:05Z", "refused", "refused; 2 more since 2026-01-02T04:05:05Z")
}

// Fast refreshes, and sign-ins for addresses without a user, add a few events per minute.
func TestRefreshesAndUnknownAddressesAreRecordedOncePerMinute(t *testing.T) {
	settings := fixture.Django()
	settings.Lockout.Address.Free = 0 // as profile django has it
	s := fixture.New(t, settings)
	s.Add(t, "a@example.com")
	p := s.SignsIn(t, "a@example.com", fixture.Password)
	for i := range 100 {
		s.Clock.Advance(time.Second)
		if _, err := s.Refresh(t.Context(), field.Given(p.Refresh)); err != nil {
			t.Fatal(err)
		}
		s.Refused(t, fmt.Sprintf("unknown%d@example.com", i), "wrong")
	}
	wantTrail(t, s, audit.Refreshed, "", "59 more since 2026-01-02T03:04:06Z", "")
	wantTrail(t, s, audit.SignInFailed, "no such user", "no such user; 59 more since 2026-01-02T03:04:06Z", "no such user")
}

// Events that differ are all recorded: another session, another address, wrong passwords of a user.
func TestDifferentEventsAreRecorded(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	s.Add(t, "a@example.com")
	for range 3 {
		s.Refreshes(t, s.SignsIn(t, "a@example.com", fixture.Password).Refresh)
		s.Refused(t, "a@example.com", "wrong")
	}
	wantTrail(t, s, audit.Refreshed, "", "", "")
	wantTrail(t, s, audit.SignInFailed, "wrong password", "wrong password", "wrong password")
	wantTrail(t, s, audit.SignedIn, "", "", "")
	for _, address := range []string{"192.0.2.1", "192.0.2.2", "192.0.2.1"} {
		ctx := inbound.WithOrigin(t.Context(), inbound.Origin{Channel: audit.API, Client: session.Client{Address: address}})
		_ = try(ctx, s, "unknown@example.com", "wrong")
	}
	wantTrail(t, s, audit.SignInFailed, "wrong password", "wrong password", "wrong password", "no such user", "no such user")
}

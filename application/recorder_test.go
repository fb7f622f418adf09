package application_test

import (
	"testing"

	"roster/domain/audit"
	"roster/domain/session"
	"roster/ports/inbound"
	"roster/test/support/fixture"
)

// Texts of the client are recorded as one line without control characters.
func TestClientTextsInEventsAreCleaned(t *testing.T) {
	const forged = "x\n{\"msg\":\"signed_in\"}\r\n\x1b[2J\u2028\u0085\x00\xff"
	s := fixture.New(t, fixture.Standard())
	u := s.Add(t, "a@example.com")
	ctx := inbound.WithOrigin(t.Context(), inbound.Origin{Channel: audit.API, Client: session.Client{Address: forged, UserAgent: forged}})
	_ = try(ctx, s, "a@example.com", "wrong")
	_ = try(ctx, s, "unknown@example.com", "wrong")
	if _, err := s.SignIn(ctx, credentials("a@example.com")); err != nil {
		t.Fatal(err)
	}
	events, err := s.Ports.AuditTrail.List(t.Context(), audit.Query{Limit: 9})
	if err != nil || len(events) < 4 || events[0].User != u.ID() {
		t.Fatalf("%+v, %v", events, err)
	}
	const want = "x\uFFFD{\"msg\":\"signed_in\"}\uFFFD\uFFFD\uFFFD[2J\uFFFD\uFFFD\uFFFD\uFFFD"
	for _, e := range events[:3] {
		if e.UserAgent != want || e.Address != want {
			t.Errorf("%s: user agent %q, address %q; want %q", e.Kind, e.UserAgent, e.Address, want)
		}
	}
}

package session_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"roster/domain/credential"
	"roster/domain/session"
	"roster/domain/user"
)

const id = "0123456789abcdef01234567"

var (
	t0    = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	rules = session.Rules{
		AccessLifetime: 5 * time.Minute, RefreshLifetime: 24 * time.Hour, MaxLifetime: 30 * 24 * time.Hour,
		Rotate: true, Grace: 10 * time.Second, ReuseRevokes: true,
	}
)

func start(r session.Rules) *session.Session {
	return session.Start(id, "7", 0, t0, r, session.Client{Address: "192.0.2.1", UserAgent: "test"})
}

func owner(t *testing.T, id user.ID) *user.User {
	t.Helper()
	email, err := user.ParseEmail("zoe@example.com", func(string) (string, error) { return "", errors.New("no") })
	if err != nil {
		t.Fatal(err)
	}
	u, err := user.Register(user.New{ID: id, Email: email, Password: credential.Unusable}, t0)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestStart(t *testing.T) {
	want := session.Snapshot{
		ID: id, User: "7", Created: t0, Expires: t0.Add(24 * time.Hour), Address: "192.0.2.1", UserAgent: "test", Version: 1,
	}
	s := start(rules)
	if diff := cmp.Diff(want, s.Snapshot()); diff != "" {
		t.Error(diff)
	}
	if s.ID() != id || s.User() != "7" || s.Generation() != 0 || s.Revoked() || !s.Issued().Equal(t0) || !s.Expires().Equal(want.Expires) {
		t.Errorf("%+v", s)
	}
	back, err := session.Restore(s.Snapshot())
	if err != nil || back.Snapshot() != s.Snapshot() {
		t.Errorf("%v, %v", back, err)
	}
}

func TestClientTextsAreTruncated(t *testing.T) {
	c := session.Client{Address: strings.Repeat("é", 40), UserAgent: "x" + strings.Repeat("é", 200)}
	got := session.Start(id, "7", 0, t0, rules, c).Snapshot()
	if got.Address != strings.Repeat("é", 32) || got.UserAgent != "x"+strings.Repeat("é", 127) {
		t.Errorf("%d bytes %q, %d bytes %q", len(got.Address), got.Address, len(got.UserAgent), got.UserAgent)
	}
	if got := session.Start(id, "7", 0, t0, rules, session.Client{UserAgent: "a\xffb"}).Snapshot().UserAgent; got != "a\uFFFDb" {
		t.Errorf("bytes that are no text: %q", got)
	}
}

func TestRestoreRefusesInvalidStates(t *testing.T) {
	for name, change := range map[string]func(*session.Snapshot){
		"id": func(s *session.Snapshot) { s.ID = "" }, "user": func(s *session.Snapshot) { s.User = "" },
		"created": func(s *session.Snapshot) { s.Created = time.Time{} }, "epoch": func(s *session.Snapshot) { s.Epoch = -1 },
		"expires": func(s *session.Snapshot) { s.Expires = time.Time{} }, "generation": func(s *session.Snapshot) { s.Generation = -1 },
		"version": func(s *session.Snapshot) { s.Version = 0 },
	} {
		s := start(rules).Snapshot()
		change(&s)
		if _, err := session.Restore(s); !errors.Is(err, session.ErrBadState) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// at returns a session of generation 3, rotated at t0 + 1 h.
func at(t *testing.T, r session.Rules) *session.Session {
	t.Helper()
	s := start(r)
	for i, m := range []time.Duration{20, 40, 60} {
		if err := s.Rotate(i, t0.Add(m*time.Minute), r); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestRotate(t *testing.T) {
	noGrace, lenient := rules, rules
	noGrace.Grace, lenient.ReuseRevokes = 0, false
	rotated := t0.Add(time.Hour)
	for name, c := range map[string]struct {
		rules      session.Rules
		generation int
		after      time.Duration // since the last rotation
		err        error
		then       int
		revoked    bool
	}{
		"present":                     {rules, 3, time.Hour, nil, 4, false},
		"present, at once":            {rules, 3, 0, nil, 4, false},
		"present, to the last":        {rules, 3, 24*time.Hour - 1, nil, 4, false},
		"present, expired":            {rules, 3, 24 * time.Hour, session.ErrTokenInvalid, 3, false},
		"never given":                 {rules, 4, time.Second, session.ErrTokenInvalid, 3, false},
		"far from given":              {rules, 1<<31 - 1, time.Second, session.ErrTokenInvalid, 3, false},
		"last, at once":               {rules, 2, 0, nil, 3, false},
		"last, by a clock behind":     {rules, 2, -time.Second, nil, 3, false},
		"last, to the end of grace":   {rules, 2, 10 * time.Second, nil, 3, false},
		"last, after grace":           {rules, 2, 10*time.Second + time.Millisecond, session.ErrBlacklisted, 3, true},
		"last, no grace":              {noGrace, 2, 0, session.ErrBlacklisted, 3, true},
		"last, no grace, lenient":     {session.Rules{RefreshLifetime: time.Hour}, 2, 0, session.ErrBlacklisted, 3, false},
		"before the last":             {rules, 1, time.Second, session.ErrBlacklisted, 3, true},
		"first":                       {rules, 0, time.Second, session.ErrBlacklisted, 3, true},
		"before the last, lenient":    {lenient, 1, time.Second, session.ErrBlacklisted, 3, false},
		"last, after grace, lenient":  {lenient, 2, time.Minute, session.ErrBlacklisted, 3, false},
		"last, within grace, lenient": {lenient, 2, time.Second, nil, 3, false},
	} {
		s := at(t, rules)
		now := rotated.Add(c.after)
		err := s.Rotate(c.generation, now, c.rules)
		if !errors.Is(err, c.err) || (err == nil) != (c.err == nil) || s.Generation() != c.then || s.Revoked() != c.revoked {
			t.Errorf("%s: %v, generation %d, revoked %t", name, err, s.Generation(), s.Revoked())
		}
		if got := s.Snapshot(); c.revoked && (got.Reason != session.Reused || !got.RevokedAt.Equal(now)) {
			t.Errorf("%s: %s at %v", name, got.Reason, got.RevokedAt)
		}
		if c.then == 4 && (!s.Issued().Equal(now) || !s.Expires().Equal(now.Add(24*time.Hour))) {
			t.Errorf("%s: issued %v, expires %v", name, s.Issued(), s.Expires())
		}
		if c.then == 3 && !s.Issued().Equal(rotated) {
			t.Errorf("%s: issued %v", name, s.Issued())
		}
	}
}

func TestRevokedSessionDoesNotRotate(t *testing.T) {
	s := at(t, rules)
	end := t0.Add(time.Hour)
	s.Revoke(end, session.SignedOut)
	for g := range 5 {
		if err := s.Rotate(g, end, rules); !errors.Is(err, session.ErrBlacklisted) {
			t.Errorf("generation %d: %v", g, err)
		}
	}
	s.Revoke(end.Add(time.Hour), session.Reused)
	if got := s.Snapshot(); got.Generation != 3 || got.Reason != session.SignedOut || !got.RevokedAt.Equal(end) {
		t.Errorf("%+v", got)
	}
}

func TestSignOut(t *testing.T) {
	for name, c := range map[string]struct {
		generation int
		after      time.Duration
		err        error
		reason     session.Reason
	}{
		"present":           {3, time.Hour, nil, session.SignedOut},
		"last, in grace":    {2, time.Second, nil, session.SignedOut},
		"last, after grace": {2, time.Minute, session.ErrBlacklisted, session.Reused},
		"first":             {0, time.Second, session.ErrBlacklisted, session.Reused},
		"never given":       {4, time.Second, session.ErrTokenInvalid, ""},
		"expired":           {3, 24 * time.Hour, session.ErrTokenInvalid, ""},
	} {
		s := at(t, rules)
		err := s.SignOut(c.generation, t0.Add(time.Hour+c.after), rules)
		if !errors.Is(err, c.err) || (err == nil) != (c.err == nil) || s.Snapshot().Reason != c.reason || s.Revoked() != (c.reason != "") {
			t.Errorf("%s: %v, %q", name, err, s.Snapshot().Reason)
		}
		if c.reason == session.SignedOut && !errors.Is(s.SignOut(c.generation, t0.Add(time.Hour+c.after), rules), session.ErrBlacklisted) {
			t.Errorf("%s: twice", name)
		}
	}
}

func TestMaxLifetime(t *testing.T) {
	r := rules
	r.MaxLifetime = 36 * time.Hour
	s := start(r)
	if !s.Expires().Equal(t0.Add(24 * time.Hour)) {
		t.Errorf("expires %v", s.Expires())
	}
	if err := s.Rotate(0, t0.Add(20*time.Hour), r); err != nil || !s.Expires().Equal(t0.Add(36*time.Hour)) {
		t.Errorf("expires %v, %v", s.Expires(), err)
	}
	if err := s.Rotate(1, t0.Add(36*time.Hour-time.Millisecond), r); err != nil || !s.Expires().Equal(t0.Add(36*time.Hour)) {
		t.Errorf("expires %v, %v", s.Expires(), err)
	}
	if err := s.Rotate(2, t0.Add(36*time.Hour), r); !errors.Is(err, session.ErrTokenInvalid) {
		t.Errorf("at its end: %v", err)
	}
	r.MaxLifetime = time.Hour
	if s := start(r); !s.Expires().Equal(t0.Add(time.Hour)) {
		t.Errorf("shorter than a refresh token: expires %v", s.Expires())
	}
	r.MaxLifetime = 0
	s = start(r)
	for g := range 400 {
		if err := s.Rotate(g, t0.Add(time.Duration(g)*23*time.Hour), r); err != nil {
			t.Fatalf("no end: %v", err)
		}
	}
}

func TestLive(t *testing.T) {
	u := owner(t, "7")
	s := start(rules)
	if !s.Live(u, t0, rules) || !s.Live(u, t0.Add(24*time.Hour-1), rules) || s.Live(u, t0.Add(24*time.Hour), rules) || s.Live(owner(t, "8"), t0, rules) {
		t.Error("by time and owner")
	}
	u.EndSessions(t0.Add(-time.Hour)) // by a clock that is behind
	if s.Live(u, t0, rules) || s.Current(u) {
		t.Error("not ended")
	}
	if later := session.Start(id, "7", u.SessionEpoch(), t0.Add(-2*time.Hour), rules, session.Client{}); !later.Live(u, t0, rules) {
		t.Error("ended by what came before")
	}
	s.RenewEpoch(u)
	if !s.Live(u, t0, rules) || !s.Current(u) {
		t.Error("ended although confirmed")
	}
	s.Revoke(t0, session.SignedOut)
	if s.Live(u, t0, rules) {
		t.Error("not revoked")
	}
}

func TestAdopt(t *testing.T) {
	c := session.Claims{IssuedAt: t0.Add(-time.Hour), ExpiresAt: t0.Add(time.Hour)}
	s := session.Adopt(id, "7", 4, c, t0)
	if got := s.Snapshot(); !got.Created.Equal(c.IssuedAt) || got.Epoch != 4 || !got.Expires.Equal(c.ExpiresAt) || got.Generation != 0 || got.Version != 1 {
		t.Errorf("%+v", got)
	}
	if got := session.Adopt(id, "7", 4, session.Claims{ExpiresAt: t0.Add(time.Hour)}, t0).Snapshot(); !got.Created.Equal(t0) {
		t.Errorf("without iat: %+v", got)
	}
	if _, err := session.Restore(s.Snapshot()); err != nil {
		t.Error(err)
	}
}

// A token of another issuer may last longer than sessions. Its record lasts as long, and tokens issued from it
// expire by the rules.
func TestAdoptedTokenIsKeptUntilItExpires(t *testing.T) {
	r := rules
	r.MaxLifetime = 48 * time.Hour
	end := t0.Add(90 * 24 * time.Hour)
	for name, change := range map[string]func(*session.Session) error{
		"signed out": func(s *session.Session) error { return s.SignOut(0, t0, r) },
		"rotated":    func(s *session.Session) error { return s.Rotate(0, t0, r) },
		"rotated twice": func(s *session.Session) error {
			return errors.Join(s.Rotate(0, t0, r), s.Rotate(1, t0.Add(time.Hour), r))
		},
	} {
		s := session.Adopt(id, "7", 4, session.Claims{IssuedAt: t0, ExpiresAt: end}, t0)
		if err := change(s); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !s.Expires().Equal(end) || s.RefreshExpires(r).After(t0.Add(r.MaxLifetime)) {
			t.Errorf("%s: kept until %v, the next token ends at %v", name, s.Expires(), s.RefreshExpires(r))
		}
		if err := s.Check(0, end.Add(-time.Second), r); !errors.Is(err, session.ErrBlacklisted) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPastMaxLifetime(t *testing.T) {
	day := session.Rules{MaxLifetime: 24 * time.Hour}
	for name, c := range map[string]struct {
		r      session.Rules
		issued time.Time
		want   bool
	}{
		"within":        {day, t0.Add(time.Millisecond - 24*time.Hour), false},
		"over":          {day, t0.Add(-24 * time.Hour), true},
		"no maximum":    {session.Rules{}, t0.Add(-time.Hour), false},
		"without iat":   {day, time.Time{}, false},
		"from later on": {day, t0.Add(time.Hour), false},
	} {
		if got := c.r.PastMaxLifetime(c.issued, t0); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// In any order of calls, the generation rises by one or stays, rises only for the current token, no session exceeds
// MaxLifetime, and a revoked session stays revoked.
func TestRotationInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rules
		r.Grace = time.Duration(rapid.IntRange(0, 20).Draw(t, "grace")) * time.Second
		r.ReuseRevokes = rapid.Bool().Draw(t, "revokes")
		s, now := start(r), t0
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 60_000).Draw(t, "ms")) * time.Millisecond)
			g := max(0, s.Generation()+rapid.IntRange(-3, 1).Draw(t, "offset"))
			before := s.Snapshot()
			err := s.Rotate(g, now, r)
			after := s.Snapshot()
			switch {
			case err == nil && after.Generation == before.Generation+1:
				if g != before.Generation || !before.RevokedAt.IsZero() {
					t.Fatalf("generation %d rotated %+v", g, before)
				}
			case err == nil:
				if after != before || g != before.Generation-1 || now.Sub(before.RotatedAt) > r.Grace || r.Grace == 0 {
					t.Fatalf("generation %d repeated %+v", g, before)
				}
			case after != before:
				if after.Generation != before.Generation || after.RevokedAt.IsZero() || g >= before.Generation || !r.ReuseRevokes {
					t.Fatalf("generation %d, %v: %+v, then %+v", g, err, before, after)
				}
			}
			if after.Expires.After(t0.Add(r.MaxLifetime)) || !before.RevokedAt.IsZero() && after != before {
				t.Fatalf("%+v, then %+v", before, after)
			}
		}
	})
}

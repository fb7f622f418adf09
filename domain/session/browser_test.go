package session_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"roster/domain/session"
	"roster/domain/user"
)

func browserRules() session.Rules {
	r := rules
	r.BrowserLifetime = 12 * time.Hour
	return r
}

func TestBrowserSession(t *testing.T) {
	r, u := browserRules(), owner(t, "7")
	s := session.StartBrowser(id, u, "secret", t0, r, session.Client{Address: "192.0.2.1", UserAgent: "test"})
	if got := s.Snapshot(); !s.Expires().Equal(t0.Add(12*time.Hour)) || !s.SignedIn().Equal(t0) || got.Address != "192.0.2.1" ||
		len(got.Browser) != 64 || strings.Contains(got.Browser, "secret") {
		t.Errorf("%+v", got)
	}
	end := t0.Add(12 * time.Hour)
	if !s.AcceptsBrowser(u, "secret", t0, r) || !s.AcceptsBrowser(u, "secret", end.Add(-1), r) || s.AcceptsBrowser(u, "secret", end, r) {
		t.Error("by time")
	}
	if s.AcceptsBrowser(u, "Secret", t0, r) || s.AcceptsBrowser(u, "", t0, r) || s.AcceptsBrowser(owner(t, "8"), "secret", t0, r) {
		t.Error("by secret and owner")
	}
	u.SetStaff(true)
	if s.AcceptsBrowser(u, "secret", t0, r) {
		t.Error("the owner became staff")
	}
	u.SetStaff(false)
	shorter := r
	shorter.BrowserLifetime = time.Hour
	if s.AcceptsBrowser(u, "secret", t0.Add(time.Hour), shorter) {
		t.Error("lifetime was shortened")
	}
	shorter = r
	shorter.MaxLifetime = time.Hour
	if x := session.StartBrowser(id, u, "secret", t0, shorter, session.Client{}); !x.Expires().Equal(t0.Add(time.Hour)) {
		t.Errorf("beyond the maximum: %v", x.Expires())
	}
	s.Revoke(t0, session.SignedOut)
	if s.AcceptsBrowser(u, "secret", t0, r) {
		t.Error("revoked")
	}
}

// A session of tokens has no secret, not even an empty one, and what ends a browser session ends it at once, whatever
// Rules.Immediate.
func TestBrowserSessionIsNoneOfTokens(t *testing.T) {
	r, u := browserRules(), owner(t, "7")
	r.Immediate = false
	tokens := session.Start(id, u.ID(), 0, t0, r, session.Client{})
	if tokens.AcceptsBrowser(u, "", t0, r) || !tokens.SignedIn().IsZero() {
		t.Error("a session of tokens")
	}
	s := session.StartBrowser(id, u, "secret", t0, r, session.Client{})
	s.Revoke(t0, session.Ended)
	if s.AcceptsAccess(u, t0, r) {
		t.Error("ended, and accepted")
	}
	bad := s.Snapshot()
	bad.Browser = "secret"
	if _, err := session.Restore(bad); !errors.Is(err, session.ErrBadState) {
		t.Errorf("no digest: %v", err)
	}
}

func TestCookie(t *testing.T) {
	for _, u := range []user.ID{"7", "01890a5d-ac96-774b-bcce-b302099a8057"} {
		c := session.Cookie{Owner: u, ID: id, Secret: "s-_9"}
		if got, err := session.ParseCookie(c.Value()); err != nil || got != c {
			t.Errorf("%s: %+v, %v", c.Value(), got, err)
		}
	}
	for _, bad := range []string{
		"", ".", "..", "7", "7." + id, "7." + id + ".", "." + id + ".s", "07." + id + ".s", "7." + id[1:] + ".s", "7." + id + "0.s",
		"7." + strings.ToUpper(id[:23]) + "F.s", "7." + id[:23] + "\x00.s", "x." + id + ".s", "7 ." + id + ".s",
	} {
		if _, err := session.ParseCookie(bad); !errors.Is(err, session.ErrTokenInvalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

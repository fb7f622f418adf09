package session

import (
	"strings"
	"time"

	"roster/domain/user"
)

// ID identifies a session: 24 lower-case hexadecimal digits.
type ID string

// Rules are the settings of sessions. They are part of a profile.
type Rules struct {
	AccessLifetime  time.Duration // of an access token
	RefreshLifetime time.Duration // of a refresh token, and of a session that is not refreshed
	BrowserLifetime time.Duration // of a browser session
	MaxLifetime     time.Duration // of a session, even if refreshed; 0 for no limit
	Rotate          bool          // a refresh issues a new refresh token
	Grace           time.Duration // time during which the last used refresh token returns the same successor again; 0 for none
	ReuseRevokes    bool          // the reuse of a refresh token revokes the session; otherwise it is only refused
	Sessionless     bool          // accept tokens without a session claim, as SimpleJWT issues them
	Immediate       bool          // revocation applies to access tokens and verification at once, not only at their expiry
	MaxPerUser      int           // maximum number of valid sessions of a user; 0 for no limit
	KeepCurrent     bool          // a change of the password keeps the session of its request
	Leeway          time.Duration // maximum difference between the clocks of issuers and instances
}

// PastMaxLifetime reports whether a session created at created has reached MaxLifetime at now. For a token without a
// session, created is its iat claim. It returns false for the zero time: a token without iat ends by exp only.
func (r Rules) PastMaxLifetime(created, now time.Time) bool {
	return r.MaxLifetime > 0 && !created.IsZero() && !now.Before(created.Add(r.MaxLifetime))
}

// Client describes the client that started a session, as the transport reports it.
type Client struct {
	Address   string
	UserAgent string
}

// Session is the aggregate root: one sign-in.
type Session struct{ s Snapshot }

// Snapshot is the whole state of a Session, for storage. Times are UTC in whole milliseconds. The zero time means
// never.
type Snapshot struct {
	ID         ID
	User       user.ID
	Epoch      int64     // SessionEpoch of the user when the password was last verified or set in this session
	Created    time.Time // time of the sign-in
	Expires    time.Time // end of the last refresh token; the record is kept until then
	Generation int       // number of rotations
	RotatedAt  time.Time
	UsedAt     time.Time // the last recorded refresh; see RecordUse
	RevokedAt  time.Time
	Reason     Reason
	UserAgent  string
	Address    string
	Browser    string // of a browser session: the digest of its secret, see StartBrowser; "" for a session of tokens
	Version    int64  // incremented by each stored change, from 1
}

// Reason is why a session was revoked.
type Reason string

// The reasons. Their values are stored and documented.
const (
	SignedOut Reason = "signed_out"
	Reused    Reason = "reused"
	Ended     Reason = "ended"     // ended by its user or an administrator
	Displaced Reason = "displaced" // displaced by newer sessions of the user, beyond Rules.MaxPerUser
)

// The maximum lengths in bytes of texts from the client.
const (
	maxAddress   = 64
	maxUserAgent = 256
)

// Start returns a new session, created at now. epoch is the SessionEpoch of owner as stored when the password was
// verified: when all sessions are ended after that, this one is ended too.
func Start(id ID, owner user.ID, epoch int64, now time.Time, r Rules, c Client) *Session {
	s := &Session{Snapshot{
		ID: id, User: owner, Epoch: epoch, Created: now,
		UserAgent: truncate(c.UserAgent, maxUserAgent), Address: truncate(c.Address, maxAddress), Version: 1,
	}}
	s.s.Expires = s.RefreshExpires(r)
	return s
}

// Adopt returns a session for a refresh token of another issuer, so that the token can be rotated or revoked. epoch
// is the SessionEpoch of owner when the token was accepted, or 0 when owner was not read. The record is kept until
// the token expires, whatever the rules: without it, the token would count as unused.
func Adopt(id ID, owner user.ID, epoch int64, c Claims, now time.Time) *Session {
	created := c.IssuedAt
	if created.IsZero() {
		created = now
	}
	return &Session{Snapshot{ID: id, User: owner, Epoch: epoch, Created: created, Expires: c.ExpiresAt, Version: 1}}
}

// Restore returns the session with the stored state s. It fails with ErrBadState when s is not the state of any
// valid session.
func Restore(s Snapshot) (*Session, error) {
	if s.ID == "" || s.User == "" || s.Epoch < 0 || s.Created.IsZero() || s.Expires.IsZero() || s.Generation < 0 || s.Version < 1 ||
		s.Browser != "" && len(s.Browser) != digestDigits {
		return nil, ErrBadState
	}
	return &Session{s}, nil
}

// Snapshot returns the state of the session.
func (s *Session) Snapshot() Snapshot { return s.s }

// ID returns the id of the session.
func (s *Session) ID() ID { return s.s.ID }

// User returns the user that the session belongs to.
func (s *Session) User() user.ID { return s.s.User }

// Generation returns the number of rotations.
func (s *Session) Generation() int { return s.s.Generation }

// Issued returns when the current refresh token was issued.
func (s *Session) Issued() time.Time {
	if s.s.RotatedAt.IsZero() {
		return s.s.Created
	}
	return s.s.RotatedAt
}

// LastUsed returns the time of the last recorded refresh, or of the sign-in.
func (s *Session) LastUsed() time.Time {
	if s.s.UsedAt.IsZero() {
		return s.s.Created
	}
	return s.s.UsedAt
}

// useResolution is the precision of LastUsed when a refresh changes nothing else.
const useResolution = time.Minute

// RecordUse records a refresh without rotation at now, at most once a minute, and reports whether it did. It
// replaces a recorded time after now, which another clock set.
func (s *Session) RecordUse(now time.Time) bool {
	if since := now.Sub(s.LastUsed()); since >= 0 && since < useResolution {
		return false
	}
	s.s.UsedAt = now
	return true
}

// Expires returns when the last refresh token of the session expires, and the session with it.
func (s *Session) Expires() time.Time { return s.s.Expires }

// Live reports whether the session of owner is valid at now: neither revoked nor expired, and of the current epoch.
func (s *Session) Live(owner *user.User, now time.Time, r Rules) bool {
	return !s.Revoked() && !s.expired(now, r) && s.Current(owner)
}

// Current reports whether the session belongs to owner and is of the current epoch: started after all sessions were
// last ended.
func (s *Session) Current(owner *user.User) bool {
	return s.s.User == owner.ID() && s.s.Epoch >= owner.SessionEpoch()
}

// AcceptsAccess reports whether access tokens of the session are valid at now: while the session is live or, without
// r.Immediate, until all sessions of owner are ended. A browser session has none; its cookie is valid while it is live.
func (s *Session) AcceptsAccess(owner *user.User, now time.Time, r Rules) bool {
	if r.Immediate || s.s.Browser != "" {
		return s.Live(owner, now, r)
	}
	return s.Current(owner)
}

// expired reports whether the session has reached its expiry or the lifetime of the rules, which may have been longer
// when the expiry was set.
func (s *Session) expired(now time.Time, r Rules) bool {
	return !now.Before(s.s.Expires) || r.PastMaxLifetime(s.s.Created, now) ||
		s.s.Browser != "" && !now.Before(s.s.Created.Add(r.BrowserLifetime))
}

// Revoked reports whether the session was revoked.
func (s *Session) Revoked() bool { return !s.s.RevokedAt.IsZero() }

// Revoke revokes the session at now. The first reason is kept.
func (s *Session) Revoke(now time.Time, why Reason) {
	if s.s.RevokedAt.IsZero() {
		s.s.RevokedAt, s.s.Reason = now, why
	}
}

// RenewEpoch keeps the session valid after a change of the password from within it, which ended all sessions. owner
// is the user as stored after the change.
func (s *Session) RenewEpoch(owner *user.User) { s.s.Epoch = owner.SessionEpoch() }

// Check reports whether the refresh token of generation g may be used at now. It fails with ErrBlacklisted when the
// session is revoked or the token was used, and with ErrTokenInvalid when no such token was issued or the session
// has expired.
func (s *Session) Check(g int, now time.Time, r Rules) error {
	switch {
	case s.Revoked() || g < s.s.Generation:
		return ErrBlacklisted
	case g > s.s.Generation || s.expired(now, r):
		return ErrTokenInvalid
	}
	return nil
}

// Rotate uses the refresh token of generation g at now. On success, the current generation is the successor: a new
// one or, within the grace, the one issued before, since an answer may get lost and two tabs may refresh at once.
// Otherwise it fails as Check does. It may revoke the session then, so the session must be stored even when Rotate
// fails.
func (s *Session) Rotate(g int, now time.Time, r Rules) error {
	err := s.Check(g, now, r)
	switch {
	case err == nil:
		s.s.Generation++
		s.s.RotatedAt, s.s.UsedAt = now, now
		if end := s.RefreshExpires(r); end.After(s.s.Expires) {
			s.s.Expires = end // never earlier: the record must outlast all used tokens
		}
		return nil
	case s.withinGrace(g, now, r):
		return nil
	}
	s.revokeOnReuse(g, now, r)
	return err
}

// SignOut revokes the session at now. g must be the current generation or, within the grace, the one before.
// Otherwise it fails as Rotate does, and the session must be stored too.
func (s *Session) SignOut(g int, now time.Time, r Rules) error {
	err := s.Check(g, now, r)
	if err == nil || s.withinGrace(g, now, r) {
		s.Revoke(now, SignedOut)
		return nil
	}
	s.revokeOnReuse(g, now, r)
	return err
}

// withinGrace reports whether g is the last used refresh token, its successor is unused, and the grace is not over.
// RotatedAt may be after now by the leeway, since another instance with another clock may have set it; a clock that
// was set back further does not extend the grace.
func (s *Session) withinGrace(g int, now time.Time, r Rules) bool {
	since := now.Sub(s.s.RotatedAt)
	return !s.Revoked() && !s.expired(now, r) &&
		g == s.s.Generation-1 && r.Grace > 0 && since <= r.Grace && since >= -max(r.Grace, r.Leeway)
}

// revokeOnReuse revokes the session when g was used before and the rules demand it.
func (s *Session) revokeOnReuse(g int, now time.Time, r Rules) {
	if g < s.s.Generation && r.ReuseRevokes {
		s.Revoke(now, Reused)
	}
}

// RefreshExpires returns when the current refresh token expires.
func (s *Session) RefreshExpires(r Rules) time.Time {
	return s.within(s.Issued().Add(r.RefreshLifetime), r)
}

// within returns end, or the end of MaxLifetime if it is earlier.
func (s *Session) within(end time.Time, r Rules) time.Time {
	if last := s.s.Created.Add(r.MaxLifetime); r.MaxLifetime > 0 && last.Before(end) {
		return last
	}
	return end
}

// truncate makes s valid UTF-8 of at most n bytes. Clients may send any bytes.
func truncate(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 { // do not split a character
		n--
	}
	return s[:n]
}

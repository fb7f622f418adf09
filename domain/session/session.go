// Package session holds what follows a sign-in: the family of refresh tokens that descend from it,
// with its rules of rotation, reuse and revocation, and the claims of the tokens.
package session

import (
	"strings"
	"time"

	"roster/domain/user"
)

// ID identifies a session: 24 lower-case hexadecimal digits.
type ID string

// Rules says how sessions live. It is part of a profile.
type Rules struct {
	AccessLifetime  time.Duration // of an access token
	RefreshLifetime time.Duration // of a refresh token, and of a session without a refresh
	MaxLifetime     time.Duration // of a session, refreshed or not; 0 for no end
	Rotate          bool          // a refresh gives a new refresh token
	Grace           time.Duration // how long the last used refresh token gives the same successor again; 0 for never
	ReuseRevokes    bool          // a used refresh token that comes again ends the session; else it is only refused
	Sessionless     bool          // tokens that name no session, as SimpleJWT issues them, are honoured
	Immediate       bool          // access tokens and verification answer to their session at once, not only at expiry
	MaxPerUser      int           // sessions of one user that count at once; 0 for any number
	KeepCurrent     bool          // a change of password leaves the session that asked for it alive
	Leeway          time.Duration // by how much the clocks of issuers and instances may differ
}

// Outlived reports whether the longest life of a session that began at began is over at now. Of a token
// that names no session the iat is all that is known of the beginning; one without iat, the zero time,
// ends by exp alone.
func (r Rules) Outlived(began, now time.Time) bool {
	return r.MaxLifetime > 0 && !began.IsZero() && !now.Before(began.Add(r.MaxLifetime))
}

// Client is where a session was begun from, as told by the transport.
type Client struct {
	Address   string
	UserAgent string
}

// Session is the aggregate root: one sign-in.
type Session struct{ s Snapshot }

// Snapshot is a Session's whole state, for storage. Times are UTC in whole milliseconds; the zero
// time means never.
type Snapshot struct {
	ID         ID
	User       user.ID
	Epoch      int64     // the owner's (user.Snapshot.SessionEpoch) when the password was last shown or set in it
	Created    time.Time // the sign-in
	Expires    time.Time // the end of the last refresh token; the record is kept until then
	Generation int       // how often its refresh token was rotated
	RotatedAt  time.Time
	UsedAt     time.Time // the last refresh that was noted; see Use
	RevokedAt  time.Time
	Reason     Reason
	UserAgent  string
	Address    string
	Version    int64 // counted up by each stored change, from 1
}

// Reason says why a session was revoked.
type Reason string

// Why sessions are revoked.
const (
	SignedOut Reason = "signed_out"
	Reused    Reason = "reused"
	Ended     Reason = "ended"     // from the list of sessions, by its owner or an administrator
	Displaced Reason = "displaced" // by newer sessions of its owner, beyond Rules.MaxPerUser
)

// Lengths beyond which what a client says of itself is cut, in bytes.
const (
	maxAddress   = 64
	maxUserAgent = 256
)

// Start begins a session at now. epoch is the owner's as stored when the password was found right, so that
// ending all sessions at any time after that ends this one.
func Start(id ID, owner user.ID, epoch int64, now time.Time, r Rules, c Client) *Session {
	s := &Session{Snapshot{
		ID: id, User: owner, Epoch: epoch, Created: now,
		UserAgent: cut(c.UserAgent, maxUserAgent), Address: cut(c.Address, maxAddress), Version: 1,
	}}
	s.s.Expires = s.RefreshExpires(r)
	return s
}

// Adopt makes the record of a refresh token that another issuer gave out without one, so that it can
// be rotated or revoked from here on. epoch is the owner's when the token was found good, 0 when it was not
// looked at. The record is kept until that token ends, whatever the rules say of sessions: without it, the
// token would be taken for one that was never used.
func Adopt(id ID, owner user.ID, epoch int64, c Claims, now time.Time) *Session {
	began := c.IssuedAt
	if began.IsZero() {
		began = now
	}
	return &Session{Snapshot{ID: id, User: owner, Epoch: epoch, Created: began, Expires: c.ExpiresAt, Version: 1}}
}

// Restore rebuilds a session from storage. ErrBadState says that no rule could have led to s.
func Restore(s Snapshot) (*Session, error) {
	if s.ID == "" || s.User == "" || s.Epoch < 0 || s.Created.IsZero() || s.Expires.IsZero() || s.Generation < 0 || s.Version < 1 {
		return nil, ErrBadState
	}
	return &Session{s}, nil
}

// Snapshot returns the session's state.
func (s *Session) Snapshot() Snapshot { return s.s }

// ID returns the session's identifier.
func (s *Session) ID() ID { return s.s.ID }

// User returns whose session it is.
func (s *Session) User() user.ID { return s.s.User }

// Generation returns how often the refresh token was rotated.
func (s *Session) Generation() int { return s.s.Generation }

// Issued returns when the present refresh token was issued.
func (s *Session) Issued() time.Time {
	if s.s.RotatedAt.IsZero() {
		return s.s.Created
	}
	return s.s.RotatedAt
}

// Used returns when the session was last used: the last refresh that was noted, or the sign-in.
func (s *Session) Used() time.Time {
	if s.s.UsedAt.IsZero() {
		return s.s.Created
	}
	return s.s.UsedAt
}

// useNoted is how exact the time of the last use is where a refresh would store nothing else.
const useNoted = time.Minute

// Use notes a refresh at now that does not rotate, unless one was noted a moment ago, and reports
// whether it did. A time that a clock ahead of now noted is replaced.
func (s *Session) Use(now time.Time) bool {
	if since := now.Sub(s.Used()); since >= 0 && since < useNoted {
		return false
	}
	s.s.UsedAt = now
	return true
}

// Expires returns when the last of the session's refresh tokens ends, and the session with it.
func (s *Session) Expires() time.Time { return s.s.Expires }

// Live reports whether the session counts at now for owner: neither revoked nor over, and not from
// before the owner's sessions were ended.
func (s *Session) Live(owner *user.User, now time.Time, r Rules) bool {
	return !s.Revoked() && !s.over(now, r) && s.Current(owner)
}

// Current reports whether the session is one of owner's that is not from before all of them were ended.
func (s *Session) Current(owner *user.User) bool {
	return s.s.User == owner.ID() && s.s.Epoch >= owner.SessionEpoch()
}

// Admits reports whether access tokens of the session count at now for owner: while it is live, or, where
// they do not answer to their session at once, until all of the owner's sessions are ended.
func (s *Session) Admits(owner *user.User, now time.Time, r Rules) bool {
	if r.Immediate {
		return s.Live(owner, now, r)
	}
	return s.Current(owner)
}

// over reports whether the session has ended by its age: at its expiry, or at the longest lifetime,
// which may have been longer when the expiry was set.
func (s *Session) over(now time.Time, r Rules) bool {
	return !now.Before(s.s.Expires) || r.Outlived(s.s.Created, now)
}

// Revoked reports whether the session was revoked.
func (s *Session) Revoked() bool { return !s.s.RevokedAt.IsZero() }

// Revoke ends the session at now; the first reason stays.
func (s *Session) Revoke(now time.Time, why Reason) {
	if s.s.RevokedAt.IsZero() {
		s.s.RevokedAt, s.s.Reason = now, why
	}
}

// Confirm notes that the password of owner was set from within the session: it goes on, although the
// change ended all sessions. owner is as stored after the change.
func (s *Session) Confirm(owner *user.User) { s.s.Epoch = owner.SessionEpoch() }

// Check judges a refresh token of generation g without using it: ErrBlacklisted when the session is
// revoked or the token was used, ErrTokenInvalid when the session never gave it out or is over.
func (s *Session) Check(g int, now time.Time, r Rules) error {
	switch {
	case s.Revoked() || g < s.s.Generation:
		return ErrBlacklisted
	case g > s.s.Generation || s.over(now, r):
		return ErrTokenInvalid
	}
	return nil
}

// Rotate uses the refresh token of generation g at now. On success the session's present generation
// is the successor: a new one, or within the grace the one already given, since a lost answer or two
// tabs must not sign anybody out. Otherwise it fails as Check does; when reuse is to end the session
// it is revoked then, so the change is to be stored even though the token is refused.
func (s *Session) Rotate(g int, now time.Time, r Rules) error {
	err := s.Check(g, now, r)
	switch {
	case err == nil:
		s.s.Generation++
		s.s.RotatedAt, s.s.UsedAt = now, now
		if end := s.RefreshExpires(r); end.After(s.s.Expires) {
			s.s.Expires = end // never earlier: a used token must be known as used until it ends
		}
		return nil
	case s.repeated(g, now, r):
		return nil
	}
	s.punish(g, now, r)
	return err
}

// SignOut ends the session at now on behalf of whoever holds its refresh token of generation g, the
// present one or within the grace the one before. Otherwise it fails, and is to be stored, as Rotate.
func (s *Session) SignOut(g int, now time.Time, r Rules) error {
	err := s.Check(g, now, r)
	if err == nil || s.repeated(g, now, r) {
		s.Revoke(now, SignedOut)
		return nil
	}
	s.punish(g, now, r)
	return err
}

// repeated reports whether g is the last used token, its successor unused, within the grace. A rotation
// may seem to come a little later than now, at an instance whose clock is behind; a clock that was set
// back further does not stretch the grace.
func (s *Session) repeated(g int, now time.Time, r Rules) bool {
	since := now.Sub(s.s.RotatedAt)
	return !s.Revoked() && !s.over(now, r) &&
		g == s.s.Generation-1 && r.Grace > 0 && since <= r.Grace && since >= -max(r.Grace, r.Leeway)
}

// punish ends a session of which a used token came again, where the rules say so.
func (s *Session) punish(g int, now time.Time, r Rules) {
	if g < s.s.Generation && r.ReuseRevokes {
		s.Revoke(now, Reused)
	}
}

// RefreshExpires returns when the present refresh token ends.
func (s *Session) RefreshExpires(r Rules) time.Time {
	end := s.Issued().Add(r.RefreshLifetime)
	if last := s.s.Created.Add(r.MaxLifetime); r.MaxLifetime > 0 && last.Before(end) {
		return last
	}
	return end
}

// cut makes text of what a client says of itself, which may be any bytes, and cuts it.
func cut(s string, n int) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 { // not within a character
		n--
	}
	return s[:n]
}

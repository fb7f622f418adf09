// Package user holds the user aggregate: who somebody is, whether they may sign in, and since when
// their sessions count.
package user

import (
	"fmt"
	"strings"
	"time"

	"roster/domain/credential"
)

// User is the aggregate root. It is always valid, and one write stores all of it.
type User struct {
	s         Snapshot
	lastStaff bool // see AllowLastStaff
}

// Snapshot is a User's whole state, for storage to write and read back. Times are UTC in whole
// microseconds, as Django's are; the zero time means never.
type Snapshot struct {
	ID                 ID
	Email              string // as shown
	EmailKey           string // canonical; unique among users
	FirstName          string
	LastName           string
	Active             bool
	Staff              bool
	Password           credential.Hash
	Joined             time.Time
	LastLogin          time.Time
	SessionEpoch       int64     // counted up each time all sessions end: a session of an older epoch is dead
	SessionsValidAfter time.Time // when all sessions last ended; tokens without a session are judged by it
	Networks           Networks  // from which the user signed in
	Version            int64     // counted up by each stored change, from 1
}

// New is a person about to become a user.
type New struct {
	ID        ID
	Email     Email
	FirstName string
	LastName  string
	Staff     bool
	Password  credential.Hash
}

// Administers reports whether the user may administer others: active staff users may.
func (s Snapshot) Administers() bool { return s.Active && s.Staff }

// Register makes an active user who joined at now.
func Register(n New, now time.Time) (*User, error) {
	return Restore(Snapshot{
		ID: n.ID, Email: n.Email.address, EmailKey: n.Email.key,
		FirstName: n.FirstName, LastName: n.LastName,
		Active: true, Staff: n.Staff, Password: n.Password,
		Joined: now, Version: 1,
	})
}

// Restore rebuilds a user from storage. ErrBadHistory says that no rule could have led to s.
func Restore(s Snapshot) (*User, error) {
	if s.ID == "" || s.Email == "" || s.EmailKey == "" || s.Joined.IsZero() || s.SessionEpoch < 0 || s.Version < 1 {
		return nil, ErrBadHistory
	}
	return &User{s: s}, nil
}

// Format implements fmt.Formatter: fmt would print what is inside, and the stored credential with it.
func (u User) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "[user %s]", u.s.ID) }

// Snapshot returns the user's state.
func (u *User) Snapshot() Snapshot { return u.s }

// ID returns the user's identifier.
func (u *User) ID() ID { return u.s.ID }

// Active reports whether the user may sign in and use tokens.
func (u *User) Active() bool { return u.s.Active }

// Staff reports whether the user may administer others.
func (u *User) Staff() bool { return u.s.Staff }

// Password returns the stored credential.
func (u *User) Password() credential.Hash { return u.s.Password }

// Version returns how often the user was stored; it is the entity tag.
func (u *User) Version() int64 { return u.s.Version }

// SessionEpoch returns how often all sessions of this user were ended.
func (u *User) SessionEpoch() int64 { return u.s.SessionEpoch }

// SessionsValidAfter returns when all sessions of this user were last ended.
func (u *User) SessionsValidAfter() time.Time { return u.s.SessionsValidAfter }

// ChangeEmail gives the user another address.
func (u *User) ChangeEmail(e Email) { u.s.Email, u.s.EmailKey = e.address, e.key }

// Rename gives the user another first and last name; checked text, see NameRule.
func (u *User) Rename(first, last string) { u.s.FirstName, u.s.LastName = first, last }

// ChangePassword replaces the credential and ends every session there is at now.
func (u *User) ChangePassword(h credential.Hash, now time.Time) {
	u.s.Password = h
	u.EndSessions(now)
}

// EndSessions ends every session there is, whatever the clocks say that their times come from. Tokens
// that have no session are judged by now, which is kept for them and never moves back.
func (u *User) EndSessions(now time.Time) {
	u.s.SessionEpoch++
	if now.After(u.s.SessionsValidAfter) {
		u.s.SessionsValidAfter = now
	}
}

// SpareTokens takes back what EndSessions did to tokens without a session that were issued at since or
// later.
func (u *User) SpareTokens(since time.Time) { u.s.SessionsValidAfter = since }

// Rehash replaces the stored form of an unchanged password, unless the password is no longer the
// one that old stands for: a rehash must not undo a change made meanwhile.
func (u *User) Rehash(old, fresh credential.Hash) {
	if u.s.Password == old {
		u.s.Password = fresh
	}
}

// RecordSignIn notes a sign-in at now.
func (u *User) RecordSignIn(now time.Time) { u.s.LastLogin = now }

// SetActive lets the user in or shuts them out. That alone does not end sessions: see EndSessions.
func (u *User) SetActive(active bool) { u.s.Active = active }

// SetStaff makes the user an administrator or takes that away.
func (u *User) SetStaff(staff bool) { u.s.Staff = staff }

// AllowLastStaff lets the change or deletion under way take away the last active staff user, which storage
// refuses otherwise: the override of an operator. It is no part of the state, and holds for this one change.
func (u *User) AllowLastStaff() { u.lastStaff = true }

// Resigns reports whether u, with the state before, stops administering others by the state it has now or, when
// deleted, by its removal. Storage then sees to it that another active staff user is left (ErrLastStaff).
func (u *User) Resigns(before Snapshot, deleted bool) bool {
	return before.Administers() && (deleted || !u.s.Administers()) && !u.lastStaff
}

// TakeOver makes the user what another system says: address, names, flags, credential and dates are
// those of s. What is ours alone stays: the id, the sessions, the known networks, the version and a later
// sign-in.
func (u *User) TakeOver(s Snapshot) {
	s.ID, s.Version = u.s.ID, u.s.Version
	s.SessionEpoch, s.SessionsValidAfter, s.Networks = u.s.SessionEpoch, u.s.SessionsValidAfter, u.s.Networks
	if u.s.LastLogin.After(s.LastLogin) {
		s.LastLogin = u.s.LastLogin
	}
	u.s = s
}

// SearchText returns the text in which each search term is looked for: email and names, folded by
// Fold, apart by a line feed, which no term holds.
func (s Snapshot) SearchText() string {
	return Fold(s.Email) + "\n" + Fold(s.FirstName) + "\n" + Fold(s.LastName)
}

// Fold removes the distinction of upper and lower case for searching. Characters that share their upper case
// are one, as in a comparison by PostgreSQL's upper(), which Django's icontains makes: σ and ς, i and ı, s and ſ.
func Fold(s string) string { return strings.ToLower(strings.ToUpper(s)) }

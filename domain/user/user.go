package user

import (
	"fmt"
	"strings"
	"time"

	"roster/domain/credential"
)

// User is the aggregate root. It is always valid, and storage writes it as a whole.
type User struct {
	s         Snapshot
	lastStaff bool // see AllowLastStaff
}

// Snapshot is the whole state of a User, for storage. Times are UTC in whole microseconds, as Django's are. The zero
// time means never.
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
	SessionEpoch       int64     // incremented when all sessions end: sessions of an earlier epoch are invalid
	SessionsValidAfter time.Time // when all sessions last ended; decides about tokens without a session
	Networks           Networks  // networks from which the user signed in
	EmailState         EmailState
	Contact            Contact
	Version            int64 // incremented by each stored change, from 1
}

// New holds the values for Register.
type New struct {
	ID        ID
	Email     Email
	FirstName string
	LastName  string
	Staff     bool
	Password  credential.Hash

	// EmailState is the first state of the address. In one that is Awaiting, the user is inactive.
	EmailState EmailState
}

// Administers reports whether the user may administer other users: active staff users may.
func (s Snapshot) Administers() bool { return s.Active && s.Staff }

// Register returns a new user that joined at now, active unless n.EmailState is Awaiting. It fails as Restore does.
func Register(n New, now time.Time) (*User, error) {
	return Restore(Snapshot{
		ID: n.ID, Email: n.Email.address, EmailKey: n.Email.key,
		FirstName: n.FirstName, LastName: n.LastName,
		Active: !n.EmailState.Awaiting(), Staff: n.Staff, Password: n.Password, EmailState: n.EmailState,
		Joined: now, Version: 1,
	})
}

// Restore returns the user with the stored state s. It fails with ErrBadState when s is not the state of any valid
// user.
func Restore(s Snapshot) (*User, error) {
	if s.ID == "" || s.Email == "" || s.EmailKey == "" || s.Joined.IsZero() || s.SessionEpoch < 0 || s.Version < 1 ||
		s.Active && s.EmailState.Awaiting() {
		return nil, ErrBadState
	}
	return &User{s: s}, nil
}

// Format implements fmt.Formatter, so that the stored credential is never printed.
func (u User) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "[user %s]", u.s.ID) }

// Snapshot returns the state of the user.
func (u *User) Snapshot() Snapshot { return u.s }

// ID returns the user's identifier.
func (u *User) ID() ID { return u.s.ID }

// Active reports whether the user may sign in and use tokens.
func (u *User) Active() bool { return u.s.Active }

// Staff reports whether the user has the staff flag. See Snapshot.Administers.
func (u *User) Staff() bool { return u.s.Staff }

// Password returns the stored credential.
func (u *User) Password() credential.Hash { return u.s.Password }

// Version returns the version, which the API shows as the entity tag.
func (u *User) Version() int64 { return u.s.Version }

// SessionEpoch returns how many times all sessions of the user were ended.
func (u *User) SessionEpoch() int64 { return u.s.SessionEpoch }

// SessionsValidAfter returns when all sessions of the user were last ended, or the zero time.
func (u *User) SessionsValidAfter() time.Time { return u.s.SessionsValidAfter }

// ChangeEmail sets the email address at now, without a proof. It cancels a change that waits for one. Only a
// proven address can be restored by UndoEmail: another may be that of another person.
func (u *User) ChangeEmail(e Email, now time.Time) {
	if e.key != u.s.EmailKey {
		if u.s.EmailState == EmailVerified {
			u.keepForUndo(now)
		}
		if !u.s.EmailState.Awaiting() {
			u.s.EmailState = EmailUnverified
		}
	}
	u.s.Contact.NewEmail, u.s.Contact.NewEmailKey = "", ""
	u.s.Email, u.s.EmailKey = e.address, e.key
}

// Rename sets the first and last name. The texts must satisfy NameRule.
func (u *User) Rename(first, last string) { u.s.FirstName, u.s.LastName = first, last }

// ChangePassword sets the credential and ends all sessions, see EndSessions.
func (u *User) ChangePassword(h credential.Hash, now time.Time) {
	u.s.Password = h
	u.EndSessions(now)
}

// EndSessions ends all sessions of the user. Sessions are compared by epoch, so clocks do not matter. Tokens without
// a session are compared with the latest time at which sessions ended.
func (u *User) EndSessions(now time.Time) {
	u.s.SessionEpoch++
	if now.After(u.s.SessionsValidAfter) {
		u.s.SessionsValidAfter = now
	}
}

// KeepTokensIssuedSince limits the last EndSessions: tokens without a session stay valid when they were issued at
// since or later.
func (u *User) KeepTokensIssuedSince(since time.Time) { u.s.SessionsValidAfter = since }

// Rehash replaces the stored form of an unchanged password. It does nothing when the credential is no longer old, so
// that it cannot undo a change of the password.
func (u *User) Rehash(old, replacement credential.Hash) {
	if u.s.Password == old {
		u.s.Password = replacement
	}
}

// RecordSignIn records a sign-in at now.
func (u *User) RecordSignIn(now time.Time) { u.s.LastLogin = now }

// SetActive sets whether the user may sign in. It does not end sessions, see EndSessions. A change of the value is a decision
// that no mailed link can undo: a user that waited for its activation does so no longer. The value that the user has already
// changes nothing, since clients repeat what they read.
func (u *User) SetActive(active bool) {
	if active == u.s.Active {
		return
	}
	u.s.Active = active
	if u.s.EmailState.Awaiting() {
		u.s.EmailState = EmailUnverified
	}
}

// SetStaff sets whether the user is staff.
func (u *User) SetStaff(staff bool) { u.s.Staff = staff }

// AllowLastStaff allows the current change or deletion to remove the last active staff user, which storage otherwise
// refuses. It is the operator's override, and not part of the stored state.
func (u *User) AllowLastStaff() { u.lastStaff = true }

// LosesAdministration reports whether a change from the state before, or a deletion, takes the administration from
// u. Storage then requires that another active staff user remains, and fails with ErrLastStaff otherwise. After
// AllowLastStaff it returns false.
func (u *User) LosesAdministration(before Snapshot, deleted bool) bool {
	return before.Administers() && (deleted || !u.s.Administers()) && !u.lastStaff
}

// ApplyImport overwrites the user with an imported snapshot. The id, the version, the session state, the known
// networks, the contact, a later LastLogin, and what is known about the same address stay.
func (u *User) ApplyImport(s Snapshot) {
	s.ID, s.Version = u.s.ID, u.s.Version
	s.SessionEpoch, s.SessionsValidAfter, s.Networks = u.s.SessionEpoch, u.s.SessionsValidAfter, u.s.Networks
	s.Contact = u.s.Contact
	if s.EmailState == EmailUnverified && s.EmailKey == u.s.EmailKey {
		s.EmailState = u.s.EmailState
	}
	if s.Active && s.EmailState.Awaiting() {
		s.EmailState = EmailUnverified
	}
	if u.s.LastLogin.After(s.LastLogin) {
		s.LastLogin = u.s.LastLogin
	}
	u.s = s
}

// SearchText returns the text that search terms are matched against: email, first and last name, folded by Fold and
// separated by line feeds, which no term contains.
func (s Snapshot) SearchText() string {
	return Fold(s.Email) + "\n" + Fold(s.FirstName) + "\n" + Fold(s.LastName)
}

// Fold removes the distinction of case for searching. Characters with the same upper case become the same, as in a
// comparison by PostgreSQL's upper(), which Django's icontains makes: σ and ς, i and ı, s and ſ.
func Fold(s string) string { return strings.ToLower(strings.ToUpper(s)) }

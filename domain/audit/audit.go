// Package audit holds the record of what happened to security: who did what to whom, when and from
// where. Events are values; they are added, and never changed.
package audit

import (
	"slices"
	"strings"
	"time"

	"roster/domain/fault"
	"roster/domain/user"
)

// Kind says what happened.
//
// The detail of Changed is the names of the members that changed, apart by blanks, each flag with what it
// became: "email first_name is_active=false is_staff=true". That of Registered is the flags that are not the
// usual ones, as "is_staff=true" for a user that createsuperuser makes, and that of Deleted "is_staff=false"
// for one who was an administrator. So these two texts find the users who got or lost administration.
type Kind string

// What is recorded.
const (
	Registered      Kind = "user_registered"
	Changed         Kind = "user_changed"
	PasswordChanged Kind = "password_changed"
	Deleted         Kind = "user_deleted"
	SignedIn        Kind = "signed_in"
	SignInFailed    Kind = "sign_in_failed"
	Locked          Kind = "sign_in_locked"   // the failure after which further attempts have to wait
	Unlocked        Kind = "sign_in_unlocked" // the failed sign-ins of an account were forgotten for it
	Refreshed       Kind = "token_refreshed"
	Reused          Kind = "token_reused"
	SignedOut       Kind = "signed_out"
	SessionRevoked  Kind = "session_revoked"
	SessionsRevoked Kind = "sessions_revoked" // all sessions of a user
	Imported        Kind = "users_imported"   // from another system
	Exported        Kind = "data_exported"    // everything, password hashes included
)

// Kinds returns every kind.
func Kinds() []Kind {
	return []Kind{
		Registered, Changed, PasswordChanged, Deleted, SignedIn, SignInFailed, Locked, Unlocked, Refreshed,
		Reused, SignedOut, SessionRevoked, SessionsRevoked, Imported, Exported,
	}
}

// Channel is how a request reached the service.
type Channel string

// The channels.
const (
	API      Channel = "api"
	Operator Channel = "operator" // from the machine itself; nobody is signed in
	Import   Channel = "import"   // likewise, by what another system says of the user
)

// ID identifies an event; among events of one millisecond its order is theirs.
type ID string

// Event is one thing that happened. It holds no password, hash or token.
type Event struct {
	ID        ID
	At        time.Time // UTC, in whole milliseconds
	Kind      Kind
	Actor     user.ID // who did it; "" when nobody was signed in
	User      user.ID // whom it was done to; "" when there is no such user
	Session   string  // the session that it is about, "" for none
	Channel   Channel
	Address   string // of the client
	UserAgent string
	RequestID string
	Detail    string // what more there is to say; see Kind
}

// The most bytes of what a client says of itself that an event keeps.
const (
	maxAddress   = 64
	maxUserAgent = 256
	maxDetail    = 256
)

// Clean returns e with the texts that come from a client as valid UTF-8 without control characters,
// and cut: what goes on in a log must not look like other lines of it (ASVS 16.4.1).
func (e Event) Clean() Event {
	e.Address, e.UserAgent, e.Detail = clean(e.Address, maxAddress), clean(e.UserAgent, maxUserAgent), clean(e.Detail, maxDetail)
	return e
}

func clean(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7F && r < 0xA0 || r == 0x2028 || r == 0x2029 {
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// ErrBadEvent says that a stored event breaks a rule.
var ErrBadEvent = fault.New(fault.Internal, "bad_event", "stored event breaks a rule")

// Check fails with ErrBadEvent when e is no event.
func (e Event) Check() error {
	if e.ID == "" || e.At.IsZero() || e.Kind == "" {
		return ErrBadEvent
	}
	return nil
}

// Filter says which events are meant. The zero value means all.
type Filter struct {
	Kinds []Kind // one of these; none for any
	Actor user.ID
	User  user.ID   // whom it was done to
	Since time.Time // at or after; zero for any
	Until time.Time // before; zero for any
}

// Position is the place of an event, which may be gone by now.
type Position struct {
	At time.Time
	ID ID
}

// Position returns the place of e.
func (e Event) Position() Position { return Position{e.At, e.ID} }

// Compare orders two places: negative when p is older.
func (p Position) Compare(q Position) int {
	if c := p.At.Compare(q.At); c != 0 {
		return c
	}
	return strings.Compare(string(p.ID), string(q.ID))
}

// Query asks for one stretch of the events that fit a filter, newest first.
type Query struct {
	Filter
	From  *Position // exclusive; nil begins with the newest
	Back  bool      // towards newer ones, oldest first
	Limit int       // most events to return, at least 1
}

// Bounds returns the two places between which the events that q asks for lie, themselves not among them;
// nil is no bound. They say all that From, Back, Since and Until say.
func (q Query) Bounds() (after, before *Position) {
	if !q.Since.IsZero() {
		after = &Position{At: wholeMillis(q.Since)} // comes before all events of that instant: no id is empty
	}
	if !q.Until.IsZero() {
		before = &Position{At: wholeMillis(q.Until)}
	}
	switch {
	case q.From == nil:
	case q.Back && (after == nil || q.From.Compare(*after) > 0):
		after = q.From
	case !q.Back && (before == nil || q.From.Compare(*before) < 0):
		before = q.From
	}
	return after, before
}

// wholeMillis returns the first instant at or after t that an event can have.
func wholeMillis(t time.Time) time.Time {
	return t.Add(time.Millisecond - 1).Truncate(time.Millisecond)
}

// Matches reports whether e fits f; the meaning of a filter, for backends that have no other way.
func (f Filter) Matches(e Event) bool {
	return (len(f.Kinds) == 0 || slices.Contains(f.Kinds, e.Kind)) &&
		(f.Actor == "" || e.Actor == f.Actor) &&
		(f.User == "" || e.User == f.User) &&
		(f.Since.IsZero() || !e.At.Before(f.Since)) &&
		(f.Until.IsZero() || e.At.Before(f.Until))
}

package audit

import (
	"slices"
	"strings"
	"time"

	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/user"
)

// Kind is the kind of an event.
//
// The detail of a Changed event lists the changed fields, separated by spaces, each flag with its new value: "email
// first_name is_active=false is_staff=true". The detail of Registered is "is_staff=true" for a user created as an
// administrator (createsuperuser), and that of Deleted is "is_staff=false" for a deleted administrator. A search for
// these two texts therefore finds every user that became an administrator or ceased to be one.
type Kind string

// The kinds. Their values are stored and documented.
const (
	Registered      Kind = "user_registered"
	Changed         Kind = "user_changed"
	PasswordChanged Kind = "password_changed"
	Deleted         Kind = "user_deleted"
	SignedIn        Kind = "signed_in"
	SignInFailed    Kind = "sign_in_failed"
	Locked          Kind = "sign_in_locked"   // a failed sign-in after which further attempts must wait
	Unlocked        Kind = "sign_in_unlocked" // the failed sign-ins of an account were deleted
	Refreshed       Kind = "token_refreshed"
	Reused          Kind = "token_reused"
	SignedOut       Kind = "signed_out"
	SessionRevoked  Kind = "session_revoked"
	SessionsRevoked Kind = "sessions_revoked" // all sessions of a user
	LinkRequested   Kind = "link_requested"   // by staff, for a user; the detail is the kind of the mail
	LinkSent        Kind = "link_sent"        // a mail with a link; the detail is its kind
	AccountActive   Kind = "account_activated"
	PasswordReset   Kind = "password_reset" // by a mailed link
	EmailRequested  Kind = "email_change_requested"
	EmailUndone     Kind = "email_change_undone"
	Imported        Kind = "users_imported"      // from another system
	Exported        Kind = "data_exported"       // all data, password hashes included
	KeyAdded        Kind = "signing_key_added"   // the detail of the three is the algorithm and the id of the key
	KeyRotated      Kind = "signing_key_rotated" // this key signs now
	KeyRetired      Kind = "signing_key_retired"
)

// Kinds returns every kind.
func Kinds() []Kind {
	return []Kind{
		Registered, Changed, PasswordChanged, Deleted, SignedIn, SignInFailed, Locked, Unlocked, Refreshed,
		Reused, SignedOut, SessionRevoked, SessionsRevoked, LinkRequested, LinkSent, AccountActive, PasswordReset, EmailRequested,
		EmailUndone, Imported, Exported, KeyAdded, KeyRotated, KeyRetired,
	}
}

// Channel is the way in which a request reached the service.
type Channel string

// The channels.
const (
	API      Channel = "api"
	Operator Channel = "operator" // the command line; there is no actor
	Import   Channel = "import"   // an import by the operator; there is no actor
	Delivery Channel = "delivery" // a mail that the service sent; there is no actor
)

// ID identifies an event. Events of the same millisecond are ordered by it.
type ID string

// Event is one security-relevant event. It contains no password, hash or token.
type Event struct {
	ID        ID
	At        time.Time // UTC, in whole milliseconds
	Kind      Kind
	Actor     user.ID // the user that did it; "" for none
	User      user.ID // the user that it was done to; "" for none
	Session   string  // the session concerned; "" for none
	Channel   Channel
	Address   string // the client's IP address
	UserAgent string
	RequestID string
	Detail    string // further text; see Kind
}

// The maximum lengths in bytes of texts in an event.
const (
	maxAddress   = 64
	maxUserAgent = 256
	maxDetail    = 256
)

// Clean returns e with its free texts as valid UTF-8 without control characters, and truncated. Such a text cannot
// be mistaken for further lines of a log (ASVS 16.4.1).
func (e Event) Clean() Event {
	e.Address, e.UserAgent = field.Clean(e.Address, maxAddress), field.Clean(e.UserAgent, maxUserAgent)
	e.Detail = field.Clean(e.Detail, maxDetail)
	return e
}

// ErrBadEvent is the error of an event without id, time or kind.
var ErrBadEvent = fault.New(fault.Internal, "bad_event", "stored event breaks a rule")

// Check fails with ErrBadEvent when e lacks an id, a time or a kind.
func (e Event) Check() error {
	if e.ID == "" || e.At.IsZero() || e.Kind == "" {
		return ErrBadEvent
	}
	return nil
}

// Filter selects events. The zero value selects all.
type Filter struct {
	Kinds []Kind // any of these; empty for all
	Actor user.ID
	User  user.ID   // the user that it was done to
	Since time.Time // at or after; zero for no limit
	Until time.Time // before; zero for no limit
}

// Position is the position of an event in the order of time. The event need not exist any more.
type Position struct {
	At time.Time
	ID ID
}

// Position returns the position of e.
func (e Event) Position() Position { return Position{e.At, e.ID} }

// Compare returns a negative number when p is older than q, a positive one when newer, and 0 when equal.
func (p Position) Compare(q Position) int {
	if c := p.At.Compare(q.At); c != 0 {
		return c
	}
	return strings.Compare(string(p.ID), string(q.ID))
}

// Query selects a page of the events that match a filter, newest first.
type Query struct {
	Filter
	From  *Position // exclusive; nil for the first page
	Back  bool      // towards newer events, oldest first
	Limit int       // maximum number of events to return, at least 1
}

// Bounds combines From, Back, Since and Until: the events that q selects lie between after and before, both
// exclusive. nil is no bound.
func (q Query) Bounds() (after, before *Position) {
	if !q.Since.IsZero() {
		after = &Position{At: ceilMillis(q.Since)} // the empty ID sorts before all events of that time
	}
	if !q.Until.IsZero() {
		before = &Position{At: ceilMillis(q.Until)}
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

// ceilMillis rounds t up to whole milliseconds, the resolution of the times of events.
func ceilMillis(t time.Time) time.Time {
	return t.Add(time.Millisecond - 1).Truncate(time.Millisecond)
}

// Matches reports whether f selects e. It defines the meaning of a filter for every backend.
func (f Filter) Matches(e Event) bool {
	return (len(f.Kinds) == 0 || slices.Contains(f.Kinds, e.Kind)) &&
		(f.Actor == "" || e.Actor == f.Actor) &&
		(f.User == "" || e.User == f.User) &&
		(f.Since.IsZero() || !e.At.Before(f.Since)) &&
		(f.Until.IsZero() || e.At.Before(f.Until))
}

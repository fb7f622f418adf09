package mail

import (
	"time"

	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/user"
)

// ID identifies a mail. IDs increase with time. The Message-ID of a mail is made of it, so a mail that is sent twice has
// the same one.
type ID string

// Kind is the kind of a mail.
type Kind string

// The kinds. The first five contain a link with a token.
const (
	Activation        Kind = "activation"          // to a new user: prove the address
	PasswordReset     Kind = "password_reset"      // choose a new password
	EmailChange       Kind = "email_change"        // to the new address: prove it
	EmailChangeNotice Kind = "email_change_notice" // to the present address: a change was requested or made; undo it
	Invitation        Kind = "invitation"          // to a user that staff added: choose a password
	Activated         Kind = "activated"           // the account is ready
	PasswordChanged   Kind = "password_changed"    // the password was changed
	EmailChanged      Kind = "email_changed"       // to the new address: it is in use now
	AlreadyRegistered Kind = "already_registered"  // a registration named the address of an account
	NewDevice         Kind = "new_device"          // a sign-in from a network and client not seen before
	SessionsEnded     Kind = "sessions_ended"      // staff ended sessions
	Test              Kind = "test"                // the operator tests the settings
)

// Kinds returns every kind.
func Kinds() []Kind {
	return []Kind{
		Activation, PasswordReset, EmailChange, EmailChangeNotice, Invitation, Activated, PasswordChanged, EmailChanged,
		AlreadyRegistered, NewDevice, SessionsEnded, Test,
	}
}

// Text is the content of a mail.
type Text struct{ Subject, Text, HTML string }

// State is how far a mail is.
type State string

// The states.
const (
	Waiting State = "waiting" // to be sent at Snapshot.Due
	Sent    State = "sent"
	Failed  State = "failed"  // given up
	Dropped State = "dropped" // not to be sent any more; Snapshot.Reason says why
)

// Mail is the aggregate root: a mail in the queue. It contains no token and no link; they are made when it is sent.
type Mail struct{ s Snapshot }

// Snapshot is the whole state of a Mail, for storage. Times are UTC in whole milliseconds. The zero time means never.
type Snapshot struct {
	ID     ID
	Kind   Kind
	User   user.ID   // "" when the user is found by the address when the mail is sent
	To     string    // the address as shown
	Key    string    // the key of the address, see user.Email.Key
	Locale string    // preferred languages as Accept-Language has them, for users without a locale
	Epoch  int64     // the user's session epoch when the mail was queued: a mail with a link of an earlier epoch is not sent
	Detail string    // for NewDevice: the client
	Queued time.Time // when it was caused

	State    State
	Due      time.Time // when it is to be sent or tried again; zero when finished
	Attempts int       // that were begun
	Finished time.Time // when the state became another than Waiting
	Reason   string    // the error of the last attempt, or why it was dropped; contains no secret
	Version  int64     // incremented by each stored change, from 1
}

// New holds the values for Queue.
type New struct {
	ID     ID
	Kind   Kind
	User   user.ID
	To     user.Email
	Locale string
	Epoch  int64
	Detail string
}

// Errors of mails.
var (
	ErrNotFound = fault.New(fault.NotFound, "mail_not_found", "There is no such mail.")
	ErrNotDue   = fault.New(fault.Conflict, "mail_not_due", "the mail is finished, or another process is sending it")
	ErrExists   = fault.New(fault.Conflict, "mail_exists", "a mail with this id exists")
	ErrBadState = fault.New(fault.Internal, "bad_mail", "stored mail breaks a rule")
)

// Queue returns a new mail that is due at now. It fails as Restore does.
func Queue(n New, now time.Time) (*Mail, error) {
	return Restore(Snapshot{
		ID: n.ID, Kind: n.Kind, User: n.User, To: n.To.String(), Key: n.To.Key(), Locale: field.Clean(n.Locale, maxText), Epoch: n.Epoch,
		Detail: field.Clean(n.Detail, maxText), Queued: now, State: Waiting, Due: now, Version: 1,
	})
}

// maxText is the length in bytes of the longest languages, detail and reason that are stored. A client or a mail server may
// send any bytes; longer ones are truncated.
const maxText = 512

// Restore returns the mail with the stored state s. It fails with ErrBadState when s is not the state of any mail.
func Restore(s Snapshot) (*Mail, error) {
	waiting := s.State == Waiting
	if s.ID == "" || s.Kind == "" || s.To == "" || s.Key == "" || s.Queued.IsZero() || s.State == "" || s.Version < 1 ||
		s.Attempts < 0 || waiting == s.Due.IsZero() || waiting != s.Finished.IsZero() {
		return nil, ErrBadState
	}
	return &Mail{s}, nil
}

// Snapshot returns the state of the mail.
func (m *Mail) Snapshot() Snapshot { return m.s }

// ID returns the id of the mail.
func (m *Mail) ID() ID { return m.s.ID }

// The times of attempts.
const (
	Lease       = 2 * time.Minute // for one attempt: after it another process may begin one, since the first one may have crashed
	firstRetry  = time.Minute     // doubled by each further failure
	longestWait = 4 * time.Hour
	giveUp      = 72 * time.Hour // after Queued
)

// Begin begins an attempt at now. Until Lease has passed, no other process can begin one. It fails with ErrNotDue.
func (m *Mail) Begin(now time.Time) error {
	if m.s.State != Waiting || m.s.Due.After(now) {
		return ErrNotDue
	}
	m.s.Attempts++
	m.s.Due, m.s.Reason = now.Add(Lease), ""
	return nil
}

// Complete ends an attempt: the mail was sent at now. A mail that another attempt finished stays as it is.
func (m *Mail) Complete(now time.Time) { m.finish(Sent, "", now) }

// Drop ends an attempt without sending: nothing is to be sent any more, for a reason.
func (m *Mail) Drop(now time.Time, reason string) { m.finish(Dropped, reason, now) }

// Fail ends an attempt that failed for a reason. The next one is due after a wait that doubles, unless the failure is
// permanent or the mail is three days old.
func (m *Mail) Fail(now time.Time, reason string, permanent bool) {
	if m.s.State != Waiting {
		return
	}
	wait := firstRetry
	for range m.s.Attempts - 1 {
		wait = min(2*wait, longestWait)
	}
	if permanent || now.Add(wait).After(m.s.Queued.Add(giveUp)) {
		m.finish(Failed, reason, now)
		return
	}
	m.s.Due, m.s.Reason = now.Add(wait), field.Clean(reason, maxText)
}

// Postpone ends an attempt without sending: the limits of the address permit none yet. The next one is due after a minute. A
// mail that is three days old is dropped.
func (m *Mail) Postpone(now time.Time) {
	switch {
	case now.After(m.s.Queued.Add(giveUp)):
		m.finish(Dropped, postponed, now)
	case m.s.State == Waiting:
		m.s.Attempts, m.s.Due, m.s.Reason = 1, now.Add(time.Minute), postponed
	}
}

// Interrupt ends an attempt that the end of its process cut short. The mail is due at once.
func (m *Mail) Interrupt(now time.Time) {
	if m.s.State == Waiting {
		m.s.Attempts, m.s.Due = max(m.s.Attempts-1, 0), now
	}
}

// Retry makes a mail due at now, whatever its state and age. It fails with ErrNotDue while an attempt is under way.
func (m *Mail) Retry(now time.Time) error {
	if m.underWay() && m.s.Due.After(now) {
		return ErrNotDue
	}
	m.s.State, m.s.Due, m.s.Finished, m.s.Attempts, m.s.Queued, m.s.Reason = Waiting, now, time.Time{}, 0, now, ""
	return nil
}

// underWay reports whether an attempt was begun and has not ended.
func (m *Mail) underWay() bool { return m.s.State == Waiting && m.s.Attempts > 0 && m.s.Reason == "" }

func (m *Mail) finish(s State, reason string, now time.Time) {
	if m.s.State == Waiting {
		m.s.State, m.s.Reason, m.s.Due, m.s.Finished = s, field.Clean(reason, maxText), time.Time{}, now
	}
}

// Retention returns how long a mail that was finished in state s is kept, for the operator; zero for Waiting. Any client can
// cause mails that are dropped, in numbers, so they are kept for a day. The others are kept longer than Window.
func (s State) Retention() time.Duration {
	switch s {
	case Sent, Failed:
		return 30 * 24 * time.Hour
	case Dropped:
		return 24 * time.Hour
	case Waiting:
	}
	return 0
}

// FinalStates returns the states of finished mails.
func FinalStates() []State { return []State{Sent, Failed, Dropped} }

// Query selects mails, the newest first.
type Query struct {
	State  State // "" for all
	Before ID    // only mails with a smaller id; "" for all
	Limit  int   // maximum number of mails to return, at least 1
}

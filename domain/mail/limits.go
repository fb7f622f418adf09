package mail

import "time"

// Limits are the numbers of mails that an address gets: of those that clients ask for by an address together, and of each kind of
// notice. 0 is no limit. Mails that staff or an undo caused are not limited, so that a flood of requests by other clients
// cannot hold them up.
type Limits struct{ PerMinute, PerHour int }

// Window is how far back Limits look.
const Window = time.Hour

// Decision is what becomes of a mail that is begun.
type Decision int

// The decisions.
const (
	Send  Decision = iota
	Later          // Mail.Postpone
	Never          // Mail.Drop
)

// postponed is the reason of a mail that waits for the limits.
const postponed = "the address got too many mails; this one is sent later"

// limited returns what the mail is counted with, "" for a mail without limits: those that clients ask for by an address
// together, and notices by their kind. A link to a new password that has a user is not asked for by address.
func (m *Mail) limited() Kind {
	switch m.s.Kind {
	case Invitation, SessionsEnded, Test:
		return ""
	case Activation, EmailChange, AlreadyRegistered:
		return PasswordReset
	case PasswordReset:
		if m.s.User != "" {
			return ""
		}
	case EmailChangeNotice, Activated, PasswordChanged, EmailChanged, NewDevice:
	}
	return m.s.Kind
}

// serves reports whether o is a mail for the same purpose as m.
func (m *Mail) serves(o *Mail) bool {
	return m.s.Kind == o.s.Kind && m.s.User == o.s.User && m.s.ID != o.s.ID
}

// failing reports whether the last attempt failed.
func (m *Mail) failing() bool {
	return m.s.State == Waiting && m.s.Reason != "" && m.s.Reason != postponed
}

// Decide returns what becomes of m, which an attempt has begun, at now, and the reason. others are the mails to the same
// address that were begun within Window. A mail that is tried again is dropped when a later one for its purpose was sent, or
// failed too, which then takes its place. Any mail is dropped when others have served its purpose as often as the limits permit.
// Other links to activate an account or to a new password beyond the limits are sent later, the rest is dropped: many accounts
// could ask for a change to one address. Of mails that are begun at the same time, those with the smallest ids are sent,
// so that processes that look at the same time agree; a mail that failed before holds up no other.
func (l Limits) Decide(m *Mail, others []*Mail, now time.Time) (Decision, string) {
	limited := m.limited()
	if limited == "" {
		return Send, ""
	}
	minute, hour := 0, 0
	servedInMinute, servedInHour := false, false
	for _, o := range others {
		switch {
		case o.s.ID == m.s.ID || o.limited() != limited:
		case o.s.State == Sent:
			recent, serves := now.Sub(o.s.Finished) < time.Minute, m.serves(o)
			if serves && m.s.Attempts > 1 && o.s.ID > m.s.ID {
				return Never, "a later mail replaced it"
			}
			hour++
			if recent {
				minute++
			}
			servedInHour, servedInMinute = servedInHour || serves, servedInMinute || serves && recent
		case o.failing():
			if m.s.Attempts > 1 && o.s.ID > m.s.ID && m.serves(o) {
				return Never, "a later mail replaces it"
			}
		case o.underWay() && o.s.ID < m.s.ID:
			hour++
			minute++
		}
	}
	tooManyInMinute, tooManyInHour := l.PerMinute > 0 && minute >= l.PerMinute, l.PerHour > 0 && hour >= l.PerHour
	switch {
	case !tooManyInMinute && !tooManyInHour:
		return Send, ""
	case tooManyInMinute && servedInMinute, tooManyInHour && servedInHour, m.s.Kind != Activation && m.s.Kind != PasswordReset:
		return Never, "the address got too many mails"
	}
	return Later, ""
}

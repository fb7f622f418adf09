package user

import (
	"time"

	"roster/domain/credential"
)

// EmailState is what is known about the address of a user, and what a new account waits for.
type EmailState string

// The states. A user in one of the last two is inactive and becomes active by a mailed link, unless staff decides about the
// account before.
const (
	EmailUnverified    EmailState = ""
	EmailVerified      EmailState = "verified"   // the user proved to receive mail there
	AwaitingActivation EmailState = "activation" // registered, waits for the proof of the address
	Invited            EmailState = "invitation" // added by staff, waits for the user's password
)

// Awaiting reports whether the account waits for a link that activates it.
func (s EmailState) Awaiting() bool { return s == AwaitingActivation || s == Invited }

// Contact is what else is stored about the mail of a user. The zero value is empty. Values are comparable with ==.
type Contact struct {
	NewEmail    string // the address that replaces the present one when it is proven; "" for none
	NewEmailKey string
	UndoEmail   string // the address before the last changes, which EmailUndo restores; "" for none
	UndoKey     string
	UndoSince   time.Time // when UndoEmail was replaced, or its replacement requested; UTC, whole milliseconds
	Locale      string    // preferred language of mails, a BCP 47 tag; "" for none
}

// EmailState returns the state of the user's address.
func (u *User) EmailState() EmailState { return u.s.EmailState }

// Activate makes a user that waits for it active, with a proven address. It fails with ErrNotAwaiting.
func (u *User) Activate() error {
	if !u.s.EmailState.Awaiting() || u.s.Active {
		return ErrNotAwaiting
	}
	u.s.Active, u.s.EmailState = true, EmailVerified
	return nil
}

// VerifyEmail records that the user received mail at the present address. It does not activate.
func (u *User) VerifyEmail() {
	if !u.s.EmailState.Awaiting() {
		u.s.EmailState = EmailVerified
	}
}

// SetLocale sets the preferred language of mails.
func (u *User) SetLocale(tag string) { u.s.Contact.Locale = tag }

// RequestEmail makes e the address that ConfirmEmail sets. The present address stays in use until then.
func (u *User) RequestEmail(e Email, now time.Time) {
	u.s.Contact.NewEmail, u.s.Contact.NewEmailKey = e.address, e.key
	u.keepForUndo(now)
}

// ConfirmEmail sets the address that RequestEmail named, proven. It fails with ErrNoNewEmail when there is none.
func (u *User) ConfirmEmail(now time.Time) error {
	if u.s.Contact.NewEmail == "" {
		return ErrNoNewEmail
	}
	u.keepForUndo(now)
	u.s.Email, u.s.EmailKey = u.s.Contact.NewEmail, u.s.Contact.NewEmailKey
	u.s.Contact.NewEmail, u.s.Contact.NewEmailKey = "", ""
	u.s.EmailState = EmailVerified
	return nil
}

// UndoTime is how long a change of the address can be undone.
const UndoTime = 7 * 24 * time.Hour

// Undoable reports whether UndoEmail would restore an address at now.
func (c Contact) Undoable(now time.Time) bool {
	return c.UndoEmail != "" && now.Sub(c.UndoSince) <= UndoTime
}

// keepForUndo keeps the present address for UndoEmail, unless an earlier one is kept: a second change of a thief
// must not displace the address of the owner.
func (u *User) keepForUndo(now time.Time) {
	c := &u.s.Contact
	if !c.Undoable(now) {
		c.UndoEmail, c.UndoKey, c.UndoSince = u.s.Email, u.s.EmailKey, now
	}
}

// UndoEmail restores the address before the last changes and cancels a change that waits. Since the change was made with
// the password, it also removes the password and ends all sessions. It fails with ErrNoNewEmail when there is nothing to undo.
func (u *User) UndoEmail(now time.Time) error {
	c := &u.s.Contact
	if !c.Undoable(now) {
		return ErrNoNewEmail
	}
	u.s.Email, u.s.EmailKey, u.s.EmailState = c.UndoEmail, c.UndoKey, EmailVerified
	*c = Contact{Locale: c.Locale}
	u.ChangePassword(credential.Unusable, now)
	return nil
}

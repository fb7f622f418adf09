package inbound

import (
	"context"

	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/link"
	"roster/domain/mail"
	"roster/domain/user"
)

// Link holds the fields of a mailed link.
type Link struct{ UID, Token field.Text }

// NewPassword holds a new password and, with Retype, its repetition, which must be equal.
type NewPassword struct {
	Password, Retyped field.Text
	Retype            bool
}

// NewEmail holds the fields of a change of one's own address. With Retype, Retyped must be equal to Email.
type NewEmail struct {
	Email, Retyped, CurrentPassword field.Text
	Retype                          bool
}

// ErrAddressUnknown is the error of a request for a mail to an address without an active user, where the setting allows to
// say so. The message is djoser's.
var ErrAddressUnknown = fault.New(fault.Invalid, "email_not_found", "User with given email does not exist.")

// ErrActivationOff is the error of a request for another link to activate an account where new accounts need none.
var ErrActivationOff = fault.New(fault.Invalid, "activation_off", "New accounts need no activation.")

// Links is the group of use cases that send links by mail and follow them. Each method fails with fault.ErrInvalid with all
// faults of fields: email, uid, token, new_password, re_new_password, current_password, new_email and re_new_email. A method
// with a Link fails with link.ErrBadUser or link.ErrBadToken when the link is not good, and
// leaves it good when it fails for another reason. A method with an actor fails as those of Accounts do. The mail is
// queued when a method returns, not sent.
type Links interface {
	// RequestActivation queues a mail with a link to activate the account with an address. It takes the same work and
	// returns the same whether or not there is such an account and whether it waits for its activation. It fails with
	// ErrAddressUnknown only where the setting allows it, and with ErrActivationOff, after faults of fields, where new
	// accounts need no activation.
	RequestActivation(ctx context.Context, email field.Text) error

	// Activate activates the account of a link. It fails with link.ErrStale when the account is active, and with
	// link.ErrBadToken when staff deactivated it.
	Activate(ctx context.Context, l Link) error

	// RequestPasswordReset is RequestActivation for a link to choose a new password. Only an active user gets one.
	RequestPasswordReset(ctx context.Context, email field.Text) error

	// ResetPassword sets the password of the user of a link, ends all sessions and unlocks the account. It starts no session.
	// For an invited user it also activates the account. Faults of p come before those of l.
	ResetPassword(ctx context.Context, l Link, p NewPassword) error

	// CheckLink fails unless l is good for a purpose. It changes nothing.
	CheckLink(ctx context.Context, p link.Purpose, l Link) error

	// RequestEmailChange checks the actor's password and queues a mail with a link to the new address, and a notice with a
	// link to undo the change to the present one. The present address stays in use until ConfirmEmailChange. Another spelling of
	// it is set at once. It fails with lockout.ErrLocked as Accounts.Change does.
	RequestEmailChange(ctx context.Context, actor Actor, in NewEmail) error

	// ConfirmEmailChange makes the new address the user's. It fails with user.ErrEmailTaken when another user has it by now.
	ConfirmEmailChange(ctx context.Context, l Link) error

	// UndoEmailChange restores the address before the change, removes the password, ends all sessions and mails a link to
	// choose a new password.
	UndoEmailChange(ctx context.Context, l Link) error

	// Invite adds an inactive user without a password and mails a link to choose one. Only staff may. It fails as
	// Accounts.Register does.
	Invite(ctx context.Context, actor Actor, read func() (UserInput, error)) (*user.User, error)

	// Invitations returns up to limit users that have not accepted their invitation, in the order of ids, from the first
	// one after the id after; "" is before all ids. Only staff may.
	Invitations(ctx context.Context, actor Actor, after user.ID, limit int) ([]*user.User, error)

	// ResendInvitation mails another link to an invited user. Only staff may. It fails with user.ErrNotFound when the user
	// waits for no invitation.
	ResendInvitation(ctx context.Context, actor Actor, id user.ID) error

	// RevokeInvitation deletes an invited user. It fails as ResendInvitation does.
	RevokeInvitation(ctx context.Context, actor Actor, id user.ID) error

	// StartPasswordReset mails a user a link to choose a new password. Only staff may. The present password stays.
	StartPasswordReset(ctx context.Context, actor Actor, id user.ID) error
}

// StaffMails is the group of use cases of staff about mails. Each method fails with fault.Unauthenticated when the actor is
// anonymous, and with fault.Forbidden when the actor is not staff.
type StaffMails interface {
	// List returns the mails that q selects, the newest first.
	List(ctx context.Context, actor Actor, q mail.Query) ([]*mail.Mail, error)

	// Retry makes a mail due now, as MailQueue.Retry does. It fails with fault.Conflict where mail is off. That of a mail
	// with a link is recorded in the audit trail.
	Retry(ctx context.Context, actor Actor, id mail.ID) (*mail.Mail, error)

	// Languages returns the languages of mails, as BCP 47 tags.
	Languages(ctx context.Context, actor Actor) ([]string, error)

	// Preview returns the mail of a kind in a language, with examples for its data. It fails with mail.ErrNotFound for an
	// unknown kind.
	Preview(ctx context.Context, actor Actor, k mail.Kind, language string) (mail.Text, error)
}

// MailQueue is the group of use cases of the operator about the queue of mails.
type MailQueue interface {
	// List returns the mails that q selects, the newest first.
	List(ctx context.Context, q mail.Query) ([]*mail.Mail, error)

	// Retry makes a mail due now, also one that was given up. It fails with mail.ErrNotFound, and with
	// mail.ErrNotDue while an attempt is under way.
	Retry(ctx context.Context, id mail.ID) (*mail.Mail, error)

	// SendTest sends a mail of kind mail.Test to an address at once, past the queue, and returns the error of the sender.
	SendTest(ctx context.Context, address string) error
}

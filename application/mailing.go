package application

import (
	"context"
	"strings"
	"time"

	"roster/domain/link"
	"roster/domain/mail"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

// Verification decides what a new user must do to prove the address.
type Verification string

// The kinds of verification.
const (
	VerificationOff      Verification = "off"      // no mail is sent
	VerificationOptional Verification = "optional" // a mail is sent; the user may sign in before
	VerificationRequired Verification = "required" // the user is inactive until then
)

// Mailing holds the settings of mails. The zero value sends none.
type Mailing struct {
	On             bool
	Verification   Verification
	HideRegistered bool // a registration with a taken address is answered as any other; its owner gets a mail
	RevealUnknown  bool // a request for a link says that no account has the address, as djoser can
	Welcome        bool // a mail says that an account is ready
	ResetIsSignIn  bool // a reset of the password counts as the last sign-in, as with djoser
	Limits         mail.Limits

	// Notices to the user about changes of the account.
	NotifyPassword, NotifyEmail, NotifyNewEmail, NotifyDevice, NotifySessions bool

	// Pages are the URLs of the pages that links lead to, with {uid} and {token} for the values of a link, or {key} for both.
	// The mails of those in FrontEnd have no code and no lifetime, as with djoser: the front end's own page may have no field
	// for a code.
	Pages     map[link.Purpose]string
	FrontEnd  map[link.Purpose]bool
	Lifetimes map[link.Purpose]time.Duration
}

// page returns the URL of a link.
func (m Mailing) page(p link.Purpose, uid, token string) string {
	return strings.NewReplacer("{uid}", uid, "{token}", token, "{key}", uid+":"+token).Replace(m.Pages[p])
}

// mailer makes the mails that use cases queue.
type mailer struct {
	ids      outbound.MailIDs
	clock    outbound.Clock
	settings Mailing
}

func newMailer(p Ports, s Settings) mailer { return mailer{p.MailIDs, p.Clock, s.Mail} }

// maxLanguages is the length in bytes of the longest Accept-Language header that is stored.
const maxLanguages = 256

// compose returns a mail to a user at an address.
func (m mailer) compose(ctx context.Context, k mail.Kind, u user.Snapshot, to user.Email, detail string) []*mail.Mail {
	languages := inbound.OriginOf(ctx).Languages
	if len(languages) > maxLanguages {
		languages = ""
	}
	out, err := mail.Queue(mail.New{
		ID: m.ids.NewMailID(), Kind: k, User: u.ID, To: to, Locale: languages, Epoch: u.SessionEpoch, Detail: detail,
	}, m.clock.Now())
	if err != nil {
		return nil // a user has an address
	}
	return []*mail.Mail{out}
}

// toUser returns a mail to the present address of a user.
func (m mailer) toUser(ctx context.Context, k mail.Kind, u user.Snapshot) []*mail.Mail {
	return m.compose(ctx, k, u, user.RestoreEmail(u.Email, u.EmailKey), "")
}

// toAddress returns a mail to the user with an address, if there is one when the mail is sent.
func (m mailer) toAddress(ctx context.Context, k mail.Kind, e user.Email) []*mail.Mail {
	return m.compose(ctx, k, user.Snapshot{}, e, "")
}

// ofRegistration returns the mail to a new user, if any.
func (m mailer) ofRegistration(ctx context.Context, u user.Snapshot) []*mail.Mail {
	switch {
	case !m.settings.On:
	case u.EmailState == user.Invited:
		return m.toUser(ctx, mail.Invitation, u)
	case m.settings.Verification == VerificationRequired && u.EmailState == user.AwaitingActivation,
		m.settings.Verification == VerificationOptional && u.Active:
		return m.toUser(ctx, mail.Activation, u)
	case m.settings.Welcome && u.Active:
		return m.toUser(ctx, mail.Activated, u)
	}
	return nil
}

// ofChange returns the mails about the difference of two states of a user.
func (m mailer) ofChange(ctx context.Context, before, after user.Snapshot) (mails []*mail.Mail) {
	if !m.settings.On {
		return nil
	}
	first := before.EmailState.Awaiting() // a password that activates an account is no change
	if before.Password != after.Password && after.Password.Usable() && m.settings.NotifyPassword && !first {
		mails = m.toUser(ctx, mail.PasswordChanged, after)
	}
	changed := before.EmailKey != after.EmailKey
	if changed && m.settings.NotifyNewEmail {
		mails = append(mails, m.toUser(ctx, mail.EmailChanged, after)...)
	}
	switch {
	case !changed:
	case after.EmailState == user.Invited:
		mails = append(mails, m.toUser(ctx, mail.Invitation, after)...)
	case after.EmailState == user.AwaitingActivation,
		after.EmailState == user.EmailUnverified && m.settings.Verification == VerificationOptional:
		mails = append(mails, m.toUser(ctx, mail.Activation, after)...)
	}
	// The notice about a proven address went out with the request.
	if changed && before.Contact.NewEmailKey != after.EmailKey && !after.EmailState.Awaiting() && m.settings.NotifyEmail {
		mails = append(mails, m.toFormer(ctx, before, after)...)
	}
	return append(mails, m.ofRequest(ctx, before, after)...)
}

// ofRequest returns the mails about a new address that waits for its proof.
func (m mailer) ofRequest(ctx context.Context, before, after user.Snapshot) []*mail.Mail {
	c := after.Contact
	if c.NewEmailKey == "" || before.Contact.NewEmailKey == c.NewEmailKey {
		return nil
	}
	mails := m.compose(ctx, mail.EmailChange, after, user.RestoreEmail(c.NewEmail, c.NewEmailKey), "")
	if m.settings.NotifyEmail {
		mails = append(mails, m.toFormer(ctx, before, after)...)
	}
	return mails
}

// ofEndedSessions returns the notice to the owner of sessions that another user ended. owner may be nil.
func (m mailer) ofEndedSessions(ctx context.Context, actor inbound.Actor, owner *user.User) []*mail.Mail {
	if !m.settings.On || !m.settings.NotifySessions || owner == nil || actor.Is(owner.ID()) {
		return nil
	}
	return m.toUser(ctx, mail.SessionsEnded, owner.Snapshot())
}

// toFormer returns the notices of a change of the address: to the address before it, and to the one that a link in the notice
// restores, if that is another.
func (m mailer) toFormer(ctx context.Context, before, after user.Snapshot) []*mail.Mail {
	notices := m.compose(ctx, mail.EmailChangeNotice, after, user.RestoreEmail(before.Email, before.EmailKey), "")
	if c := after.Contact; c.Undoable(m.clock.Now()) && c.UndoKey != before.EmailKey {
		notices = append(notices, m.compose(ctx, mail.EmailChangeNotice, after, user.RestoreEmail(c.UndoEmail, c.UndoKey), "")...)
	}
	return notices
}

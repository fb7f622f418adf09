package application

import (
	"context"
	"errors"
	"fmt"
	"time"

	"roster/domain/audit"
	"roster/domain/fault"
	"roster/domain/link"
	"roster/domain/mail"
	"roster/domain/user"
	"roster/ports/outbound"
)

// Delivery sends the queued mails. A process calls Deliver again and again; several processes share the work.
type Delivery struct {
	ports    Ports
	sender   outbound.MailSender
	settings Mailing
	Recorder
	failed func(m mail.Snapshot) // reports a mail that was given up
}

// NewDelivery returns the delivery by a sender. failed is called with each mail that is given up; it may be nil.
func NewDelivery(p Ports, s Settings, sender outbound.MailSender, failed func(mail.Snapshot)) *Delivery {
	return &Delivery{p, sender, s.Mail, NewRecorder(p), failed}
}

const (
	// DeliverInterval is the time between calls of Deliver.
	DeliverInterval = 500 * time.Millisecond
	// sendTimeout bounds one attempt. It is less than mail.Lease, so that no other process begins one before.
	sendTimeout = time.Minute
	// settleTimeout bounds the writing of the result of an attempt, also when the service stops.
	settleTimeout = 5 * time.Second
)

// Deliver makes an attempt for each mail that is due. When ctx ends, no more is begun, and a mail under way is due again
// later. Mails are sent one after the other: when a process dies between the acceptance of a mail and the writing of that,
// only this mail is sent twice.
func (d *Delivery) Deliver(ctx context.Context) error {
	const batch = 32
	for {
		due, err := d.ports.Mails.Due(ctx, d.ports.Clock.Now(), batch)
		if err != nil || len(due) == 0 {
			return err
		}
		var failed error
		for _, m := range due {
			failed = errors.Join(failed, d.attempt(ctx, m.ID()))
		}
		if failed != nil || len(due) < batch {
			return failed
		}
	}
}

// attempt makes one attempt to send a mail. It fails only when the storage does.
func (d *Delivery) attempt(ctx context.Context, id mail.ID) error {
	m, err := d.ports.Mails.Update(ctx, id, func(m *mail.Mail) error { return m.Begin(d.ports.Clock.Now()) })
	if errors.Is(err, mail.ErrNotDue) || errors.Is(err, mail.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	letter, u, reason, err := d.letter(ctx, m)
	decision := mail.Never
	if err == nil && reason == "" {
		decision, reason, err = d.decide(ctx, m)
	}
	if err != nil && (ctx.Err() != nil || fault.KindOf(err) == fault.Unavailable) {
		return err // the mail is due again after its lease
	}
	if err != nil {
		return errors.Join(err, d.settle(ctx, m.ID(), u, letter, func(m *mail.Mail, now time.Time) {
			m.Fail(now, "the mail could not be made; the log has the error", false)
		}))
	}
	end := func(m *mail.Mail, now time.Time) { m.Drop(now, reason) }
	switch decision {
	case mail.Never:
	case mail.Later:
		end = (*mail.Mail).Postpone
	case mail.Send:
		end = (*mail.Mail).Complete
		switch failure := d.send(ctx, letter); {
		case failure != nil && ctx.Err() != nil:
			end = (*mail.Mail).Interrupt
		case failure != nil:
			end = func(m *mail.Mail, now time.Time) {
				m.Fail(now, failure.Error(), errors.Is(failure, outbound.ErrMailRefused))
			}
		}
	}
	return d.settle(ctx, m.ID(), u, letter, end)
}

// decide returns what the limits make of a mail, and the reason.
func (d *Delivery) decide(ctx context.Context, m *mail.Mail) (mail.Decision, string, error) {
	now := d.ports.Clock.Now()
	begun, err := d.ports.Mails.Begun(ctx, m.Snapshot().Key, now.Add(-mail.Window), maxBegun)
	if err != nil {
		return mail.Later, "", err
	}
	decision, reason := d.settings.Limits.Decide(m, begun, now)
	return decision, reason, nil
}

// send makes one attempt. A defect of the sender that one mail shows must not stop the service, which would try it again
// after each start.
func (d *Delivery) send(ctx context.Context, l outbound.Letter) (err error) {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the sender panicked with a %T", v) // the value could contain the link
		}
	}()
	return d.sender.Send(ctx, l)
}

// maxBegun is how many mails to an address an attempt reads. No limit is higher.
const maxBegun = 2000

// settle stores the result of an attempt, as end sets it.
func (d *Delivery) settle(
	ctx context.Context, id mail.ID, u user.ID, l outbound.Letter, end func(*mail.Mail, time.Time),
) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
	defer cancel()
	now := d.ports.Clock.Now()
	m, err := d.ports.Mails.Update(ctx, id, func(m *mail.Mail) error {
		end(m, now)
		return nil
	})
	if err != nil {
		return err
	}
	s := m.Snapshot()
	if s.State == mail.Failed && d.failed != nil {
		d.failed(s)
	}
	if s.State == mail.Sent && l.Link != "" {
		d.Record(ctx, audit.Event{Kind: audit.LinkSent, User: u, Detail: string(l.Kind)})
	}
	return nil
}

// purposeOf returns the purpose of the link in a mail, "" for none.
func purposeOf(k mail.Kind) link.Purpose {
	switch k {
	case mail.Activation:
		return link.Activation
	case mail.PasswordReset:
		return link.PasswordReset
	case mail.EmailChange:
		return link.EmailChange
	case mail.EmailChangeNotice:
		return link.EmailUndo
	case mail.Invitation:
		return link.Invitation
	case mail.Activated, mail.PasswordChanged, mail.EmailChanged, mail.AlreadyRegistered, mail.NewDevice, mail.SessionsEnded, mail.Test:
	}
	return ""
}

// letter returns what to send, and its user. reason is why nothing is to be sent any more, "" for none.
func (d *Delivery) letter(ctx context.Context, m *mail.Mail) (l outbound.Letter, id user.ID, reason string, err error) {
	s := m.Snapshot()
	var u *user.User
	if s.User == "" {
		u, err = d.ports.Users.ByEmail(ctx, s.Key)
	} else {
		u, err = d.ports.Users.Get(ctx, s.User)
	}
	if errors.Is(err, user.ErrNotFound) {
		return l, "", "no account has the address", nil
	}
	if err != nil {
		return l, "", "", err
	}
	of := u.Snapshot()
	if !d.relevant(s, of) {
		return l, of.ID, "the account has changed since", nil
	}
	if s.Kind == mail.EmailChange {
		switch owner, err := d.ports.Users.ByEmail(ctx, s.Key); {
		case err == nil && owner.ID() != of.ID && d.settings.HideRegistered:
			s.Kind, s.User, u, of = mail.AlreadyRegistered, "", owner, owner.Snapshot()
		case err == nil && owner.ID() != of.ID:
			return l, of.ID, "another account has the address", nil
		case err != nil && !errors.Is(err, user.ErrNotFound):
			return l, of.ID, "", err
		}
	}
	if s.Kind == mail.AlreadyRegistered {
		s.Kind = registeredKind(of)
	}
	l = outbound.Letter{
		ID: s.ID, Kind: s.Kind, To: s.To, Languages: []string{of.Contact.Locale, s.Locale}, Address: of.Contact.NewEmail,
		Detail: s.Detail, Queued: s.Queued,
	}
	if s.User == "" {
		l.To = of.Email // as the user spells it, not the client
	}
	if s.Kind == mail.EmailChangeNotice && l.Address == "" {
		l.Address = of.Email
	}
	p := purposeOf(s.Kind)
	switch {
	case p == link.PasswordReset:
		p = d.settings.purposeOfPassword(of)
	case p == link.EmailUndo && (s.Key != of.Contact.UndoKey || !of.Contact.Undoable(d.ports.Clock.Now())):
		p = "" // the notice of an address that cannot be restored has no link
	}
	if p != "" {
		token, err := d.ports.LinkTokens.Make(link.StateOf(p, u), d.ports.Clock.Now())
		if err != nil {
			return l, of.ID, "", err
		}
		uid := link.EncodeUID(of.ID)
		l.Link = d.settings.page(p, uid, token)
		if !d.settings.FrontEnd[p] {
			l.Code, l.Lifetime = uid+"/"+token, d.settings.Lifetimes[p]
		}
	}
	return l, of.ID, "", nil
}

// registeredKind returns the kind of mail to a user after a registration, or a change of an address, named the user's address.
// Another person may have registered an account that waits for its activation, and know its password: the link sets a new
// password and activates.
func registeredKind(u user.Snapshot) mail.Kind {
	switch u.EmailState {
	case user.AwaitingActivation:
		return mail.PasswordReset
	case user.Invited:
		return mail.Invitation
	case user.EmailUnverified, user.EmailVerified:
	}
	return mail.AlreadyRegistered
}

// relevant reports whether a mail is to be sent still, now that its user is u. A link that was caused before the password
// or the address changed is not sent: no link is good after the change.
func (d *Delivery) relevant(m mail.Snapshot, u user.Snapshot) bool {
	byAddress := m.User == ""
	current := byAddress || m.Epoch == u.SessionEpoch && m.Key == u.EmailKey
	switch m.Kind {
	case mail.Activation:
		return current && d.settings.mayActivate(u)
	case mail.PasswordReset:
		return current && u.Active && (!byAddress || mayReset(u))
	case mail.EmailChange:
		return m.Epoch == u.SessionEpoch && m.Key == u.Contact.NewEmailKey
	case mail.EmailChangeNotice: // unless the change was undone
		return m.Key != u.EmailKey || u.Contact.NewEmailKey != ""
	case mail.Invitation:
		return current && u.EmailState == user.Invited
	case mail.Activated, mail.PasswordChanged, mail.EmailChanged, mail.AlreadyRegistered, mail.NewDevice, mail.SessionsEnded, mail.Test:
	}
	return true
}

package application

import (
	"context"
	"slices"

	"roster/domain/audit"
	"roster/domain/fault"
	"roster/domain/mail"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/ports/outbound"
)

// MailQueue implements the use cases of the operator about the queue of mails.
type MailQueue struct {
	ports  Ports
	sender outbound.MailSender
}

var _ inbound.MailQueue = (*MailQueue)(nil)

// NewMailQueue returns the use cases on the ports p.
func NewMailQueue(p Ports, sender outbound.MailSender) *MailQueue { return &MailQueue{p, sender} }

func (q *MailQueue) List(ctx context.Context, query mail.Query) ([]*mail.Mail, error) {
	query.Limit = max(query.Limit, 1)
	return q.ports.Mails.List(ctx, query)
}

func (q *MailQueue) Retry(ctx context.Context, id mail.ID) (*mail.Mail, error) {
	return q.ports.Mails.Update(ctx, id, func(m *mail.Mail) error { return m.Retry(q.ports.Clock.Now()) })
}

// StaffMails implements the use cases of staff about mails.
type StaffMails struct {
	queue *MailQueue
	texts outbound.MailTexts
	rules session.Rules
	on    bool
	Recorder
}

var errMailOff = fault.New(fault.Conflict, "mail_off", "No mails are sent: mail is off.")

var _ inbound.StaffMails = (*StaffMails)(nil)

// NewStaffMails returns the use cases on the ports p.
func NewStaffMails(p Ports, s Settings, texts outbound.MailTexts) *StaffMails {
	return &StaffMails{NewMailQueue(p, nil), texts, s.Rules, s.Mail.On, NewRecorder(p)}
}

func (s *StaffMails) List(ctx context.Context, actor inbound.Actor, q mail.Query) ([]*mail.Mail, error) {
	if err := requireStaff(actor); err != nil {
		return nil, err
	}
	return s.queue.List(ctx, q)
}

func (s *StaffMails) Retry(ctx context.Context, actor inbound.Actor, id mail.ID) (*mail.Mail, error) {
	actor, err := s.queue.ports.staff(ctx, actor, s.rules)
	if err != nil {
		return nil, err
	}
	if !s.on {
		return nil, errMailOff
	}
	m, err := s.queue.Retry(ctx, id)
	if err != nil {
		return nil, err
	}
	if of := m.Snapshot(); purposeOf(of.Kind) != "" {
		s.Record(ctx, audit.Event{Kind: audit.LinkRequested, Actor: actor.ID(), User: of.User, Detail: string(of.Kind)})
	}
	return m, nil
}

func (s *StaffMails) Languages(_ context.Context, actor inbound.Actor) ([]string, error) {
	if err := requireStaff(actor); err != nil {
		return nil, err
	}
	return s.texts.Languages(), nil
}

func (s *StaffMails) Preview(_ context.Context, actor inbound.Actor, k mail.Kind, language string) (mail.Text, error) {
	if err := requireStaff(actor); err != nil {
		return mail.Text{}, err
	}
	if !slices.Contains(mail.Kinds(), k) {
		return mail.Text{}, mail.ErrNotFound
	}
	return s.texts.Preview(k, language)
}

func (q *MailQueue) SendTest(ctx context.Context, address string) error {
	e, err := user.ParseEmail(address, q.ports.Domains.ToASCII)
	if err != nil {
		return err
	}
	return q.sender.Send(ctx, outbound.Letter{ID: q.ports.MailIDs.NewMailID(), Kind: mail.Test, To: e.String(), Queued: q.ports.Clock.Now()})
}

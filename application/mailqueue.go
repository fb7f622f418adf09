package application

import (
	"context"

	"roster/domain/mail"
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

func (q *MailQueue) SendTest(ctx context.Context, address string) error {
	e, err := user.ParseEmail(address, q.ports.Domains.ToASCII)
	if err != nil {
		return err
	}
	return q.sender.Send(ctx, outbound.Letter{ID: q.ports.MailIDs.NewMailID(), Kind: mail.Test, To: e.String(), Queued: q.ports.Clock.Now()})
}

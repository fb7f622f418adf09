package telemetry

import (
	"context"

	"roster/domain/mail"
	"roster/domain/signing"
	"roster/ports/inbound"
)

type overview struct {
	next inbound.Overview
	o    Observer
}

// Overview returns v, observed.
func (o Observer) Overview(v inbound.Overview) inbound.Overview { return overview{v, o} }

func (v overview) Summary(ctx context.Context, actor inbound.Actor) (inbound.Summary, error) {
	return observed(ctx, v.o, UseCase, "overview", func(ctx context.Context) (inbound.Summary, error) { return v.next.Summary(ctx, actor) })
}

func (v overview) About(ctx context.Context, actor inbound.Actor) (inbound.About, error) {
	return observed(ctx, v.o, UseCase, "about", func(ctx context.Context) (inbound.About, error) { return v.next.About(ctx, actor) })
}

type signingKeys struct {
	next inbound.SigningKeys
	o    Observer
}

// SigningKeys returns k, observed.
func (o Observer) SigningKeys(k inbound.SigningKeys) inbound.SigningKeys { return signingKeys{k, o} }

func (k signingKeys) List(ctx context.Context, actor inbound.Actor) ([]signing.Key, error) {
	return observed(ctx, k.o, UseCase, "list_keys", func(ctx context.Context) ([]signing.Key, error) { return k.next.List(ctx, actor) })
}

func (k signingKeys) Add(ctx context.Context, actor inbound.Actor, algorithm string) (signing.Key, error) {
	return observed(ctx, k.o, UseCase, "add_key", func(ctx context.Context) (signing.Key, error) {
		return k.next.Add(ctx, actor, algorithm)
	})
}

func (k signingKeys) Rotate(ctx context.Context, actor inbound.Actor, id string) (signing.Key, error) {
	return observed(ctx, k.o, UseCase, "rotate_key", func(ctx context.Context) (signing.Key, error) {
		return k.next.Rotate(ctx, actor, id)
	})
}

func (k signingKeys) Retire(ctx context.Context, actor inbound.Actor, id string, force bool) (signing.Key, error) {
	return observed(ctx, k.o, UseCase, "retire_key", func(ctx context.Context) (signing.Key, error) {
		return k.next.Retire(ctx, actor, id, force)
	})
}

type staffMails struct {
	next inbound.StaffMails
	o    Observer
}

// StaffMails returns m, observed.
func (o Observer) StaffMails(m inbound.StaffMails) inbound.StaffMails { return staffMails{m, o} }

func (m staffMails) List(ctx context.Context, actor inbound.Actor, q mail.Query) ([]*mail.Mail, error) {
	return observed(ctx, m.o, UseCase, "list_mails", func(ctx context.Context) ([]*mail.Mail, error) { return m.next.List(ctx, actor, q) })
}

func (m staffMails) Retry(ctx context.Context, actor inbound.Actor, id mail.ID) (*mail.Mail, error) {
	return observed(ctx, m.o, UseCase, "retry_mail", func(ctx context.Context) (*mail.Mail, error) { return m.next.Retry(ctx, actor, id) })
}

func (m staffMails) Languages(ctx context.Context, actor inbound.Actor) ([]string, error) {
	return observed(ctx, m.o, UseCase, "mail_languages", func(ctx context.Context) ([]string, error) { return m.next.Languages(ctx, actor) })
}

func (m staffMails) Preview(ctx context.Context, actor inbound.Actor, k mail.Kind, language string) (mail.Text, error) {
	return observed(ctx, m.o, UseCase, "preview_mail", func(ctx context.Context) (mail.Text, error) {
		return m.next.Preview(ctx, actor, k, language)
	})
}

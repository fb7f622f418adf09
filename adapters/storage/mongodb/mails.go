package mongodb

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"roster/domain/mail"
	"roster/domain/user"
	"roster/ports/outbound"
)

// mailDocument is a mail as stored. Users have their ids in the form of the API, "" for none.
type mailDocument struct {
	ID        string    `bson:"_id"`
	Kind      string    `bson:"kind"`
	Account   string    `bson:"account"`
	Recipient string    `bson:"recipient"`
	EmailKey  string    `bson:"email_key"`
	Locale    string    `bson:"locale"`
	Epoch     int64     `bson:"epoch"`
	Detail    string    `bson:"detail"`
	Queued    time.Time `bson:"queued"`
	State     string    `bson:"state"`
	Due       time.Time `bson:"due,omitempty"`
	Attempts  int64     `bson:"attempts"`
	Finished  time.Time `bson:"finished,omitempty"`
	Reason    string    `bson:"reason"`
	Version   int64     `bson:"version"`

	// Begun is the key of the address if the mail was sent or waits after an attempt. Its index omits mails that were
	// dropped, which any client can cause in numbers.
	Begun string `bson:"begun,omitempty"`
}

var mailTable = table[mail.Mail, mail.Snapshot, mailDocument]{
	name: "mails", record: "mail", unread: is("begun", 0),
	document: func(s mail.Snapshot) mailDocument {
		d := mailDocument{
			ID: string(s.ID), Kind: string(s.Kind), Account: string(s.User), Recipient: s.To, EmailKey: s.Key, Locale: s.Locale,
			Epoch: s.Epoch, Detail: s.Detail, Queued: instant(s.Queued), State: string(s.State), Due: instant(s.Due),
			Attempts: int64(s.Attempts), Finished: instant(s.Finished), Reason: s.Reason, Version: s.Version,
		}
		if s.State == mail.Sent || s.State == mail.Waiting && s.Attempts > 0 {
			d.Begun = s.Key
		}
		return d
	},
	state: func(d mailDocument) mail.Snapshot {
		return mail.Snapshot{
			ID: mail.ID(d.ID), Kind: mail.Kind(d.Kind), User: user.ID(d.Account), To: d.Recipient, Key: d.EmailKey, Locale: d.Locale,
			Epoch: d.Epoch, Detail: d.Detail, Queued: d.Queued, State: mail.State(d.State), Due: d.Due,
			Attempts: int(d.Attempts), Finished: d.Finished, Reason: d.Reason, Version: d.Version,
		}
	},
	id:       func(d mailDocument) string { return d.ID },
	snapshot: (*mail.Mail).Snapshot,
	restore:  mail.Restore,
	version:  func(s *mail.Snapshot) *int64 { return &s.Version },
	missing:  mail.ErrNotFound,
	exists:   mail.ErrExists,
}

type mails struct{ s *Store }

var _ outbound.Mails = mails{}

// Add may leave some mails stored after an outage in the middle.
func (r mails) Add(ctx context.Context, mails ...*mail.Mail) error {
	if len(mails) == 0 {
		return ctx.Err()
	}
	var e effects
	for _, m := range mails {
		e.Mails = append(e.Mails, mailTable.of(m))
	}
	return r.s.insertEffects(ctx, e)
}

func (r mails) Update(ctx context.Context, id mail.ID, change func(*mail.Mail) error) (*mail.Mail, error) {
	return mailTable.update(ctx, r.s, "update mail", string(id), change)
}

func (r mails) Due(ctx context.Context, now time.Time, limit int) ([]*mail.Mail, error) {
	return mailTable.list(ctx, r.s, "list due mails", dueMails(now), limit)
}

func dueMails(now time.Time) lookup {
	return lookup{Find: mailTable.name, Filter: is("due", compared("$lte", instant(now))), Sort: is("due", 1)}
}

func (r mails) Begun(ctx context.Context, key string, since time.Time, limit int) ([]*mail.Mail, error) {
	return mailTable.list(ctx, r.s, "list mails to an address", begunMails(key, since), limit)
}

// begunMails sorts the mails that the index finds: those to one address that were sent since the last sweep.
func begunMails(key string, since time.Time) lookup {
	either := bson.A{is("state", string(mail.Waiting)), is("finished", compared("$gte", instant(since)))}
	return lookup{Find: mailTable.name, Filter: append(is("begun", key), is("$or", either)...), Sort: is("_id", -1)}
}

func (r mails) List(ctx context.Context, q mail.Query) ([]*mail.Mail, error) {
	return mailTable.list(ctx, r.s, "list mails", listMails(q), q.Limit)
}

func listMails(q mail.Query) lookup {
	var conditions bson.A
	if q.State != "" {
		conditions = append(conditions, is("state", string(q.State)))
	}
	if q.Before != "" {
		conditions = append(conditions, is("_id", compared("$lt", string(q.Before))))
	}
	return lookup{Find: mailTable.name, Filter: all(conditions), Sort: is("_id", -1)}
}

func (r mails) Sweep(ctx context.Context, state mail.State, before time.Time, limit int) (int, error) {
	l := finishedMails(state, before)
	return r.s.sweep(ctx, "sweep mails", l.Find, l.Filter, l.Sort, limit)
}

func finishedMails(state mail.State, before time.Time) lookup {
	filter := append(is("state", string(state)), is("finished", compared("$lt", instant(before)))...)
	return lookup{Find: mailTable.name, Filter: filter, Sort: is("finished", 1)}
}

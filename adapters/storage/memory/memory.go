package memory

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"

	"roster/adapters/storage"
	"roster/domain/audit"
	"roster/domain/lockout"
	"roster/domain/mail"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
)

// Driver opens memory: URLs.
var Driver = storage.Driver{Scheme: "memory", Ephemeral: true, Open: func(u *url.URL, _ storage.Options) (storage.Backend, error) {
	if u.Opaque != "" || u.Host != "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, errors.New("memory: the URL takes nothing after the scheme")
	}
	return New(), nil
}}

// Store is the backend.
type Store struct {
	mu       sync.RWMutex
	emails   map[string]user.ID // by email key
	lastID   int64              // highest counted id that was assigned or added
	users    *shelf[user.ID, user.User, user.Snapshot]
	sessions *shelf[session.ID, session.Session, session.Snapshot]
	attempts *shelf[lockout.Subject, lockout.Record, lockout.Snapshot]
	events   *shelf[audit.ID, audit.Event, audit.Event]
	mails    *shelf[mail.ID, mail.Mail, mail.Snapshot]
}

var _ storage.Backend = (*Store)(nil)

// New returns an empty Store, ready for use without Start.
func New() *Store {
	s := &Store{emails: map[string]user.ID{}}
	s.users = &shelf[user.ID, user.User, user.Snapshot]{
		name: "user", mu: &s.mu, kept: map[user.ID]user.Snapshot{},
		key:      func(u user.Snapshot) user.ID { return u.ID },
		order:    func(u user.Snapshot) string { return u.ID.SortKey() },
		snapshot: (*user.User).Snapshot, restore: user.Restore,
		version: func(u *user.Snapshot) *int64 { return &u.Version },
		absent: func(user.ID) (*user.User, error) {
			return nil, fmt.Errorf("memory: find user: %w", user.ErrNotFound)
		},
		conflict: s.emailConflict,
		replaced: s.index,
	}
	s.sessions = &shelf[session.ID, session.Session, session.Snapshot]{
		name: "session", mu: &s.mu, kept: map[session.ID]session.Snapshot{},
		key:      func(x session.Snapshot) session.ID { return x.ID },
		order:    func(x session.Snapshot) string { return string(x.ID) },
		snapshot: (*session.Session).Snapshot, restore: session.Restore,
		version: func(x *session.Snapshot) *int64 { return &x.Version },
		absent: func(session.ID) (*session.Session, error) {
			return nil, fmt.Errorf("memory: find session: %w", session.ErrNotFound)
		},
	}
	s.attempts = &shelf[lockout.Subject, lockout.Record, lockout.Snapshot]{
		name: "failed sign-ins of", mu: &s.mu, kept: map[lockout.Subject]lockout.Snapshot{},
		key:      func(r lockout.Snapshot) lockout.Subject { return r.Subject },
		order:    func(r lockout.Snapshot) string { return string(r.Subject) },
		snapshot: (*lockout.Record).Snapshot, restore: lockout.Restore,
		version: func(r *lockout.Snapshot) *int64 { return &r.Version },
		absent:  func(k lockout.Subject) (*lockout.Record, error) { return lockout.New(k), nil },
	}
	s.events = &shelf[audit.ID, audit.Event, audit.Event]{
		name: "event", mu: &s.mu, kept: map[audit.ID]audit.Event{},
		key:      func(e audit.Event) audit.ID { return e.ID },
		order:    func(e audit.Event) string { return string(e.ID) },
		snapshot: func(e *audit.Event) audit.Event { return *e },
		restore:  func(e audit.Event) (*audit.Event, error) { return &e, e.Check() },
	}
	s.mails = &shelf[mail.ID, mail.Mail, mail.Snapshot]{
		name: "mail", mu: &s.mu, kept: map[mail.ID]mail.Snapshot{},
		key:      func(m mail.Snapshot) mail.ID { return m.ID },
		order:    func(m mail.Snapshot) string { return string(m.ID) },
		snapshot: (*mail.Mail).Snapshot, restore: mail.Restore,
		version: func(m *mail.Snapshot) *int64 { return &m.Version },
		absent:  func(mail.ID) (*mail.Mail, error) { return nil, fmt.Errorf("memory: find mail: %w", mail.ErrNotFound) },
	}
	keep := func(events []audit.Event, queued []*mail.Mail) {
		record(s.events.kept, events)
		queue(s.mails.kept, queued)
	}
	s.users.record, s.sessions.record, s.attempts.record, s.mails.record = keep, keep, keep, keep
	return s
}

func (s *Store) Users() outbound.Users { return users{s} }

func (s *Store) Sessions() outbound.Sessions { return sessions{s.sessions} }

func (s *Store) Attempts() outbound.Attempts { return attempts{s.attempts} }

func (s *Store) AuditTrail() outbound.AuditTrail { return auditTrail{s.events} }

func (s *Store) Mails() outbound.Mails { return mails{s.mails} }

func (s *Store) Archive() outbound.Archive { return archive{s} }

func (s *Store) UserIDs() outbound.UserIDs { return userIDs{s} }

func (s *Store) Start(ctx context.Context) error { return ctx.Err() }

func (s *Store) About(context.Context) (string, error) { return "the memory of this process", nil }

func (s *Store) Same(ctx context.Context, other storage.Backend) (bool, error) {
	return other == storage.Backend(s), ctx.Err()
}

func (s *Store) Ping(ctx context.Context) error { return ctx.Err() }

// Close implements storage.Backend. It has nothing to do.
func (s *Store) Close(context.Context) error { return nil }

// Package memory keeps everything in the process and forgets it at the end; for tests and demos.
package memory

import (
	"context"
	"errors"
	"net/url"
	"sync"

	"roster/adapters/storage"
	"roster/domain/audit"
	"roster/domain/lockout"
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

// Store is the backend. It holds snapshots, never aggregates, so that nobody can change what is kept.
type Store struct {
	mu       sync.RWMutex
	users    map[user.ID]user.Snapshot
	emails   map[string]user.ID // by email key
	lastID   int64              // highest counted id ever given or added
	sessions map[session.ID]session.Snapshot
	attempts map[lockout.Subject]lockout.Snapshot
	events   map[audit.ID]audit.Event
}

var _ storage.Backend = (*Store)(nil)

// New returns an empty Store, ready for use without Start.
func New() *Store {
	return &Store{
		users:    map[user.ID]user.Snapshot{},
		emails:   map[string]user.ID{},
		sessions: map[session.ID]session.Snapshot{},
		attempts: map[lockout.Subject]lockout.Snapshot{},
		events:   map[audit.ID]audit.Event{},
	}
}

// Users implements storage.Backend.
func (s *Store) Users() outbound.Users { return (*users)(s) }

// Sessions implements storage.Backend.
func (s *Store) Sessions() outbound.Sessions { return (*sessions)(s) }

// Attempts implements storage.Backend.
func (s *Store) Attempts() outbound.Attempts { return (*attempts)(s) }

// AuditTrail implements storage.Backend.
func (s *Store) AuditTrail() outbound.AuditTrail { return (*auditTrail)(s) }

// Archive implements storage.Backend.
func (s *Store) Archive() outbound.Archive { return (*archive)(s) }

// UserIDs implements storage.Backend.
func (s *Store) UserIDs() outbound.UserIDs { return (*userIDs)(s) }

// Start implements storage.Backend.
func (s *Store) Start(ctx context.Context) error { return ctx.Err() }

// About implements storage.Backend.
func (s *Store) About(context.Context) (string, error) { return "the memory of this process", nil }

// Same implements storage.Backend.
func (s *Store) Same(ctx context.Context, other storage.Backend) (bool, error) {
	return other == storage.Backend(s), ctx.Err()
}

// Ping implements storage.Backend.
func (s *Store) Ping(ctx context.Context) error { return ctx.Err() }

// Close implements storage.Backend. There is nothing to let go of.
func (s *Store) Close(context.Context) error { return nil }

package conformance

import (
	"testing"
	"time"

	"roster/adapters/storage"
	"roster/domain/credential"
	"roster/domain/session"
	"roster/domain/user"
)

// BenchmarkReads measures the reads of an authenticated request: its user and its session.
func BenchmarkReads(b *testing.B, s storage.Backend) {
	now := time.UnixMilli(1750000000000).UTC()
	for n := range int64(100) {
		id := user.IntegerID(n + 1)
		u, err := user.Restore(user.Snapshot{
			ID: id, Email: string(id) + "@example.com", EmailKey: string(id) + "@example.com", FirstName: "Grace", LastName: "Hopper", Active: true,
			Password: credential.RestoreHash("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g"),
			Joined:   now, LastLogin: now, SessionEpoch: 1, SessionsValidAfter: now, Networks: user.RestoreNetworks("0123456789abcdef:20000"),
			Version: 3,
		})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Users().Add(b.Context(), u); err != nil {
			b.Fatal(err)
		}
		x := session.Start(session.ID("session-"+id), id, 1, now, session.Rules{RefreshLifetime: time.Hour},
			session.Client{Address: "192.0.2.1", UserAgent: "Mozilla/5.0"})
		if err := s.Sessions().Add(b.Context(), x); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("user", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Users().Get(b.Context(), "50"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("session", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Sessions().Get(b.Context(), "session-50"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

package postgres

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"roster/domain/audit"
	"roster/domain/mail"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
	"roster/test/support/testenv"
)

// counted is a connection that counts round trips: a client that has written waits when it reads next.
type counted struct {
	net.Conn
	trips *atomic.Int64
	wrote atomic.Bool
}

func (c *counted) Write(b []byte) (int, error) {
	if !bytes.Equal(b, ping) {
		c.wrote.Store(true)
	}
	return c.Conn.Write(b)
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 && c.wrote.CompareAndSwap(true, false) {
		c.trips.Add(1)
	}
	return n, err
}

// ping is what the pool sends on a connection that was not used for a second.
var ping = func() []byte {
	const statement = "-- ping\x00"
	return append(binary.BigEndian.AppendUint32([]byte("Q"), uint32(4+len(statement))), statement...)
}()

// TestRoundTrips counts how often each operation waits for the server, BEGIN and COMMIT included, after its statements
// were prepared. Each change has an event and a mail.
func TestRoundTrips(t *testing.T) {
	s, err := New(testenv.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	var trips atomic.Int64
	dial := s.config.ConnConfig.DialFunc
	s.config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		return &counted{Conn: c, trips: &trips}, err
	}
	s.config.MaxConns = 1
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	now := time.UnixMilli(1750000000000).UTC()
	users, sessions := s.Users(), s.Sessions()
	begun := func(id user.ID) *session.Session {
		return session.Start(session.ID(id), id, 0, now, session.Rules{}, session.Client{})
	}
	queued := func(id mail.ID) *mail.Mail {
		m, err := mail.Queue(mail.New{ID: id, Kind: mail.PasswordChanged, To: user.RestoreEmail("a@example.com", "a@example.com")}, now)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	numbered := 0
	for _, o := range []struct {
		name  string
		fresh bool // there is no such user yet, nor a session
		most  int64
		run   func(ctx context.Context, id user.ID, effects outbound.Effects) error
	}{
		{"register", true, 1, func(ctx context.Context, id user.ID, effects outbound.Effects) error {
			return users.Add(ctx, sampleUser(t, id), effects)
		}},
		{"begin a session", true, 1, func(ctx context.Context, id user.ID, effects outbound.Effects) error {
			return sessions.Add(ctx, begun(id), effects)
		}},
		{"authenticate and read oneself", false, 1, func(ctx context.Context, id user.ID, _ outbound.Effects) error {
			_, _, err := users.WithSession(ctx, id, session.ID(id))
			return err
		}},
		{"read another", false, 1, func(ctx context.Context, id user.ID, _ outbound.Effects) error {
			_, err := users.Get(ctx, id)
			return err
		}},
		{"list", false, 1, func(ctx context.Context, _ user.ID, _ outbound.Effects) error {
			_, err := users.List(ctx, user.Query{Order: user.Ordering("id"), Limit: 20})
			return err
		}},
		{"search", false, 1, func(ctx context.Context, _ user.ID, _ outbound.Effects) error {
			_, err := users.List(ctx, user.Query{Filter: user.Filter{Terms: []string{"ann"}}, Order: user.Ordering("id"), Limit: 20})
			return err
		}},
		{"count", false, 1, func(ctx context.Context, _ user.ID, _ outbound.Effects) error {
			_, err := users.Count(ctx, user.Filter{})
			return err
		}},
		{"refresh", false, 2, func(ctx context.Context, id user.ID, effects outbound.Effects) error {
			_, err := sessions.Update(ctx, session.ID(id), func(x *session.Session) error { x.RecordUse(now.Add(time.Hour)); return nil }, effects)
			return err
		}},
		{"change a name", false, 2, func(ctx context.Context, id user.ID, effects outbound.Effects) error {
			_, err := users.Update(ctx, id, func(u *user.User) error { u.Rename("Ann", "Lee"); return nil }, effects)
			return err
		}},
		{"delete", false, 2, func(ctx context.Context, id user.ID, effects outbound.Effects) error {
			return users.Delete(ctx, id, func(*user.User) error { return nil }, effects)
		}},
		{"record an event", false, 1, func(ctx context.Context, _ user.ID, effects outbound.Effects) error {
			events, _ := effects()
			return s.AuditTrail().Append(ctx, events...)
		}},
		{"queue a mail", false, 1, func(ctx context.Context, _ user.ID, effects outbound.Effects) error {
			_, mails := effects()
			return s.Mails().Add(ctx, mails...)
		}},
		{"look for due mails", false, 1, func(ctx context.Context, _ user.ID, _ outbound.Effects) error {
			_, err := s.Mails().Due(ctx, now, 20)
			return err
		}},
		{"begin to send a mail", false, 2, func(ctx context.Context, id user.ID, _ outbound.Effects) error {
			_, err := s.Mails().Update(ctx, mail.ID("m"+id), func(m *mail.Mail) error { return m.Begin(now) })
			return err
		}},
	} {
		var last int64
		for range 3 { // the first prepares the statements
			numbered++
			id := user.IntegerID(int64(numbered))
			if !o.fresh {
				err := errors.Join(users.Add(t.Context(), sampleUser(t, id)), sessions.Add(t.Context(), begun(id)),
					s.Mails().Add(t.Context(), queued(mail.ID("m"+id))))
				if err != nil {
					t.Fatal(err)
				}
			}
			before := trips.Load()
			err := o.run(t.Context(), id, func() ([]audit.Event, []*mail.Mail) {
				return []audit.Event{{ID: audit.ID("e" + id), At: now, Kind: audit.SignedIn, User: id}}, []*mail.Mail{queued(mail.ID("n" + id))}
			})
			if err != nil {
				t.Fatalf("%s: %v", o.name, err)
			}
			last = trips.Load() - before
		}
		if last == 0 || last > o.most {
			t.Errorf("%s: %d round trips, want %d at most", o.name, last, o.most)
		}
	}
}

package auditlog

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"roster/domain/audit"
	"roster/domain/mail"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/outbound"
)

var at = time.Date(2026, 11, 23, 12, 0, 0, 123e6, time.UTC)

// kept stores events, or fails.
type kept struct {
	outbound.AuditTrail
	events []audit.Event
	err    error
}

func (k *kept) Append(_ context.Context, events ...audit.Event) error {
	if k.err == nil {
		k.events = append(k.events, events...)
	}
	return k.err
}

// Each kind of event is a line of the log with all members of the event, and is stored.
func TestEveryEventIsLoggedAndKept(t *testing.T) {
	for _, kind := range audit.Kinds() {
		core, lines := observer.New(zap.InfoLevel)
		k := &kept{}
		e := audit.Event{
			ID: "e1", At: at, Kind: kind, Actor: "7", User: "8", Session: "a0", Channel: audit.API,
			Address: "192.0.2.1", UserAgent: "test", RequestID: "r1", Detail: "email",
		}
		if err := New(k, zap.New(core), nil).Append(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		want := map[string]any{
			"id": "e1", "at": at, "actor": "7", "user": "8", "session": "a0", "channel": "api",
			"client": "192.0.2.1", "user_agent": "test", "request_id": "r1", "detail": "email",
		}
		all := lines.All()
		if len(all) != 1 || all[0].Message != string(kind) || all[0].LoggerName != "audit" || all[0].Level != zap.InfoLevel {
			t.Fatalf("%s: %+v", kind, all)
		}
		if diff := cmp.Diff(want, all[0].ContextMap()); diff != "" {
			t.Errorf("%s: %s", kind, diff)
		}
		if diff := cmp.Diff([]audit.Event{e}, k.events); diff != "" {
			t.Errorf("%s, kept: %s", kind, diff)
		}
	}
}

// Empty members of an event are omitted from its line.
func TestEmptyMembersAreLeftOut(t *testing.T) {
	core, lines := observer.New(zap.InfoLevel)
	if err := New(&kept{}, zap.New(core), nil).Append(t.Context(), audit.Event{ID: "e1", At: at, Kind: audit.SignInFailed, Channel: audit.Operator}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"id": "e1", "at": at, "channel": "operator"}, lines.All()[0].ContextMap()); diff != "" {
		t.Error(diff)
	}
}

// An event that cannot be stored is in the log, and the log reports that it is not in the trail.
func TestUnstoredEventsAreReported(t *testing.T) {
	core, lines := observer.New(zap.InfoLevel)
	away := errors.New("away")
	events := []audit.Event{{ID: "e1", At: at, Kind: audit.SignedIn}, {ID: "e2", At: at, Kind: audit.Reused}}
	if err := New(&kept{err: away}, zap.New(core), nil).Append(t.Context(), events...); !errors.Is(err, away) {
		t.Errorf("got %v", err)
	}
	var got []string
	for _, l := range lines.All() {
		got = append(got, l.Level.String()+" "+l.Message+" "+l.ContextMap()["id"].(string))
	}
	want := []string{"info signed_in e1", "info token_reused e2", "error the event was not stored e1", "error the event was not stored e2"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// stored is a storage that stores the events of changes, and runs each change twice, as a port may.
type stored struct{ err error }

func (s stored) take(events []outbound.Effects) error {
	for range 2 {
		if _, _, err := outbound.EffectsOf(events); err != nil {
			return err
		}
	}
	return s.err
}

type storedUsers struct {
	outbound.Users
	stored
}

func (s storedUsers) Add(_ context.Context, _ *user.User, e ...outbound.Effects) error {
	return s.take(e)
}

func (s storedUsers) Update(_ context.Context, _ user.ID, _ func(*user.User) error, e ...outbound.Effects) (*user.User, error) {
	return nil, s.take(e)
}

func (s storedUsers) Delete(_ context.Context, _ user.ID, _ func(*user.User) error, e ...outbound.Effects) error {
	return s.take(e)
}

type storedSessions struct {
	outbound.Sessions
	stored
}

func (s storedSessions) Add(_ context.Context, _ *session.Session, e ...outbound.Effects) error {
	return s.take(e)
}

func (s storedSessions) Update(
	_ context.Context, _ session.ID, _ func(*session.Session) error, e ...outbound.Effects,
) (*session.Session, error) {
	return nil, s.take(e)
}

// The events of a change are logged once, after it is stored, and not when it is refused.
func TestEventsOfChangesAreLogged(t *testing.T) {
	for _, refusal := range []error{nil, errors.New("refused")} {
		core, lines := observer.New(zap.InfoLevel)
		trail := New(&kept{}, zap.New(core), nil)
		users := trail.Users(storedUsers{stored: stored{refusal}})
		sessions := trail.Sessions(storedSessions{stored: stored{refusal}})
		event := func(id audit.ID) outbound.Effects {
			return func() ([]audit.Event, []*mail.Mail) {
				return []audit.Event{{ID: id, At: at, Kind: audit.Changed, Channel: audit.API}}, nil
			}
		}
		for _, err := range []error{
			users.Add(t.Context(), nil, event("e1")),
			sessions.Add(t.Context(), nil, event("e2")),
			second(sessions.Update(t.Context(), "a", nil, event("e3"), event("e4"))),
			second(users.Update(t.Context(), "1", nil, event("e5"))),
			users.Delete(t.Context(), "1", nil, event("e6")),
		} {
			if !errors.Is(err, refusal) {
				t.Errorf("got %v, want %v", err, refusal)
			}
		}
		want := []string{"e1", "e2", "e3", "e4", "e5", "e6"}
		if refusal != nil {
			want = nil
		}
		var got []string
		for _, l := range lines.All() {
			got = append(got, l.ContextMap()["id"].(string))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func second(_ any, err error) error { return err }

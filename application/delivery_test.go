package application_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"roster/application"
	"roster/domain/audit"
	"roster/domain/field"
	"roster/domain/link"
	"roster/domain/mail"
	"roster/ports/inbound"
	"roster/ports/outbound"
	"roster/test/support/fixture"
)

// Two processes deliver at the same time: each mail is sent once.
func TestDeliveriesShareTheWork(t *testing.T) {
	s := mailing(t, application.VerificationOff)
	for i := range 100 {
		email := fmt.Sprintf("u%d@example.com", i)
		s.Add(t, email)
		want(t, email, s.Links.RequestPasswordReset(t.Context(), field.Given(email)), nil)
	}
	set := fixture.Standard()
	set.Mail = fixture.Mailing(application.VerificationOff)
	var wg sync.WaitGroup
	for range 3 {
		d := application.NewDelivery(s.Ports, set, s.Outbox, nil)
		wg.Go(func() {
			if err := d.Deliver(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	to := map[string]int{}
	for _, l := range s.Sent(t) {
		to[l.To]++
		if to[l.To] > 1 {
			t.Errorf("%s got the mail twice", l.To)
		}
	}
	if len(to) != 100 {
		t.Errorf("%d of 100 users got the mail", len(to))
	}
}

// A mail that an attempt has begun is left alone until its lease ends, and then tried again: its process may have died.
func TestAttemptOfADeadProcess(t *testing.T) {
	s := mailing(t, application.VerificationOff)
	s.Add(t, "a@example.com")
	want(t, "request", s.Links.RequestPasswordReset(t.Context(), field.Given("a@example.com")), nil)
	due, err := s.Mails.Due(t.Context(), s.Clock.Now(), 1)
	if err != nil || len(due) != 1 {
		t.Fatal(due, err)
	}
	if _, err := s.Mails.Update(t.Context(), due[0].ID(), func(m *mail.Mail) error { return m.Begin(s.Clock.Now()) }); err != nil {
		t.Fatal(err)
	}
	s.Received(t)
	s.Clock.Advance(mail.Lease)
	s.Received(t, "password_reset a@example.com")
}

func TestServerIsDown(t *testing.T) {
	s := mailing(t, application.VerificationOff)
	s.Add(t, "a@example.com")
	down := errors.New("the server is down")
	s.Outbox.Failure = func(outbound.Letter) error { return down }
	want(t, "request", s.Links.RequestPasswordReset(t.Context(), field.Given("a@example.com")), nil)
	var attempts int
	s.Outbox.During = func(context.Context, outbound.Letter) { attempts++ }
	for start := s.Clock.Now(); s.Clock.Now().Sub(start) < 73*time.Hour; s.Clock.Advance(time.Minute) {
		s.Received(t)
	}
	given := s.Outbox.GivenUp()
	if len(given) != 1 || given[0].State != mail.Failed || given[0].Reason != down.Error() || attempts < 20 || attempts > 40 {
		t.Errorf("%d attempts, then given up: %+v", attempts, given)
	}
	s.Outbox.Failure = nil
	s.Received(t)
	queue := application.NewMailQueue(s.Ports, s.Outbox)
	_, err := queue.Retry(t.Context(), given[0].ID)
	want(t, "retry", err, nil)
	s.Received(t, "password_reset a@example.com")
}

// While the server is down a user asks again and again. When it is back, one mail comes, soon after the last request.
func TestRequestsWhileTheServerIsDown(t *testing.T) {
	s := mailing(t, application.VerificationOff)
	s.Add(t, "a@example.com")
	s.Outbox.Failure = func(outbound.Letter) error { return errors.New("the server is down") }
	for range 20 {
		want(t, "request", s.Links.RequestPasswordReset(t.Context(), field.Given("a@example.com")), nil)
		s.Received(t)
		s.Clock.Advance(time.Hour)
	}
	if waiting, err := s.Mails.List(t.Context(), mail.Query{State: mail.Waiting, Limit: 100}); err != nil || len(waiting) > 8 {
		t.Errorf("%d mails wait, %v", len(waiting), err)
	}
	s.Outbox.Failure = nil
	want(t, "request", s.Links.RequestPasswordReset(t.Context(), field.Given("a@example.com")), nil)
	got := len(s.Sent(t))
	for range 24 * 60 {
		s.Clock.Advance(time.Minute)
		got += len(s.Sent(t))
	}
	if got != 1 {
		t.Errorf("%d mails", got)
	}
}

func TestPermanentRefusal(t *testing.T) {
	s := mailing(t, application.VerificationOff)
	s.Add(t, "a@example.com")
	s.Outbox.Failure = func(outbound.Letter) error { return fmt.Errorf("550 no such mailbox: %w", outbound.ErrMailRefused) }
	want(t, "request", s.Links.RequestPasswordReset(t.Context(), field.Given("a@example.com")), nil)
	s.Received(t)
	if given := s.Outbox.GivenUp(); len(given) != 1 || given[0].Attempts != 1 {
		t.Errorf("%+v", given)
	}
}

// A mail at which the sender panics does not stop the others, nor the service.
func TestSenderPanics(t *testing.T) {
	s := mailing(t, application.VerificationOff)
	for _, email := range []string{"a@example.com", "b@example.com"} {
		s.Add(t, email)
		want(t, email, s.Links.RequestPasswordReset(t.Context(), field.Given(email)), nil)
	}
	s.Outbox.During = func(_ context.Context, l outbound.Letter) {
		if l.To == "a@example.com" {
			panic(l.Link)
		}
	}
	s.Received(t, "password_reset b@example.com")
	waiting, err := s.Mails.List(t.Context(), mail.Query{State: mail.Waiting, Limit: 9})
	if err != nil || len(waiting) != 1 || waiting[0].Snapshot().Reason != "the sender panicked with a string" {
		t.Errorf("%+v, %v", waiting, err)
	}
}

// When the context ends, no attempt is begun, the one under way ends, and its mail is due again later.
func TestDeliveryEnds(t *testing.T) {
	s := mailing(t, application.VerificationOff)
	for i := range 50 {
		email := fmt.Sprintf("u%d@example.com", i)
		s.Add(t, email)
		want(t, email, s.Links.RequestPasswordReset(t.Context(), field.Given(email)), nil)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s.Outbox.During = func(context.Context, outbound.Letter) { cancel() }
	if err := s.Delivery.Deliver(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	s.Outbox.During = nil
	if got := len(s.Sent(t)); got != 50 { // the one under way too
		t.Errorf("%d of 50 mails were sent", got)
	}
}

// failingTokens makes no token.
type failingTokens struct{ outbound.LinkTokens }

func (failingTokens) Make(link.State, time.Time) (string, error) { return "", errStorage }

// A mail that cannot be made is tried as one that cannot be sent, and keeps no other from being sent.
func TestMailThatCannotBeMade(t *testing.T) {
	s := mailing(t, application.VerificationOff)
	s.Add(t, "a@example.com")
	want(t, "request", s.Links.RequestPasswordReset(t.Context(), field.Given("a@example.com")), nil)
	want(t, "change", s.ChangePassword(t.Context(), signedIn(t, s, "a@example.com"),
		fixture.PasswordChange(field.Given(fixture.Password), field.Given(fixture.Password+"2"))), nil)
	p, set := s.Ports, fixture.Standard()
	p.LinkTokens, set.Mail = failingTokens{p.LinkTokens}, fixture.Mailing(application.VerificationOff)
	want(t, "deliver", application.NewDelivery(p, set, s.Outbox, nil).Deliver(t.Context()), errStorage)
	waiting, err := s.Mails.List(t.Context(), mail.Query{State: mail.Waiting, Limit: 9})
	if err != nil || len(waiting) != 1 || waiting[0].Snapshot().Reason == "" {
		t.Fatalf("%d mails wait, %v", len(waiting), err)
	}
	s.Received(t, "password_changed a@example.com")
	s.Clock.Advance(time.Minute)
	s.Received(t, "password_reset a@example.com")
}

// brokenMails fails updates while broken is set.
type brokenMails struct {
	outbound.Mails
	broken *atomic.Bool
}

var errStorage = errors.New("the storage is away")

func (b brokenMails) Update(ctx context.Context, id mail.ID, change func(*mail.Mail) error) (*mail.Mail, error) {
	if b.broken.Load() {
		return nil, errStorage
	}
	return b.Mails.Update(ctx, id, change)
}

// The storage fails between the attempt and its result: the mail is sent once more, not lost, and has the same id.
func TestStorageFailsAfterTheAttempt(t *testing.T) {
	s := mailing(t, application.VerificationOff)
	s.Add(t, "a@example.com")
	want(t, "request", s.Links.RequestPasswordReset(t.Context(), field.Given("a@example.com")), nil)
	var broken atomic.Bool
	p := s.Ports
	p.Mails = brokenMails{p.Mails, &broken}
	set := fixture.Standard()
	set.Mail = fixture.Mailing(application.VerificationOff)
	d := application.NewDelivery(p, set, s.Outbox, nil)
	s.Outbox.During = func(context.Context, outbound.Letter) { broken.Store(true) }
	want(t, "deliver", d.Deliver(t.Context()), errStorage)
	s.Outbox.During = nil
	first := s.Received(t, "password_reset a@example.com")
	s.Clock.Advance(mail.Lease)
	if second := s.Received(t, "password_reset a@example.com"); first[0].ID != second[0].ID {
		t.Errorf("ids %s and %s", first[0].ID, second[0].ID)
	}
	s.Clock.Advance(time.Hour)
	s.Received(t)
}

// A flood of requests for an address gives it few mails, and holds up none that its owner or staff cause.
func TestFloodOfOneAddress(t *testing.T) {
	s := mailing(t, application.VerificationRequired)
	staff := inbound.Actor{User: s.AddStaff(t, "s@example.com")}
	u := s.Add(t, "victim@example.com")
	a := signedIn(t, s, "victim@example.com")
	want(t, "set_email", s.Links.RequestEmailChange(t.Context(), a, newEmail("new@example.com")), nil)
	s.Sent(t)
	kinds := make(map[mail.Kind]int)
	flood := func() {
		t.Helper()
		for range 20 {
			want(t, "reset", s.Links.RequestPasswordReset(t.Context(), field.Given("victim@example.com")), nil)
			want(t, "activation", s.Links.RequestActivation(t.Context(), field.Given("victim@example.com")), nil)
		}
		for _, l := range s.Sent(t) {
			kinds[l.Kind]++
		}
	}
	for range 59 {
		flood()
		s.Clock.Advance(time.Minute)
	}
	if kinds[mail.PasswordReset] != 5 || len(kinds) != 1 {
		t.Errorf("%v in an hour", kinds)
	}
	clear(kinds)
	want(t, "by staff", s.Links.StartPasswordReset(t.Context(), staff, u.ID()), nil)
	flood()
	want(t, "notice", s.ChangePassword(t.Context(), a, fixture.PasswordChange(field.Given(fixture.Password), field.Given(fixture.Password+"2"))), nil)
	flood()
	if kinds[mail.PasswordReset] < 1 || kinds[mail.PasswordChanged] != 1 {
		t.Errorf("%v", kinds)
	}
}

// A mail of another kind beyond the limits comes later.
func TestMailBeyondTheLimitsIsNotLost(t *testing.T) {
	s := mailing(t, application.VerificationRequired)
	registers(t, s, "a@example.com")
	l := fixture.LinkOf(s.Received(t, "activation a@example.com")[0])
	want(t, "activate", s.Links.Activate(t.Context(), l), nil)
	for range 3 { // a click on the button again and again
		want(t, "request", s.Links.RequestPasswordReset(t.Context(), field.Given("a@example.com")), nil)
		s.Received(t)
	}
	s.Clock.Advance(time.Minute)
	s.Received(t, "password_reset a@example.com")
	for range 10 {
		s.Clock.Advance(time.Minute)
		s.Received(t)
	}
}

// The trail has an event for each link that was sent, of its user.
func TestSentLinksAreInTheTrail(t *testing.T) {
	s := mailing(t, application.VerificationOff)
	staff := inbound.Actor{User: s.AddStaff(t, "s@example.com")}
	u := s.Add(t, "a@example.com")
	for _, email := range []string{"a@example.com", "unknown@example.com"} {
		want(t, email, s.Links.RequestPasswordReset(t.Context(), field.Given(email)), nil)
	}
	s.Received(t, "password_reset a@example.com")
	events, err := s.Trail.Events(t.Context(), staff, fixture.Body(audit.Query{Filter: audit.Filter{Kinds: []audit.Kind{audit.LinkSent}}, Limit: 9}))
	if err != nil || len(events) != 1 || events[0].User != u.ID() || events[0].Detail != "password_reset" {
		t.Errorf("%+v, %v", events, err)
	}
	if dropped, err := s.Mails.List(t.Context(), mail.Query{State: mail.Dropped, Limit: 9}); err != nil || len(dropped) != 1 ||
		dropped[0].Snapshot().Reason != "no account has the address" {
		t.Errorf("%+v, %v", dropped, err)
	}
}

package application_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"roster/application"
	"roster/domain/audit"
	"roster/domain/credential"
	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/link"
	"roster/domain/mail"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/ports/outbound"
	"roster/test/support/fixture"
)

func hiding(t *testing.T) *fixture.Service {
	return mailing(t, application.VerificationRequired, func(m *application.Mailing) { m.HideRegistered = true })
}

// A registration is answered the same whether or not the address is taken. The owner of a taken one gets a mail, and nothing
// else changes.
func TestRegistrationHidesAccounts(t *testing.T) {
	s := hiding(t)
	owner := s.Add(t, "Owner@example.com")
	staff := inbound.Actor{User: s.AddStaff(t, "s@example.com")}
	for _, email := range []string{"owner@example.com", "new@example.com"} {
		u, err := s.Register(from(t, "192.0.2.1"), inbound.Actor{}, fixture.Body(fixture.Input(email)))
		if u != nil || err != nil {
			t.Errorf("%s: %v, %v", email, u, err)
		}
	}
	s.Received(t, "already_registered Owner@example.com", "activation new@example.com")
	if u, err := s.Users.Get(t.Context(), owner.ID()); err != nil || u.Version() != owner.Version() {
		t.Errorf("the owner changed: %+v, %v", u.Snapshot(), err)
	}
	s.SignsIn(t, "owner@example.com", fixture.Password)
	events, err := s.Trail.Events(t.Context(), staff, fixture.Body(audit.Query{
		Filter: audit.Filter{Kinds: []audit.Kind{audit.Registered}, User: owner.ID()}, Limit: 9}))
	if err != nil || len(events) != 1 {
		t.Errorf("%v, %v", events, err)
	}
	for _, email := range []string{"owner@example.com", "new2@example.com"} { // the password is checked alike
		in := fixture.Input(email)
		in.Password = field.Given("short")
		if _, err := s.Register(t.Context(), inbound.Actor{}, fixture.Body(in)); !errors.Is(err, fault.ErrInvalid) {
			t.Errorf("%s: %v", email, err)
		}
	}
	if _, err := s.Register(t.Context(), staff, fixture.Body(fixture.Input("owner@example.com"))); !errors.Is(err, fault.ErrInvalid) {
		t.Errorf("staff: %v", err)
	}
	s.Received(t)
}

// Both kinds of registration are answered when the same time is over, since storage takes more writes for a new user. The
// wait ends with the request, and comes after the writes.
func TestHiddenRegistrationsTakeTheSameTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := hiding(t)
		s.Add(t, "taken@example.com")
		s.Clock.Waits()
		s.Clock.Hold = make(chan time.Time)
		ctx, cancel := context.WithCancel(t.Context())
		answers := make(chan error, 2)
		for _, email := range []string{"taken@example.com", "free@example.com"} {
			go func() {
				_, err := s.Register(ctx, inbound.Actor{}, fixture.Body(fixture.Input(email)))
				answers <- err
			}()
		}
		synctest.Wait()
		if len(answers) > 0 {
			t.Fatal("a registration does not wait")
		}
		if sent := s.Sent(t); len(sent) != 2 {
			t.Errorf("%d mails before the answers, want 2", len(sent))
		}
		if waits := s.Clock.Waits(); len(waits) != 2 || waits[0] != waits[1] || waits[0] < 100*time.Millisecond {
			t.Errorf("the registrations wait %v", waits)
		}
		s.Clock.Hold <- time.Time{}
		want(t, "when the time is over", <-answers, nil)
		cancel()
		want(t, "at the end of the request", <-answers, nil)
	})
}

// Both kinds of registration make the same calls, but for the write.
func TestHiddenRegistrationsWorkAlike(t *testing.T) {
	set := fixture.Standard()
	set.Mail = fixture.Mailing(application.VerificationRequired)
	set.Mail.HideRegistered = true
	s := fixture.New(t, set)
	s.Add(t, "taken@example.com")
	var work []string
	p := s.Ports
	p.Users, p.Mails, p.Hasher = loggedUsers{p.Users, &work}, loggedMails{p.Mails, &work}, loggedHasher{p.Hasher, &work}
	a := application.NewAccounts(p, set, application.NewGuard(p, set))
	for _, email := range []string{"taken@example.com", "free@example.com"} {
		work = nil
		if _, err := a.Register(t.Context(), inbound.Actor{}, fixture.Body(fixture.Input(email))); err != nil {
			t.Fatal(err)
		}
		if want := []string{"hash", "read", "write"}; !slices.Equal(work, want) {
			t.Errorf("%s: %v, want %v", email, work, want)
		}
	}
}

// loggedUsers, loggedMails and loggedHasher log the calls of a registration.
type (
	loggedUsers struct {
		outbound.Users
		calls *[]string
	}
	loggedMails struct {
		outbound.Mails
		calls *[]string
	}
	loggedHasher struct {
		outbound.PasswordHasher
		calls *[]string
	}
)

func (l loggedUsers) ByEmail(ctx context.Context, key string) (*user.User, error) {
	*l.calls = append(*l.calls, "read")
	return l.Users.ByEmail(ctx, key)
}

func (l loggedUsers) Add(ctx context.Context, u *user.User, effects ...outbound.Effects) error {
	*l.calls = append(*l.calls, "write")
	return l.Users.Add(ctx, u, effects...)
}

func (l loggedMails) Add(ctx context.Context, mails ...*mail.Mail) error {
	*l.calls = append(*l.calls, "write")
	return l.Mails.Add(ctx, mails...)
}

func (l loggedHasher) Hash(ctx context.Context, p credential.Password) (credential.Hash, error) {
	*l.calls = append(*l.calls, "hash")
	return l.PasswordHasher.Hash(ctx, p)
}

// Until its owner proves the address or accepts the invitation, a registration of it mails a link that sets a password and
// activates: the password of the first registration may be that of another person.
func TestRegistrationOfAWaitingAddress(t *testing.T) {
	s := hiding(t)
	register := func(email string) {
		t.Helper()
		if _, err := s.Register(t.Context(), inbound.Actor{}, fixture.Body(fixture.Input(email))); err != nil {
			t.Fatal(err)
		}
	}
	register("a@example.com")
	s.Received(t, "activation a@example.com")
	s.Clock.Advance(2 * time.Minute)
	register("A@example.com")
	l := s.Received(t, "password_reset a@example.com")
	want(t, "activate by it", s.Links.Activate(t.Context(), fixture.LinkOf(l[0])), link.ErrBadToken)
	want(t, "set a password", s.Links.ResetPassword(t.Context(), fixture.LinkOf(l[0]), newPassword(fixture.Password+"2")), nil)
	s.Refused(t, "a@example.com", fixture.Password)
	s.SignsIn(t, "a@example.com", fixture.Password+"2")
	invite(t, s, inbound.Actor{User: s.AddStaff(t, "s@example.com")}, "i@example.com")
	s.Received(t, "invitation i@example.com")
	register("i@example.com")
	l = s.Received(t, "invitation i@example.com")
	want(t, "accept", s.Links.ResetPassword(t.Context(), fixture.LinkOf(l[0]), newPassword(fixture.Password)), nil)
	s.SignsIn(t, "i@example.com", fixture.Password)
}

// A change to a taken address is answered as any other. The owner of the address gets a mail without a link.
func TestChangeOfAddressHidesAccounts(t *testing.T) {
	s := hiding(t)
	s.Add(t, "owner@example.com")
	u := s.Add(t, "a@example.com")
	a := signedIn(t, s, "a@example.com")
	want(t, "set_email", s.Links.RequestEmailChange(t.Context(), a, newEmail("OWNER@example.com")), nil)
	sent := s.Received(t, "already_registered owner@example.com", "email_change_notice a@example.com")
	if sent[0].Link != "" || sent[0].Code != "" {
		t.Errorf("the owner gets a link: %+v", sent[0])
	}
	version := func(email string) int64 {
		t.Helper()
		got, err := s.Change(t.Context(), a, u.ID(), fixture.Body(inbound.Changes{UserInput: inbound.UserInput{Email: field.Given(email)}}))
		if err != nil || got.Snapshot().Email != "a@example.com" {
			t.Fatalf("%s: %+v, %v", email, got, err)
		}
		return got.Version()
	}
	s.Add(t, "second@example.com")
	free := version("free@example.com")
	if taken := version("second@example.com"); taken != free+1 {
		t.Errorf("versions %d and %d show that the address is taken", free, taken)
	}
	s.Sent(t)
	staff := s.AddStaff(t, "s@example.com")
	if _, err := s.Change(t.Context(), inbound.Actor{User: staff}, u.ID(),
		fixture.Body(inbound.Changes{UserInput: inbound.UserInput{Email: field.Given("owner@example.com")}})); !errors.Is(err, fault.ErrInvalid) {
		t.Errorf("staff: %v", err)
	}
}

package application_test

import (
	"context"
	"testing"
	"time"

	"roster/application"
	"roster/domain/audit"
	"roster/domain/field"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/test/support/fixture"
)

// device returns the context of a request from a network and client.
func device(t *testing.T, address, agent string) context.Context {
	t.Helper()
	return inbound.WithOrigin(t.Context(), inbound.Origin{
		Channel: audit.API, Client: session.Client{Address: address, UserAgent: agent}, RequestID: "r1"})
}

func TestNoticeOfANewDevice(t *testing.T) {
	const home, office = "192.0.2.1", "198.51.100.1"
	const firefox, newer, chrome = "Mozilla/5.0 Firefox/140.0", "Mozilla/5.0 Firefox/141.0.2", "Mozilla/5.0 Chrome/120.0"
	s := mailing(t, application.VerificationOff, func(m *application.Mailing) { m.NotifyDevice = true })
	s.Add(t, "a@example.com")
	signIn := func(address, agent, password string, wanted ...string) {
		t.Helper()
		_, err := s.SignIn(device(t, address, agent), inbound.SignIn{Email: field.Given("a@example.com"), Password: field.Given(password)})
		if (err == nil) != (password == fixture.Password) {
			t.Fatal(err)
		}
		if sent := s.Received(t, wanted...); len(sent) == 1 && sent[0].Detail != agent {
			t.Errorf("client %q, want %q", sent[0].Detail, agent)
		}
	}
	const notice = "new_device a@example.com"
	signIn(home, firefox, fixture.Password) // the first sign-in of the user
	signIn(home, firefox, fixture.Password)
	signIn(home, newer, fixture.Password) // an update of the client
	signIn(office, firefox, "wrong")
	signIn(office, firefox, fixture.Password, notice)
	signIn(home, chrome, fixture.Password) // one such notice a minute
	s.Clock.Advance(time.Minute)
	signIn(office, chrome, fixture.Password, notice)
	signIn(office, firefox, fixture.Password)
	s.Clock.Advance(91 * 24 * time.Hour)
	signIn(home, firefox, fixture.Password, notice)

	off := mailing(t, application.VerificationOff)
	u := off.Add(t, "a@example.com")
	for _, address := range []string{home, office} {
		if err := try(device(t, address, firefox), off, "a@example.com", fixture.Password); err != nil {
			t.Fatal(err)
		}
	}
	off.Received(t)
	if got, err := off.Users.Get(t.Context(), u.ID()); err != nil || got.SignedInFrom(user.Device(home, firefox), off.Clock.Now()) {
		t.Errorf("devices are recorded without notices, %v", err)
	}
}

func TestNoticeOfEndedSessions(t *testing.T) {
	s := mailing(t, application.VerificationOff)
	staff := inbound.Actor{User: s.AddStaff(t, "s@example.com")}
	u := s.Add(t, "a@example.com")
	own := func() inbound.Actor { t.Helper(); return signedIn(t, s, "a@example.com") }
	a := own()
	want(t, "one's own", s.Devices.End(t.Context(), a, a.Session), nil)
	want(t, "all of one's own", s.Devices.EndAll(t.Context(), own(), ""), nil)
	s.Received(t)
	want(t, "one, by staff", s.Devices.End(t.Context(), staff, own().Session), nil)
	s.Received(t, "sessions_ended a@example.com")
	want(t, "again", s.Devices.End(t.Context(), staff, a.Session), session.ErrNotFound)
	s.Received(t)
	want(t, "all, by staff", s.Devices.EndAll(t.Context(), staff, u.ID()), nil)
	s.Received(t, "sessions_ended a@example.com")
	off := mailing(t, application.VerificationOff, func(m *application.Mailing) { m.NotifySessions = false })
	staff = inbound.Actor{User: off.AddStaff(t, "s@example.com")}
	u = off.Add(t, "a@example.com")
	want(t, "without notices", off.Devices.End(t.Context(), staff, signedIn(t, off, "a@example.com").Session), nil)
	want(t, "without notices", off.Devices.EndAll(t.Context(), staff, u.ID()), nil)
	off.Received(t)
}

func TestNoticesOfChanges(t *testing.T) {
	s := mailing(t, application.VerificationOff, func(m *application.Mailing) { m.NotifyNewEmail = true })
	staff := inbound.Actor{User: s.AddStaff(t, "s@example.com")}
	u := s.Add(t, "a@example.com")
	want(t, "password", s.ChangePassword(t.Context(), signedIn(t, s, "a@example.com"),
		fixture.PasswordChange(field.Given(fixture.Password), field.Given(fixture.Password+"2"))), nil)
	s.Received(t, "password_changed a@example.com")
	_, err := s.Change(t.Context(), staff, u.ID(), fixture.Body(inbound.Changes{UserInput: inbound.UserInput{
		Email: field.Given("n@example.com"), Password: field.Given(fixture.Password)}}))
	want(t, "both, by staff", err, nil)
	s.Received(t, "password_changed n@example.com", "email_changed n@example.com", "email_change_notice a@example.com")
	s.Clock.Advance(time.Minute)
	want(t, "by the operator", s.Administration.SetPassword(t.Context(), u.ID(), field.Given(fixture.Password+"3")), nil)
	s.Received(t, "password_changed n@example.com")
	_, err = s.Change(t.Context(), staff, u.ID(), fixture.Body(inbound.Changes{UserInput: inbound.UserInput{FirstName: field.Given("Eve")}}))
	want(t, "name", err, nil)
	_, err = s.Change(t.Context(), staff, u.ID(), fixture.Body(inbound.Changes{UserInput: inbound.UserInput{Email: field.Given("a")}}))
	if err == nil {
		t.Error("no address")
	}
	s.SignsIn(t, "n@example.com", fixture.Password+"3")
	s.Received(t)
}

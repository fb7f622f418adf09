package application_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"roster/application"
	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/link"
	"roster/domain/lockout"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/test/support/fixture"
)

// mailing returns a service with mails.
func mailing(t *testing.T, v application.Verification, change ...func(*application.Mailing)) *fixture.Service {
	t.Helper()
	set := fixture.Standard()
	set.Mail = fixture.Mailing(v)
	for _, f := range change {
		f(&set.Mail)
	}
	return fixture.New(t, set)
}

// registers registers a user through the API, which must succeed.
func registers(t *testing.T, s *fixture.Service, email string) *user.User {
	t.Helper()
	u, err := s.Register(from(t, "192.0.2.1"), inbound.Actor{}, fixture.Body(fixture.Input(email)))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// signedIn signs in and returns the actor of the access token.
func signedIn(t *testing.T, s *fixture.Service, email string) inbound.Actor {
	t.Helper()
	return actorOf(t, s, s.SignsIn(t, email, fixture.Password).Access)
}

func newPassword(text string) inbound.NewPassword {
	return inbound.NewPassword{Password: field.Given(text)}
}

// want fails unless err is a certain error; nil is success.
func want(t *testing.T, what string, err, certain error) {
	t.Helper()
	if !errors.Is(err, certain) {
		t.Errorf("%s: got %v, want %v", what, err, certain)
	}
}

func TestActivationIsRequired(t *testing.T) {
	s := mailing(t, application.VerificationRequired)
	u := registers(t, s, "a@example.com")
	s.Refused(t, "a@example.com", fixture.Password)
	l := fixture.LinkOf(s.Received(t, "activation a@example.com")[0])
	want(t, "check", s.Links.CheckLink(t.Context(), link.Activation, l), nil)
	s.Refused(t, "a@example.com", fixture.Password) // the check changed nothing
	want(t, "as a reset", s.Links.ResetPassword(t.Context(), l, newPassword(fixture.Password)), link.ErrBadToken)
	want(t, "as a change of the address", s.Links.ConfirmEmailChange(t.Context(), l), link.ErrBadToken)
	other := registers(t, s, "o@example.com")
	want(t, "of another user", s.Links.Activate(t.Context(),
		inbound.Link{UID: field.Given(link.EncodeUID(other.ID())), Token: l.Token}), link.ErrBadToken)
	want(t, "of no user", s.Links.Activate(t.Context(), inbound.Link{UID: field.Given("!"), Token: l.Token}), link.ErrBadUser)
	want(t, "activate", s.Links.Activate(t.Context(), l), nil)
	s.SignsIn(t, "a@example.com", fixture.Password)
	if got, err := s.Users.Get(t.Context(), u.ID()); err != nil || got.EmailState() != user.EmailVerified {
		t.Errorf("state %q, %v", got.EmailState(), err)
	}
}

func TestActivationLinksEnd(t *testing.T) {
	ends := map[string]struct {
		change func(*fixture.Service, user.ID)
		want   error
	}{
		"used": {func(s *fixture.Service, id user.ID) {
			s.Set(t, id, func(u *user.User) { _ = u.Activate() })
		}, link.ErrStale},
		"activated by staff and deactivated": {func(s *fixture.Service, id user.ID) {
			s.Set(t, id, func(u *user.User) { u.SetActive(true); u.SetActive(false) })
		}, link.ErrBadToken},
		"old":         {func(s *fixture.Service, _ user.ID) { s.Clock.Advance(24*time.Hour + time.Second) }, link.ErrBadToken},
		"of a future": {func(s *fixture.Service, _ user.ID) { s.Clock.Advance(-time.Hour) }, link.ErrBadToken},
		"another address": {func(s *fixture.Service, id user.ID) {
			s.Set(t, id, func(u *user.User) { u.ChangeEmail(user.RestoreEmail("b@example.com", "b@example.com"), s.Clock.Now()) })
		}, link.ErrBadToken},
		"another password": {func(s *fixture.Service, id user.ID) {
			s.Set(t, id, func(u *user.User) { u.ChangePassword(fixture.Old("other"), s.Clock.Now()) })
		}, link.ErrBadToken},
		"deleted": {func(s *fixture.Service, id user.ID) {
			if err := s.Users.Delete(t.Context(), id, func(*user.User) error { return nil }); err != nil {
				t.Error(err)
			}
		}, link.ErrBadUser},
	}
	for name, c := range ends {
		t.Run(name, func(t *testing.T) {
			s := mailing(t, application.VerificationRequired)
			u := registers(t, s, "a@example.com")
			l := fixture.LinkOf(s.Received(t, "activation a@example.com")[0])
			c.change(s, u.ID())
			want(t, "activate", s.Links.Activate(t.Context(), l), c.want)
			s.Refused(t, "a@example.com", "not the password")
		})
	}
}

// Staff that send back the value that they read make no decision: only a change of it ends the wait, of a user that registered
// and of one that was invited.
func TestUnchangedActivityKeepsTheWait(t *testing.T) {
	s := mailing(t, application.VerificationRequired)
	staff := inbound.Actor{User: s.AddStaff(t, "s@example.com")}
	ann := registers(t, s, "a@example.com")
	ben, err := s.Links.Invite(t.Context(), staff, func() (inbound.UserInput, error) {
		return inbound.UserInput{Email: field.Given("b@example.com")}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range []*user.User{ann, ben} {
		got, err := s.Change(t.Context(), staff, u.ID(), fixture.Body(setFlags(field.Bool(false), field.Bool(false))))
		if err != nil || got.EmailState() != u.EmailState() || got.Active() {
			t.Errorf("%+v, %v", got.Snapshot(), err)
		}
	}
	links := s.Received(t, "activation a@example.com", "invitation b@example.com")
	want(t, "activate", s.Links.Activate(t.Context(), fixture.LinkOf(links[0])), nil)
	want(t, "accept", s.Links.ResetPassword(t.Context(), fixture.LinkOf(links[1]), inbound.NewPassword{Password: field.Given(fixture.Password)}), nil)
	s.SignsIn(t, "a@example.com", fixture.Password)
	s.SignsIn(t, "b@example.com", fixture.Password)
}

func TestOptionalActivationProvesTheAddress(t *testing.T) {
	s := mailing(t, application.VerificationOptional)
	u := registers(t, s, "a@example.com")
	s.SignsIn(t, "a@example.com", fixture.Password)
	l := fixture.LinkOf(s.Received(t, "activation a@example.com")[0]) // made after the sign-in
	want(t, "activate", s.Links.Activate(t.Context(), l), nil)
	want(t, "again", s.Links.Activate(t.Context(), l), link.ErrStale)
	if got, err := s.Users.Get(t.Context(), u.ID()); err != nil || got.EmailState() != user.EmailVerified || !got.Active() {
		t.Errorf("%+v, %v", got.Snapshot(), err)
	}
}

func TestPasswordReset(t *testing.T) {
	s := mailing(t, application.VerificationOff)
	s.Add(t, "a@example.com")
	before := s.SignsIn(t, "a@example.com", fixture.Password)
	for range 10 {
		_ = try(t.Context(), s, "a@example.com", "wrong")
	}
	want(t, "locked", try(t.Context(), s, "a@example.com", fixture.Password), lockout.ErrLocked)
	request := func() inbound.Link {
		t.Helper()
		want(t, "request", s.Links.RequestPasswordReset(t.Context(), field.Given("A@example.com")), nil)
		return fixture.LinkOf(s.Received(t, "password_reset a@example.com")[0]) // as the user spells the address
	}
	first := request()
	s.Clock.Advance(2 * time.Minute)
	second := request()
	s.Clock.Advance(2 * time.Minute)
	for _, bad := range []string{"short", "", "password1"} {
		if err := s.Links.ResetPassword(t.Context(), first, newPassword(bad)); !errors.Is(err, fault.ErrInvalid) {
			t.Errorf("password %q: %v", bad, err)
		}
	}
	want(t, "reset", s.Links.ResetPassword(t.Context(), first, newPassword(fixture.Password+"2")), nil)
	for what, l := range map[string]inbound.Link{"again": first, "the other link": second} {
		want(t, what, s.Links.ResetPassword(t.Context(), l, newPassword(fixture.Password+"3")), link.ErrBadToken)
	}
	s.Received(t, "password_changed a@example.com")
	if _, err := s.Refresh(t.Context(), field.Given(before.Refresh)); err == nil {
		t.Error("a session outlives the reset")
	}
	s.SignsIn(t, "a@example.com", fixture.Password+"2")
}

// Of many requests with one link at the same time, one sets the password.
func TestLinksAreUsedOnce(t *testing.T) {
	s := mailing(t, application.VerificationOff)
	s.Add(t, "a@example.com")
	want(t, "request", s.Links.RequestPasswordReset(t.Context(), field.Given("a@example.com")), nil)
	l := fixture.LinkOf(s.Received(t, "password_reset a@example.com")[0])
	errs := make([]error, 20)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			errs[i] = s.Links.ResetPassword(t.Context(), l, newPassword(fixture.Password+string(rune('a'+i))))
		})
	}
	wg.Wait()
	set := 0
	for i, err := range errs {
		if err == nil {
			set++
			s.SignsIn(t, "a@example.com", fixture.Password+string(rune('a'+i)))
		} else if !errors.Is(err, link.ErrBadToken) {
			t.Error(err)
		}
	}
	if set != 1 {
		t.Errorf("%d requests set the password", set)
	}
	s.Received(t, "password_changed a@example.com")
}

// A request about an address without a user, or with a user that gets no link, is answered and queued as any other, and mails
// nothing.
func TestRequestsDoNotShowAccounts(t *testing.T) {
	s := mailing(t, application.VerificationRequired)
	inactive := s.Add(t, "inactive@example.com")
	s.Set(t, inactive.ID(), func(u *user.User) { u.SetActive(false) })
	s.Add(t, "active@example.com")
	registers(t, s, "waiting@example.com")
	s.Received(t, "activation waiting@example.com")
	s.Clock.Advance(2 * time.Minute)
	for _, address := range []string{"unknown@example.com", "inactive@example.com", "active@example.com", "waiting@example.com"} {
		want(t, address, s.Links.RequestPasswordReset(t.Context(), field.Given(address)), nil)
	}
	if due, err := s.Mails.Due(t.Context(), s.Clock.Now(), 9); err != nil || len(due) != 4 {
		t.Errorf("%d queued, %v", len(due), err)
	}
	s.Received(t, "password_reset active@example.com")
	s.Clock.Advance(2 * time.Minute)
	for _, address := range []string{"unknown@example.com", "inactive@example.com", "active@example.com", "waiting@example.com"} {
		want(t, address, s.Links.RequestActivation(t.Context(), field.Given(address)), nil)
	}
	s.Received(t, "activation waiting@example.com")
	if err := s.Links.RequestPasswordReset(t.Context(), field.Given("no address")); !errors.Is(err, fault.ErrInvalid) {
		t.Error(err)
	}
}

// A link that was requested before the password or the address changed is not sent.
func TestLinksOfAnEarlierStateAreNotSent(t *testing.T) {
	s := mailing(t, application.VerificationOff, func(m *application.Mailing) { m.NotifyPassword, m.NotifyEmail = false, false })
	staff := inbound.Actor{User: s.AddStaff(t, "s@example.com")}
	for what, change := range map[string]func(*user.User){
		"password": func(u *user.User) { u.ChangePassword(fixture.Old("x"), s.Clock.Now()) },
		"address":  func(u *user.User) { u.ChangeEmail(user.RestoreEmail("n@example.com", "n@example.com"), s.Clock.Now()) },
		"inactive": func(u *user.User) { u.SetActive(false) },
	} {
		u := s.Add(t, what+"@example.com")
		want(t, what, s.Links.StartPasswordReset(t.Context(), staff, u.ID()), nil)
		s.Set(t, u.ID(), change)
	}
	s.Received(t)
	u := s.Add(t, "deleted@example.com")
	want(t, "deleted", s.Links.StartPasswordReset(t.Context(), staff, u.ID()), nil)
	want(t, "delete", s.Accounts.Delete(t.Context(), staff, u.ID(), fixture.Body(inbound.Deletion{})), nil)
	s.Received(t)
}

func TestOnlyStaffStartsResetsOfOthers(t *testing.T) {
	s := mailing(t, application.VerificationOff)
	u := s.Add(t, "a@example.com")
	want(t, "anonymous", s.Links.StartPasswordReset(t.Context(), inbound.Actor{}, u.ID()), inbound.ErrNoCredentials)
	want(t, "oneself", s.Links.StartPasswordReset(t.Context(), signedIn(t, s, "a@example.com"), u.ID()), inbound.ErrForbidden)
	staff := inbound.Actor{User: s.AddStaff(t, "s@example.com")}
	want(t, "unknown", s.Links.StartPasswordReset(t.Context(), staff, "00000000-0000-7000-8000-ffffffffffff"), user.ErrNotFound)
	want(t, "staff", s.Links.StartPasswordReset(t.Context(), staff, u.ID()), nil)
	s.SignsIn(t, "a@example.com", fixture.Password) // the present password stays
	s.Received(t, "password_reset a@example.com")
}

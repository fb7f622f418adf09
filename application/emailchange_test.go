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
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/test/support/fixture"
)

func newEmail(address string) inbound.NewEmail {
	return inbound.NewEmail{Email: field.Given(address), CurrentPassword: field.Given(fixture.Password)}
}

// address returns the present address of a user.
func address(t *testing.T, s *fixture.Service, id user.ID) string {
	t.Helper()
	u, err := s.Users.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return u.Snapshot().Email
}

func TestEmailChange(t *testing.T) {
	s := mailing(t, application.VerificationOff)
	u := s.Add(t, "a@example.com")
	a := signedIn(t, s, "a@example.com")
	wrong := newEmail("n@example.com")
	wrong.CurrentPassword = field.Given("wrong")
	if err := s.Links.RequestEmailChange(t.Context(), a, wrong); !errors.Is(err, fault.ErrInvalid) {
		t.Errorf("wrong password: %v", err)
	}
	want(t, "request", s.Links.RequestEmailChange(t.Context(), a, newEmail("n@example.com")), nil)
	if got := address(t, s, u.ID()); got != "a@example.com" {
		t.Errorf("the address is %s before the proof", got)
	}
	sent := s.Received(t, "email_change n@example.com", "email_change_notice a@example.com")
	want(t, "reset", s.Links.RequestPasswordReset(t.Context(), field.Given("a@example.com")), nil)
	reset := fixture.LinkOf(s.Received(t, "password_reset a@example.com")[0])
	confirm, undo := fixture.LinkOf(sent[0]), fixture.LinkOf(sent[1])
	want(t, "the notice's link confirms", s.Links.ConfirmEmailChange(t.Context(), undo), link.ErrBadToken)
	want(t, "the other link undoes", s.Links.UndoEmailChange(t.Context(), confirm), link.ErrBadToken)
	want(t, "confirm", s.Links.ConfirmEmailChange(t.Context(), confirm), nil)
	want(t, "confirm again", s.Links.ConfirmEmailChange(t.Context(), confirm), link.ErrBadToken)
	want(t, "a link to the old address", s.Links.ResetPassword(t.Context(), reset, newPassword(fixture.Password)), link.ErrBadToken)
	s.Received(t) // the old address has its notice
	s.SignsIn(t, "n@example.com", fixture.Password)
	s.Clock.Advance(time.Hour)
	want(t, "undo", s.Links.UndoEmailChange(t.Context(), undo), nil)
	want(t, "undo again", s.Links.UndoEmailChange(t.Context(), undo), link.ErrBadToken)
	s.Refused(t, "a@example.com", fixture.Password)
	s.Refused(t, "n@example.com", fixture.Password)
	last := fixture.LinkOf(s.Received(t, "password_reset a@example.com")[0])
	want(t, "reset", s.Links.ResetPassword(t.Context(), last, newPassword(fixture.Password)), nil)
	s.SignsIn(t, "a@example.com", fixture.Password)
}

// The address of the owner is restored, whatever a thief does next.
func TestUndoSurvivesFurtherChanges(t *testing.T) {
	s := mailing(t, application.VerificationOff)
	u := s.Add(t, "owner@example.com")
	want(t, "first", s.Links.RequestEmailChange(t.Context(), signedIn(t, s, "owner@example.com"), newEmail("t1@example.com")), nil)
	sent := s.Received(t, "email_change t1@example.com", "email_change_notice owner@example.com")
	want(t, "confirm", s.Links.ConfirmEmailChange(t.Context(), fixture.LinkOf(sent[0])), nil)
	thief := signedIn(t, s, "t1@example.com")
	s.Clock.Advance(time.Minute)
	want(t, "second", s.Links.RequestEmailChange(t.Context(), thief, newEmail("t2@example.com")), nil)
	further := s.Received(t, "email_change t2@example.com", "email_change_notice t1@example.com", "email_change_notice owner@example.com")
	if further[1].Link != "" || further[2].Link == "" {
		t.Errorf("links %q and %q", further[1].Link, further[2].Link)
	}
	want(t, "confirm", s.Links.ConfirmEmailChange(t.Context(), fixture.LinkOf(further[0])), nil)
	want(t, "password", s.ChangePassword(t.Context(), signedIn(t, s, "t2@example.com"),
		fixture.PasswordChange(field.Given(fixture.Password), field.Given(fixture.Password+"2"))), nil)
	s.Sent(t)
	want(t, "pending", s.Links.RequestEmailChange(t.Context(), actorOf(t, s, s.SignsIn(t, "t2@example.com", fixture.Password+"2").Access),
		inbound.NewEmail{Email: field.Given("t3@example.com"), CurrentPassword: field.Given(fixture.Password + "2")}), nil)
	pending := fixture.LinkOf(s.Sent(t)[0])
	want(t, "undo", s.Links.UndoEmailChange(t.Context(), fixture.LinkOf(sent[1])), nil)
	if got := address(t, s, u.ID()); got != "owner@example.com" {
		t.Errorf("the address is %s", got)
	}
	want(t, "a change that waited", s.Links.ConfirmEmailChange(t.Context(), pending), link.ErrBadToken)
	s.Refused(t, "owner@example.com", fixture.Password+"2")
}

func TestAddressTakenBeforeTheProof(t *testing.T) {
	s := mailing(t, application.VerificationOff)
	u := s.Add(t, "a@example.com")
	a := signedIn(t, s, "a@example.com")
	want(t, "request", s.Links.RequestEmailChange(t.Context(), a, newEmail("n@example.com")), nil)
	l := fixture.LinkOf(s.Received(t, "email_change n@example.com", "email_change_notice a@example.com")[0])
	other := s.Add(t, "n@example.com")
	want(t, "confirm", s.Links.ConfirmEmailChange(t.Context(), l), user.ErrEmailTaken)
	if err := s.Links.RequestEmailChange(t.Context(), a, newEmail("N@example.com")); !errors.Is(err, fault.ErrInvalid) {
		t.Errorf("request for a taken address: %v", err)
	}
	s.Set(t, other.ID(), func(u *user.User) {
		u.ChangeEmail(user.RestoreEmail("o@example.com", "o@example.com"), s.Clock.Now())
	})
	want(t, "confirm once it is free", s.Links.ConfirmEmailChange(t.Context(), l), nil)
	if got := address(t, s, u.ID()); got != "n@example.com" {
		t.Error(got)
	}
}

// Two users prove the same address at the same time: one gets it.
func TestRaceForAnAddress(t *testing.T) {
	s := mailing(t, application.VerificationOff, func(m *application.Mailing) { m.Limits.PerMinute = 0 })
	var links []inbound.Link
	for _, name := range []string{"a@example.com", "b@example.com"} {
		s.Add(t, name)
		want(t, name, s.Links.RequestEmailChange(t.Context(), signedIn(t, s, name), newEmail("n@example.com")), nil)
		links = append(links, fixture.LinkOf(s.Received(t, "email_change n@example.com", "email_change_notice "+name)[0]))
	}
	errs := make([]error, 2)
	var wg sync.WaitGroup
	for i, l := range links {
		wg.Go(func() { errs[i] = s.Links.ConfirmEmailChange(t.Context(), l) })
	}
	wg.Wait()
	if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), user.ErrEmailTaken) {
		t.Errorf("%v", errs)
	}
}

// Another spelling of one's own address is set at once, and mails nothing.
func TestSpellingOfOnesOwnAddress(t *testing.T) {
	s := mailing(t, application.VerificationRequired)
	u := s.Add(t, "a@example.com")
	want(t, "set_email", s.Links.RequestEmailChange(t.Context(), signedIn(t, s, "a@example.com"), newEmail("A@EXAMPLE.com")), nil)
	if got := address(t, s, u.ID()); got != "A@example.com" {
		t.Error(got)
	}
	got, err := s.Change(t.Context(), signedIn(t, s, "a@example.com"), u.ID(),
		fixture.Body(inbound.Changes{UserInput: inbound.UserInput{Email: field.Given("a@example.com")}}))
	if err != nil || got.Snapshot().Email != "a@example.com" {
		t.Errorf("%v, %v", got, err)
	}
	s.Received(t)
}

// Where addresses must be proven, a change of one's own user leaves the address as it is until then. Staff set that of others
// at once.
func TestChangeOfOnesOwnAddressIsProven(t *testing.T) {
	s := mailing(t, application.VerificationRequired)
	staff := inbound.Actor{User: s.AddStaff(t, "s@example.com")}
	u := s.Add(t, "a@example.com")
	a := signedIn(t, s, "a@example.com")
	change := func(actor inbound.Actor, in inbound.UserInput) *user.User {
		t.Helper()
		got, err := s.Change(t.Context(), actor, u.ID(), fixture.Body(inbound.Changes{UserInput: in}))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	got := change(a, inbound.UserInput{Email: field.Given("n@example.com"), FirstName: field.Given("Eve")}).Snapshot()
	if got.Email != "a@example.com" || got.FirstName != "Eve" {
		t.Errorf("%+v", got)
	}
	// A client that sends all fields back cancels nothing.
	change(a, inbound.UserInput{Email: field.Given("a@example.com"), FirstName: field.Given("Eva")})
	l := fixture.LinkOf(s.Received(t, "email_change n@example.com", "email_change_notice a@example.com")[0])
	want(t, "confirm", s.Links.ConfirmEmailChange(t.Context(), l), nil)
	if got := address(t, s, u.ID()); got != "n@example.com" {
		t.Error(got)
	}
	s.Clock.Advance(time.Minute)
	if got := change(staff, inbound.UserInput{Email: field.Given("by-staff@example.com")}).Snapshot(); got.Email != "by-staff@example.com" {
		t.Errorf("%+v", got)
	}
	s.Received(t, "email_change_notice n@example.com", "email_change_notice a@example.com")
	off := mailing(t, application.VerificationOff)
	u = off.Add(t, "a@example.com")
	s = off
	if got := change(signedIn(t, off, "a@example.com"), inbound.UserInput{Email: field.Given("n@example.com")}).Snapshot(); got.Email != "n@example.com" {
		t.Errorf("without verification: %+v", got)
	}
}

// Staff correct the address of a user that waits for the activation: the new one gets the link, the former one nothing.
func TestAddressCorrectedBeforeTheActivation(t *testing.T) {
	s := mailing(t, application.VerificationRequired)
	staff := inbound.Actor{User: s.AddStaff(t, "s@example.com")}
	u := registers(t, s, "typo@example.com")
	first := fixture.LinkOf(s.Received(t, "activation typo@example.com")[0])
	_, err := s.Change(t.Context(), staff, u.ID(),
		fixture.Body(inbound.Changes{UserInput: inbound.UserInput{Email: field.Given("right@example.com")}}))
	want(t, "correct", err, nil)
	second := fixture.LinkOf(s.Received(t, "activation right@example.com")[0])
	want(t, "the former link", s.Links.Activate(t.Context(), first), link.ErrBadToken)
	want(t, "the new link", s.Links.Activate(t.Context(), second), nil)
}

// An account that waits for its activation at the former address does not keep its owner from restoring it. One that is in
// use does.
func TestUndoWhereTheAddressIsRegisteredAgain(t *testing.T) {
	for proven, wanted := range map[bool]error{false: nil, true: user.ErrEmailTaken} {
		s := mailing(t, application.VerificationRequired)
		u := s.Add(t, "owner@example.com")
		thief := signedIn(t, s, "owner@example.com")
		want(t, "change", s.Links.RequestEmailChange(t.Context(), thief, newEmail("thief@example.com")), nil)
		sent := s.Received(t, "email_change thief@example.com", "email_change_notice owner@example.com")
		want(t, "confirm", s.Links.ConfirmEmailChange(t.Context(), fixture.LinkOf(sent[0])), nil)
		registers(t, s, "owner@example.com")
		activation := fixture.LinkOf(s.Received(t, "activation owner@example.com")[0])
		if proven {
			want(t, "activate", s.Links.Activate(t.Context(), activation), nil)
		}
		want(t, "undo", s.Links.UndoEmailChange(t.Context(), fixture.LinkOf(sent[1])), wanted)
		if got := address(t, s, u.ID()); (got == "owner@example.com") == proven {
			t.Errorf("proven %t: %s", proven, got)
		}
	}
}

// A change that was made at once can be undone if the former address was proven. Otherwise it may be the typing error of the
// user, and the address of another person.
func TestUndoOfAChangeMadeAtOnce(t *testing.T) {
	for _, proven := range []bool{false, true} {
		s := mailing(t, application.VerificationOff)
		u := s.Add(t, "former@example.com")
		if proven {
			s.Set(t, u.ID(), func(u *user.User) { u.VerifyEmail() })
		}
		_, err := s.Change(t.Context(), signedIn(t, s, "former@example.com"), u.ID(),
			fixture.Body(inbound.Changes{UserInput: inbound.UserInput{Email: field.Given("right@example.com")}}))
		want(t, "change", err, nil)
		notice := s.Received(t, "email_change_notice former@example.com")[0]
		if (notice.Link != "") != proven || notice.Address != "right@example.com" {
			t.Errorf("proven %t: %+v", proven, notice)
		}
	}
}

// A change can be undone for seven days, also where the notice was sent late.
func TestUndoEndsAfterSevenDays(t *testing.T) {
	s := mailing(t, application.VerificationOff)
	s.Add(t, "owner@example.com")
	want(t, "change", s.Links.RequestEmailChange(t.Context(), signedIn(t, s, "owner@example.com"), newEmail("new@example.com")), nil)
	s.Clock.Advance(7*24*time.Hour - time.Minute)
	l := fixture.LinkOf(s.Received(t, "email_change new@example.com", "email_change_notice owner@example.com")[1])
	want(t, "check", s.Links.CheckLink(t.Context(), link.EmailUndo, l), nil)
	s.Clock.Advance(2 * time.Minute)
	want(t, "undo", s.Links.UndoEmailChange(t.Context(), l), link.ErrBadToken)
}

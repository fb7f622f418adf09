package application_test

import (
	"errors"
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

func invite(t *testing.T, s *fixture.Service, staff inbound.Actor, email string) *user.User {
	t.Helper()
	u, err := s.Links.Invite(t.Context(), staff, fixture.Body(inbound.UserInput{Email: field.Given(email)}))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestInvitation(t *testing.T) {
	s := mailing(t, application.VerificationOff)
	staff := inbound.Actor{User: s.AddStaff(t, "s@example.com")}
	in := fixture.Input("i@example.com")
	in.Staff = field.Bool(true)
	u, err := s.Links.Invite(t.Context(), staff, fixture.Body(in)) // the password and the flag are ignored
	if err != nil || u.Active() || u.Staff() || u.Password().Usable() {
		t.Fatalf("%+v, %v", u, err)
	}
	s.Refused(t, "i@example.com", fixture.Password)
	l := fixture.LinkOf(s.Received(t, "invitation i@example.com")[0])
	want(t, "no activation", s.Links.Activate(t.Context(), l), link.ErrBadToken)
	want(t, "no reset for it", s.Links.RequestPasswordReset(t.Context(), field.Given("i@example.com")), nil)
	s.Received(t)
	want(t, "resend", s.Links.ResendInvitation(t.Context(), staff, u.ID()), nil)
	again := fixture.LinkOf(s.Received(t, "invitation i@example.com")[0])
	want(t, "check", s.Links.CheckLink(t.Context(), link.PasswordReset, again), nil)
	want(t, "accept", s.Links.ResetPassword(t.Context(), l, newPassword(fixture.Password)), nil)
	want(t, "accept again", s.Links.ResetPassword(t.Context(), again, newPassword(fixture.Password)), link.ErrBadToken)
	s.Received(t) // the first password is no change
	s.SignsIn(t, "i@example.com", fixture.Password)
	if u, err := s.Users.Get(t.Context(), u.ID()); err != nil || u.EmailState() != user.EmailVerified {
		t.Errorf("%+v, %v", u, err)
	}
	want(t, "resend after it", s.Links.ResendInvitation(t.Context(), staff, u.ID()), user.ErrNotFound)
	want(t, "revoke after it", s.Links.RevokeInvitation(t.Context(), staff, u.ID()), user.ErrNotFound)
	if _, err := s.Links.Invite(t.Context(), staff, fixture.Body(inbound.UserInput{Email: field.Given("I@example.com")})); !errors.Is(err, fault.ErrInvalid) {
		t.Errorf("a user that exists: %v", err)
	}
	if _, err := s.Links.Invite(t.Context(), staff, fixture.Body(inbound.UserInput{})); !errors.Is(err, fault.ErrInvalid) {
		t.Errorf("no address: %v", err)
	}
}

func TestInvitationsAreListedAndRevoked(t *testing.T) {
	s := mailing(t, application.VerificationOff)
	staff := inbound.Actor{User: s.AddStaff(t, "s@example.com")}
	a, b := invite(t, s, staff, "a@example.com"), invite(t, s, staff, "b@example.com")
	l := fixture.LinkOf(s.Received(t, "invitation a@example.com", "invitation b@example.com")[0])
	first, err := s.Links.Invitations(t.Context(), staff, "", 1)
	if err != nil || len(first) != 1 || first[0].ID() != a.ID() {
		t.Fatalf("%v, %v", first, err)
	}
	rest, err := s.Links.Invitations(t.Context(), staff, a.ID(), 9)
	if err != nil || len(rest) != 1 || rest[0].ID() != b.ID() {
		t.Errorf("%v, %v", rest, err)
	}
	want(t, "revoke", s.Links.RevokeInvitation(t.Context(), staff, a.ID()), nil)
	want(t, "accept a revoked one", s.Links.ResetPassword(t.Context(), l, newPassword(fixture.Password)), link.ErrBadUser)
	invite(t, s, staff, "a@example.com") // the address is free again
	s.Clock.Advance(25 * time.Hour)
	b2 := fixture.LinkOf(s.Sent(t)[0])
	s.Clock.Advance(25 * time.Hour)
	want(t, "accept an old one", s.Links.ResetPassword(t.Context(), b2, newPassword(fixture.Password)), link.ErrBadToken)
}

func TestOnlyStaffInvites(t *testing.T) {
	s := mailing(t, application.VerificationOff)
	staff := inbound.Actor{User: s.AddStaff(t, "s@example.com")}
	invited := invite(t, s, staff, "i@example.com")
	s.Received(t, "invitation i@example.com")
	for what, c := range map[string]struct {
		actor inbound.Actor
		want  error
	}{"anonymous": {inbound.Actor{}, inbound.ErrNoCredentials}, "user": {inbound.Actor{User: s.Add(t, "o@example.com")}, inbound.ErrForbidden}} {
		_, err := s.Links.Invite(t.Context(), c.actor, func() (inbound.UserInput, error) {
			t.Errorf("%s: the body was read", what)
			return inbound.UserInput{}, nil
		})
		want(t, what, err, c.want)
		_, err = s.Links.Invitations(t.Context(), c.actor, "", 9)
		want(t, what, err, c.want)
		want(t, what, s.Links.ResendInvitation(t.Context(), c.actor, invited.ID()), c.want)
		want(t, what, s.Links.RevokeInvitation(t.Context(), c.actor, invited.ID()), c.want)
	}
	s.Received(t)
	// Staff that lost its rights while the body was read cannot invite.
	lost := signedIn(t, s, "s@example.com")
	_, err := s.Links.Invite(t.Context(), lost, func() (inbound.UserInput, error) {
		s.Set(t, lost.ID(), func(u *user.User) { u.SetStaff(false) })
		return inbound.UserInput{Email: field.Given("x@example.com")}, nil
	})
	want(t, "lost rights", err, inbound.ErrForbidden)
}

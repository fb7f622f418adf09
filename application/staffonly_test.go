package application_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"roster/application"
	"roster/domain/audit"
	"roster/domain/mail"
	"roster/domain/signing"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/ports/outbound"
	"roster/test/support/fixture"
)

// texts are previews that name what was asked for.
type texts struct{}

func (texts) Languages() []string { return []string{"en", "de"} }

func (texts) Preview(k mail.Kind, language string) (mail.Text, error) {
	return mail.Text{Subject: string(k) + " " + language}, nil
}

// The use cases of staff refuse other users, and requests without a user.
func TestStaffOnly(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	ann := s.Add(t, "ann@example.com")
	overview := application.NewOverview(s.Ports, inbound.About{})
	keys := application.NewSigningKeys(s.Ports, fixture.Standard(), fixture.Keyring(t))
	mails := application.NewStaffMails(s.Ports, fixture.Standard(), texts{})
	for name, call := range map[string]func(a inbound.Actor) error{
		"summary":        func(a inbound.Actor) error { return second(overview.Summary(t.Context(), a)) },
		"about":          func(a inbound.Actor) error { return second(overview.About(t.Context(), a)) },
		"keys":           func(a inbound.Actor) error { return second(keys.List(t.Context(), a)) },
		"add a key":      func(a inbound.Actor) error { return second(keys.Add(t.Context(), a, "")) },
		"rotate":         func(a inbound.Actor) error { return second(keys.Rotate(t.Context(), a, "")) },
		"retire":         func(a inbound.Actor) error { return second(keys.Retire(t.Context(), a, "x", true)) },
		"mails":          func(a inbound.Actor) error { return second(mails.List(t.Context(), a, mail.Query{})) },
		"retry":          func(a inbound.Actor) error { return second(mails.Retry(t.Context(), a, "x")) },
		"languages":      func(a inbound.Actor) error { return second(mails.Languages(t.Context(), a)) },
		"preview":        func(a inbound.Actor) error { return second(mails.Preview(t.Context(), a, mail.Test, "en")) },
		"sign-in status": func(a inbound.Actor) error { return second(s.Accounts.SignInStatus(t.Context(), a, ann.ID())) },
		"unlock":         func(a inbound.Actor) error { return second(s.Accounts.Unlock(t.Context(), a, ann.ID())) },
	} {
		if err := call(inbound.Actor{}); !errors.Is(err, inbound.ErrNoCredentials) {
			t.Errorf("%s, without a user: %v", name, err)
		}
		if err := call(inbound.Actor{User: ann}); !errors.Is(err, inbound.ErrForbidden) {
			t.Errorf("%s, by another user: %v", name, err)
		}
	}
}

// An administrator that was deactivated during the request changes nothing.
func TestStaffOnlyAsTheyAreNow(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	root, ann := s.AddStaff(t, "root@example.com"), s.Add(t, "ann@example.com")
	s.AddStaff(t, "other@example.com")
	actor := inbound.Actor{User: root}
	s.Set(t, root.ID(), func(u *user.User) { u.SetStaff(false) })
	r := fixture.Keyring(t)
	keys := application.NewSigningKeys(s.Ports, fixture.Standard(), r)
	for name, err := range map[string]error{
		"add a key": second(keys.Add(t.Context(), actor, "")),
		"unlock":    second(s.Accounts.Unlock(t.Context(), actor, ann.ID())),
		"retry":     second(application.NewStaffMails(s.Ports, fixture.Standard(), texts{}).Retry(t.Context(), actor, "x")),
	} {
		if err == nil || errors.Is(err, mail.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if list, err := r.List(t.Context()); len(list) != 0 || err != nil {
		t.Errorf("keys %v, %v", list, err)
	}
}

// Staff list and change the signing keys. Each change that is made is in the trail, with the key and the administrator.
func TestStaffChangeSigningKeys(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	staff := inbound.Actor{User: s.AddStaff(t, "root@example.com")}
	keys := application.NewSigningKeys(s.Ports, fixture.Standard(), fixture.Keyring(t))
	a, err := keys.Add(t.Context(), staff, "")
	if err != nil || a.State != signing.Signing || a.Algorithm != signing.EdDSA {
		t.Fatalf("%+v, %v", a, err)
	}
	b, err := keys.Add(t.Context(), staff, signing.ES256)
	if err != nil || b.State != signing.Added {
		t.Fatalf("%+v, %v", b, err)
	}
	if _, err := keys.Add(t.Context(), staff, "HS256"); !errors.Is(err, signing.ErrAlgorithm) {
		t.Errorf("a secret: %v", err)
	}
	if k, err := keys.Rotate(t.Context(), staff, b.ID); err != nil || k.ID != b.ID || k.State != signing.Signing {
		t.Errorf("rotated to %+v, %v", k, err)
	}
	if _, err := keys.Retire(t.Context(), staff, b.ID, true); !errors.Is(err, signing.ErrSigns) {
		t.Errorf("the key that signs: %v", err)
	}
	if k, err := keys.Retire(t.Context(), staff, a.ID, false); !errors.Is(err, signing.ErrInUse) || k.Until.IsZero() {
		t.Errorf("a key in use: %+v, %v", k, err)
	}
	if _, err := keys.Retire(t.Context(), staff, a.ID, true); err != nil {
		t.Error(err)
	}
	list, err := keys.List(t.Context(), staff)
	if err != nil || len(list) != 1 || list[0].ID != b.ID {
		t.Errorf("left %+v, %v", list, err)
	}
	var got []string
	events, err := s.Trail.Events(t.Context(), staff, fixture.Body(audit.Query{Limit: 9, Back: true, Filter: audit.Filter{Actor: staff.ID()}}))
	for _, e := range events {
		got = append(got, string(e.Kind)+" "+e.Detail)
	}
	want := []string{
		"signing_key_added EdDSA " + a.ID, "signing_key_added ES256 " + b.ID, "signing_key_rotated ES256 " + b.ID, "signing_key_retired EdDSA " + a.ID,
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("recorded\n%q, %v, want\n%q", got, err, want)
	}
}

// A change of the keys from a browser needs a sign-in of the last five minutes.
func TestSigningKeysNeedARecentSignIn(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	staff := inbound.Actor{User: s.AddStaff(t, "root@example.com"), SignedIn: s.Clock.Now()}
	keys := application.NewSigningKeys(s.Ports, fixture.Standard(), fixture.Keyring(t))
	s.Clock.Advance(5 * time.Minute)
	if _, err := keys.Add(t.Context(), staff, ""); err != nil {
		t.Error(err)
	}
	s.Clock.Advance(time.Millisecond)
	for name, err := range map[string]error{
		"add":    second(keys.Add(t.Context(), staff, "")),
		"rotate": second(keys.Rotate(t.Context(), staff, "")),
		"retire": second(keys.Retire(t.Context(), staff, "x", true)),
	} {
		if !errors.Is(err, inbound.ErrSignInAgain) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if list, err := keys.List(t.Context(), staff); err != nil || len(list) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
}

// Where the settings contain the keys they are listed, without secrets, and each change says why it is refused.
func TestConfiguredKeysAreListedOnly(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	staff := inbound.Actor{User: s.AddStaff(t, "root@example.com")}
	keys := application.NewSigningKeys(s.Ports, fixture.Standard(), fixture.ConfiguredKeys(t))
	list, err := keys.List(t.Context(), staff)
	want := []signing.Key{{Algorithm: "HS256", State: signing.Signing}, {Algorithm: "HS256", State: signing.Verifying}}
	if err != nil || !slices.Equal(list, want) {
		t.Errorf("%+v, %v", list, err)
	}
	for name, err := range map[string]error{
		"add":    second(keys.Add(t.Context(), staff, "")),
		"rotate": second(keys.Rotate(t.Context(), staff, "")),
		"retire": second(keys.Retire(t.Context(), staff, "", true)),
	} {
		if !errors.Is(err, signing.ErrConfigured) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(eventsOf(t, s, audit.KeyAdded, audit.KeyRotated, audit.KeyRetired)); n != 0 {
		t.Errorf("%d events of changes that were refused", n)
	}
}

// eventsOf returns the events of some kinds, newest first.
func eventsOf(t *testing.T, s *fixture.Service, kinds ...audit.Kind) []audit.Event {
	t.Helper()
	events, err := s.AuditTrail.List(t.Context(), audit.Query{Filter: audit.Filter{Kinds: kinds}, Limit: 99})
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// Staff list the queue, send a mail again, which is recorded when it has a link, and see the texts.
func TestStaffMails(t *testing.T) {
	set := fixture.Standard()
	set.Mail = fixture.Mailing(application.VerificationRequired)
	s := fixture.New(t, set)
	staff := inbound.Actor{User: s.AddStaff(t, "root@example.com")}
	mails := application.NewStaffMails(s.Ports, set, texts{})
	u, err := s.Register(t.Context(), inbound.Actor{}, fixture.Body(fixture.Input("ann@example.com")))
	if err != nil {
		t.Fatal(err)
	}
	s.Received(t, "activation ann@example.com")
	list, err := mails.List(t.Context(), staff, mail.Query{})
	if err != nil || len(list) != 1 || list[0].Snapshot().State != mail.Sent {
		t.Fatalf("%+v, %v", list, err)
	}
	m, err := mails.Retry(t.Context(), staff, list[0].ID())
	if err != nil || m.Snapshot().State != mail.Waiting {
		t.Errorf("%+v, %v", m, err)
	}
	if e := eventsOf(t, s, audit.LinkRequested); len(e) != 1 || e[0].Actor != staff.ID() || e[0].User != u.ID() || e[0].Detail != "activation" {
		t.Errorf("recorded %+v", e)
	}
	if _, err := mails.Retry(t.Context(), staff, "none"); !errors.Is(err, mail.ErrNotFound) {
		t.Errorf("an unknown mail: %v", err)
	}
	if text, err := mails.Preview(t.Context(), staff, mail.PasswordReset, "de"); err != nil || text.Subject != "password_reset de" {
		t.Errorf("preview %+v, %v", text, err)
	}
	if _, err := mails.Preview(t.Context(), staff, "x", "de"); !errors.Is(err, mail.ErrNotFound) {
		t.Errorf("a preview of no kind: %v", err)
	}
	off := application.NewStaffMails(s.Ports, fixture.Standard(), texts{})
	if _, err := off.Retry(t.Context(), staff, list[0].ID()); err == nil {
		t.Error("a mail was made due with mail off")
	}
}

// A user sees what staff and the operator did to the account, without the person and the client; not what it did
// itself, nor what others tried.
func TestDoneToMe(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	ann, bob := s.Add(t, "ann@example.com"), s.Add(t, "bob@example.com")
	staff, own := inbound.Actor{User: s.AddStaff(t, "root@example.com")}, inbound.Actor{User: ann}
	ctx := from(t, "192.0.2.7")
	names := func(first string) func() (inbound.Changes, error) {
		return fixture.Body(inbound.Changes{UserInput: inbound.UserInput{FirstName: given(first)}})
	}
	for _, err := range []error{
		second(s.Change(ctx, own, ann.ID(), names("A"))), // by the user itself
		second(s.Change(ctx, staff, ann.ID(), names("B"))),
		second(s.Change(ctx, staff, bob.ID(), names("C"))),
		try(ctx, s, "ann@example.com", "wrong"),
		s.Devices.EndAll(ctx, staff, ann.ID()),
	} {
		if err != nil && !errors.Is(err, inbound.ErrNoAccount) {
			t.Fatal(err)
		}
	}
	operator := inbound.WithOrigin(t.Context(), inbound.Origin{Channel: audit.Operator})
	if _, err := s.Administration.Set(operator, ann.ID(), inbound.AdminChanges{LastName: given("D")}); err != nil {
		t.Fatal(err)
	}
	events, err := s.Trail.DoneToMe(t.Context(), own, 9)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range events {
		if e.Actor != "" || e.Address != "" || e.UserAgent != "" || e.RequestID != "" || e.User != ann.ID() || e.At.IsZero() {
			t.Errorf("%+v", e)
		}
		got = append(got, string(e.Kind)+" "+string(e.Channel)+" "+e.Detail)
	}
	if want := []string{"user_changed operator last_name", "sessions_revoked api ", "user_changed api first_name"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if few, err := s.Trail.DoneToMe(t.Context(), own, 2); err != nil || len(few) != 2 {
		t.Errorf("%d events, %v", len(few), err)
	}
	if _, err := s.Trail.DoneToMe(t.Context(), inbound.Actor{}, 9); !errors.Is(err, inbound.ErrNoCredentials) {
		t.Errorf("without a user: %v", err)
	}
}

// What a user did itself does not hide what staff did before.
func TestDoneToMeAfterManyOwnChanges(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	ann := s.Add(t, "ann@example.com")
	event := func(actor user.ID) {
		e := audit.Event{ID: s.EventIDs.NewEventID(), At: s.Clock.Now(), Kind: audit.Changed, Actor: actor, User: ann.ID(), Channel: audit.API}
		if err := s.AuditTrail.Append(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		s.Clock.Advance(time.Second)
	}
	event("4711")
	for range 250 {
		event(ann.ID())
	}
	if events, err := s.Trail.DoneToMe(t.Context(), inbound.Actor{User: ann}, 9); err != nil || len(events) != 1 {
		t.Errorf("%+v, %v", events, err)
	}
}

// The status of sign-ins for staff is that for the operator.
func TestSignInStatusForStaff(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	ann, staff := s.Add(t, "ann@example.com"), inbound.Actor{User: s.AddStaff(t, "root@example.com")}
	s.SignsIn(t, "ann@example.com", fixture.Password)
	for range 11 {
		_ = try(from(t, "192.0.2.7"), s, "ann@example.com", "wrong")
	}
	got, err := s.Accounts.SignInStatus(t.Context(), staff, ann.ID())
	if err != nil || got.Sessions != 1 || got.Failures != 10 || got.FailedFrom != "192.0.2.7" || !got.LockedUntil.After(s.Clock.Now()) {
		t.Errorf("%+v, %v", got, err)
	}
	if same, err := s.Administration.SignInStatus(t.Context(), ann); err != nil || same != got {
		t.Errorf("for the operator %+v, %v", same, err)
	}
	if _, err := s.Accounts.SignInStatus(t.Context(), staff, "4711"); !errors.Is(err, user.ErrNotFound) {
		t.Errorf("an unknown user: %v", err)
	}
}

var _ outbound.MailTexts = texts{}

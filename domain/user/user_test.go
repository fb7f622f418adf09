package user_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"roster/domain/credential"
	"roster/domain/user"
)

func mustEmail(t *testing.T, text string) user.Email {
	t.Helper()
	e, err := user.ParseEmail(text, toASCII)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func register(t *testing.T) *user.User {
	t.Helper()
	u, err := user.Register(user.New{
		ID: "7", Email: mustEmail(t, "Zoe@Bücher.example"), FirstName: "Zoë", LastName: "O'Neil", Staff: true, Password: credential.RestoreHash("argon2$lantern"),
	}, joined)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestRegisterAndRestore(t *testing.T) {
	u := register(t)
	want := user.Snapshot{
		ID: "7", Email: "Zoe@bücher.example", EmailKey: "zoe@xn--bcher-kva.example", FirstName: "Zoë", LastName: "O'Neil",
		Active: true, Staff: true, Password: credential.RestoreHash("argon2$lantern"), Joined: joined, Version: 1,
	}
	if diff := cmp.Diff(want, u.Snapshot(), cmpopts.EquateComparable(credential.Hash{})); diff != "" {
		t.Error(diff)
	}
	back, err := user.Restore(u.Snapshot())
	if err != nil || back.Snapshot() != u.Snapshot() {
		t.Errorf("%v, %v", back, err)
	}
	for name, change := range map[string]func(*user.Snapshot){
		"id": func(s *user.Snapshot) { s.ID = "" }, "email": func(s *user.Snapshot) { s.Email = "" }, "key": func(s *user.Snapshot) { s.EmailKey = "" },
		"joined": func(s *user.Snapshot) { s.Joined = time.Time{} }, "version": func(s *user.Snapshot) { s.Version = 0 },
	} {
		s := want
		change(&s)
		if _, err := user.Restore(s); !errors.Is(err, user.ErrBadState) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A change that removes the administration of an active staff user, or its deletion, is reported unless it was
// allowed.
func TestResigns(t *testing.T) {
	for _, before := range []user.Snapshot{{}, {Active: true}, {Staff: true}, {Active: true, Staff: true}} {
		for _, active := range []bool{false, true} {
			for _, staff := range []bool{false, true} {
				u := register(t)
				u.SetActive(active)
				u.SetStaff(staff)
				administers := before.Active && before.Staff
				if got, want := u.LosesAdministration(before, false), administers && !(active && staff); got != want {
					t.Errorf("%+v, changed to active %t, staff %t: %t", before, active, staff, got)
				}
				if got := u.LosesAdministration(before, true); got != administers {
					t.Errorf("%+v, deleted: %t", before, got)
				}
				u.AllowLastStaff()
				if u.LosesAdministration(before, false) || u.LosesAdministration(before, true) {
					t.Errorf("%+v: not, once it is allowed", before)
				}
			}
		}
	}
}

func TestChanges(t *testing.T) {
	u := register(t)
	later := joined.Add(time.Hour)
	u.ChangeEmail(mustEmail(t, "Anne@Example.com"), later)
	u.Rename("Anne", "")
	u.SetStaff(false)
	u.SetActive(false)
	u.RecordSignIn(later)
	if s := u.Snapshot(); s.Email != "Anne@example.com" || s.EmailKey != "anne@example.com" || s.FirstName != "Anne" || s.LastName != "" || s.Staff || s.Active || !s.LastLogin.Equal(later) || !s.SessionsValidAfter.IsZero() {
		t.Errorf("%+v", s)
	}
	u.ChangePassword(credential.RestoreHash("argon2$orchard"), later)
	if u.Password().Encoded() != "argon2$orchard" || !u.SessionsValidAfter().Equal(later) {
		t.Errorf("%+v", u.Snapshot())
	}
	epoch := u.SessionEpoch()
	u.EndSessions(joined) // by a clock that was set back
	if u.SessionEpoch() != epoch+1 || !u.SessionsValidAfter().Equal(later) {
		t.Errorf("%d, %v", u.SessionEpoch(), u.SessionsValidAfter())
	}
	u.Rehash(credential.RestoreHash("argon2$lantern"), credential.RestoreHash("fresh")) // of a password that was changed since
	if u.Password().Encoded() != "argon2$orchard" {
		t.Error("a rehash undoes a change")
	}
	u.Rehash(credential.RestoreHash("argon2$orchard"), credential.RestoreHash("fresh"))
	if u.Password().Encoded() != "fresh" || u.SessionEpoch() != epoch+1 {
		t.Error("no rehash, or one that ends sessions")
	}
}

func TestUserNeverPrintsTheHash(t *testing.T) {
	u := register(t)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
		for _, v := range []any{u, *u, []*user.User{u}, struct{ U *user.User }{u}, u.Snapshot()} {
			if out := fmt.Sprintf(verb, v); strings.Contains(out, "lantern") {
				t.Errorf("%s of %T: %s", verb, v, out)
			}
		}
	}
	if out := fmt.Sprintf("%+v", u); out != "[user 7]" {
		t.Errorf("%s", out)
	}
}

func TestApplyImport(t *testing.T) {
	later := joined.Add(time.Hour)
	there := user.Snapshot{
		ID: "8", Email: "Ann@example.com", EmailKey: "ann@example.com", FirstName: "Ann", LastName: "Lee", Active: true,
		Password: credential.RestoreHash("md5$a$b"), Joined: joined.Add(-time.Hour), LastLogin: joined.Add(-time.Minute), SessionsValidAfter: joined, Version: 9,
	}
	for name, c := range map[string]struct{ here, want time.Time }{
		"a sign-in there": {time.Time{}, there.LastLogin}, "a later one here": {later, later}, "an earlier one here": {joined.Add(-2 * time.Minute), there.LastLogin},
	} {
		u := register(t)
		if !c.here.IsZero() {
			u.RecordSignIn(c.here)
		}
		u.EndSessions(later)
		u.ApplyImport(there)
		want := there
		want.ID, want.SessionEpoch, want.SessionsValidAfter, want.Version, want.LastLogin = "7", 1, later, 1, c.want
		if got := u.Snapshot(); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
}

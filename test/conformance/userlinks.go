package conformance

import (
	"testing"
	"time"

	"roster/adapters/storage"
	"roster/domain/user"
)

// links are the checks of what users have for mailed links.
var links = []check{
	{"StatesOfAnAddress", usersEmailStates},
	{"InvitedInOrder", usersInvited},
}

// usersEmailStates changes a user as links do.
func usersEmailStates(t *testing.T, b storage.Backend) {
	s := person(t, "1").Snapshot()
	s.Active, s.EmailState, s.Contact = false, user.AwaitingActivation, user.Contact{}
	mustAdd(t, b, restored(t, s))
	sameUser(t, "Get", mustGet(t, b, "1"), s)
	former, former1 := s.Email, s.EmailKey
	at := epoch.Add(time.Hour)
	for _, step := range []struct {
		name   string
		change func(*user.User) error
		want   func()
	}{
		{"Activate", (*user.User).Activate, func() { s.Active, s.EmailState = true, user.EmailVerified }},
		{"SetLocale", func(u *user.User) error { u.SetLocale("fr"); return nil }, func() { s.Contact.Locale = "fr" }},
		{"RequestEmail", func(u *user.User) error {
			u.RequestEmail(user.RestoreEmail("New@Example.com", "new@example.com"), at)
			return nil
		}, func() {
			s.Contact = user.Contact{
				NewEmail: "New@Example.com", NewEmailKey: "new@example.com", UndoEmail: former, UndoKey: former1, UndoSince: at, Locale: "fr",
			}
		}},
		{"ConfirmEmail", func(u *user.User) error { return u.ConfirmEmail(at) }, func() {
			s.Email, s.EmailKey, s.Contact.NewEmail, s.Contact.NewEmailKey = "New@Example.com", "new@example.com", "", ""
		}},
	} {
		u, err := b.Users().Update(t.Context(), "1", step.change)
		wantErr(t, step.name, err, nil)
		step.want()
		s.Version++
		sameUser(t, step.name, u, s)
		sameUser(t, "Get after "+step.name, mustGet(t, b, "1"), s)
	}
	u, err := b.Users().ByEmail(t.Context(), "new@example.com")
	wantErr(t, "ByEmail", err, nil)
	sameUser(t, "ByEmail", u, s)
	_, err = b.Users().ByEmail(t.Context(), former1)
	wantErr(t, "ByEmail of the former address", err, user.ErrNotFound)
}

// usersInvited invites users by every way in which users are stored.
func usersInvited(t *testing.T, b storage.Backend) {
	invited := func(id user.ID) user.Snapshot {
		s := person(t, id).Snapshot()
		s.Active, s.EmailState = false, user.Invited
		return s
	}
	waits := invited("4")
	waits.EmailState = user.AwaitingActivation
	mustAdd(t, b, restored(t, invited(uuidA)), restored(t, invited("10")), person(t, "3"), restored(t, waits), restored(t, invited("9")))
	put(t, b.Archive().Users(), []user.Snapshot{invited("2"), person(t, "5").Snapshot()})
	list := func(after user.ID, limit int, want string) {
		t.Helper()
		got, err := b.Users().Invited(t.Context(), after, limit)
		if err != nil || idsOf(got) != want {
			t.Errorf("Invited(%q, %d): got %q, %v; want %q", after, limit, idsOf(got), err, want)
		}
	}
	all := "2 9 10 " + string(uuidA)
	list("", 9, all)
	list("", 2, "2 9")
	list("9", 9, "10 "+string(uuidA))
	list("3", 1, "9") // of a user that is not invited
	list(uuidA, 9, "")
	list("", 0, "")
	got, err := b.Users().Invited(t.Context(), "", 1)
	if wantErr(t, "Invited", err, nil); len(got) == 1 {
		sameUser(t, "Invited", got[0], invited("2"))
	}
	_, err = b.Users().Update(t.Context(), "9", (*user.User).Activate)
	wantErr(t, "Activate", err, nil)
	wantErr(t, "Delete", b.Users().Delete(t.Context(), "2", agree), nil)
	list("", 9, "10 "+string(uuidA))
	for want, ctx := range ended(t) {
		_, err := b.Users().Invited(ctx, "", 9)
		wantErr(t, "Invited", err, want)
	}
}

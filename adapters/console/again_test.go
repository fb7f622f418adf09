package console

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"roster/domain/user"
	"roster/test/support/fixture"
)

var hidden = regexp.MustCompile(`type="hidden" name="([^"]*)" value="([^"]*)"`)

// answerSignIn posts the sign-in that a page asks for, with what the page keeps.
func (s *served) answerSignIn(page answer, password string) answer {
	s.t.Helper()
	form := url.Values{inputEmail: {admin}, inputPassword: {password}}
	for _, m := range hidden.FindAllStringSubmatch(page.body, -1) {
		form.Add(m[1], m[2])
	}
	return s.do(http.MethodPost, signInPath, form)
}

// later returns the pages with a user, six minutes after the administrator signed in.
func later(t *testing.T) (*served, *user.User) {
	t.Helper()
	s := newPages(t, fixture.ConfiguredKeys(t))
	bob := s.Add(t, "bob@example.com")
	s.signIn(admin)
	s.Clock.Advance(6 * time.Minute)
	return s, bob
}

// A deletion long after the sign-in asks for the password, and goes on with it: the address is not typed again. A wrong
// password deletes nothing, and the next attempt may be right.
func TestPasswordIsAskedAgain(t *testing.T) {
	s, bob := later(t)
	page := s.post(userPath(bob.ID())+deletePath, inputConfirm, "bob@example.com").want(http.StatusForbidden, "Sign in again")
	page = s.answerSignIn(page, "wrong").want(http.StatusUnauthorized, "Sign in again")
	if _, err := s.Users.Get(t.Context(), bob.ID()); err != nil {
		t.Fatal(err)
	}
	done := s.answerSignIn(page, fixture.Password).want(http.StatusSeeOther)
	if to := done.header.Get("Location"); to != "./../users/?done=deleted" {
		t.Errorf("goes on at %s", to)
	}
	if _, err := s.Users.Get(t.Context(), bob.ID()); !errors.Is(err, user.ErrNotFound) {
		t.Errorf("the user is still there: %v", err)
	}
	if cookies := (&http.Response{Header: done.header}).Cookies(); len(cookies) != 1 || cookies[0].Value == s.sent[0].Value {
		t.Errorf("cookies %v", cookies)
	}
}

// A new password is not kept in the page that asks for the administrator's: it has to be typed again, and nothing is
// reported as done.
func TestPasswordOfAnotherIsNotKept(t *testing.T) {
	const changed = "sound-Walrus-41-carousel"
	s, bob := later(t)
	path := userPath(bob.ID()) + "password/"
	page := s.post(path, user.FieldPassword, changed).want(http.StatusForbidden, "Sign in again")
	if strings.Contains(page.body, changed) {
		t.Error("the page has the password")
	}
	again := s.answerSignIn(page, fixture.Password).want(http.StatusBadRequest, "This field may not be blank.")
	if got, err := s.Users.Get(t.Context(), bob.ID()); err != nil || got.Password() != bob.Password() {
		t.Errorf("the password was changed: %v", err)
	}
	s.sent = (&http.Response{Header: again.header}).Cookies()
	s.post(path, user.FieldPassword, changed).want(http.StatusSeeOther)
	s.SignsIn(t, "bob@example.com", changed)
}

// The rights of another administrator cannot be taken over from a browser that is left alone: neither by a new address, to
// which a link to a new password can be mailed, nor by a password of one's own.
func TestUnattendedBrowserTakesOverNoAccount(t *testing.T) {
	s, _ := later(t)
	other := s.AddStaff(t, "other@example.com")
	form := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(s.get(userPath(other.ID())).want(http.StatusOK).body, -1) {
		form.Set(m[1], m[2])
	}
	form.Set(user.FieldEmail, "mine@example.com")
	s.do(http.MethodPost, userPath(other.ID()), form).want(http.StatusForbidden, "Sign in again")
	own, err := s.Administration.Find(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	s.post(userPath(own.ID())+"password/", user.FieldPassword, "sound-Walrus-41-carousel").want(http.StatusForbidden, "Sign in again")
	s.SignsIn(t, admin, fixture.Password)
}

// A form of one's own account is not sent for the next user that signs in.
func TestFormsOfAnAccountAreNotResumed(t *testing.T) {
	s := newPages(t, fixture.ConfiguredKeys(t))
	pages, err := NewAccount(Ports{Browser: s.Browsers, Accounts: s.Accounts, Sessions: s.Devices, Trail: s.Trail}, Settings{}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	s.serve(pages, AccountPath)
	page := s.post("", user.FieldFirstName, "Mallory").want(http.StatusUnauthorized, "nothing was changed")
	s.answerSignIn(page, fixture.Password).want(http.StatusSeeOther)
	if u, err := s.Administration.Find(t.Context(), admin); err != nil || u.Snapshot().FirstName == "Mallory" {
		t.Errorf("%v", err)
	}
}

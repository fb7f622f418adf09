package console

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"roster/domain/user"
	"roster/ports/inbound"
)

// fakeApp is an application with the administrator ada and the user bob. The password of ada was given long ago, until the
// next sign-in.
type fakeApp struct {
	inbound.BrowserSessions
	inbound.Accounts
	recent  bool
	deleted []user.ID
}

func person(id user.ID, email string, staff bool) *user.User {
	u, err := user.Restore(user.Snapshot{ID: id, Email: email, EmailKey: email, Active: true, Staff: staff, Joined: time.Unix(1, 0), Version: 7})
	if err != nil {
		panic(err)
	}
	return u
}

func (a *fakeApp) Authenticate(context.Context, string) (inbound.BrowserSession, error) {
	return inbound.BrowserSession{Actor: inbound.Actor{User: person("1", "ada@example.com", true)}}, nil
}

func (a *fakeApp) Begin(_ context.Context, in inbound.SignIn, _ string) (inbound.BrowserSession, error) {
	if in.Password.Value() != "right" {
		return inbound.BrowserSession{}, inbound.ErrNoAccount
	}
	a.recent = true
	b, err := a.Authenticate(context.Background(), "")
	b.Value, b.Expires = "new", time.Now().Add(time.Hour)
	return b, err
}

func (a *fakeApp) Get(_ context.Context, _ inbound.Actor, id user.ID) (*user.User, error) {
	return person(id, "bob@example.com", false), nil
}

func (a *fakeApp) Delete(_ context.Context, _ inbound.Actor, id user.ID, read func() (inbound.Deletion, error)) error {
	if !a.recent {
		return inbound.ErrSignInAgain
	}
	a.deleted = append(a.deleted, id)
	_, err := read()
	return err
}

// A deletion long after the sign-in asks for the password, and goes on with it: the address is not typed again. A wrong
// password deletes nothing, and the next attempt may be right.
func TestPasswordIsAskedAgain(t *testing.T) {
	app := &fakeApp{}
	h, err := New(Ports{Browser: app, Accounts: app}, Settings{}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	defer s.Close()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	base, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	jar.SetCookies(base, []*http.Cookie{{Name: "roster", Value: "old"}})
	client := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	post := func(path string, values url.Values) (*http.Response, string) {
		t.Helper()
		resp, err := client.PostForm(s.URL+Path+path, values)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		page, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, string(page)
	}
	resp, page := post("users/2/delete/", url.Values{inputConfirm: {"bob@example.com"}})
	for _, attempt := range []string{"wrong", "right"} {
		if len(app.deleted) > 0 || !strings.Contains(page, "Sign in again") {
			t.Fatalf("status %d, deleted %v:\n%s", resp.StatusCode, app.deleted, page)
		}
		values := url.Values{inputPassword: {attempt}}
		for _, m := range regexp.MustCompile(`type="hidden" name="([^"]*)" value="([^"]*)"`).FindAllStringSubmatch(page, -1) {
			values.Add(m[1], m[2])
		}
		values.Set(inputEmail, "ada@example.com")
		resp, page = post(signInPath, values)
	}
	if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "./../users/?done=deleted" || len(app.deleted) != 1 || app.deleted[0] != "2" {
		t.Errorf("status %d, to %s, deleted %v", resp.StatusCode, resp.Header.Get("Location"), app.deleted)
	}
	if cookies := jar.Cookies(base); len(cookies) != 1 || cookies[0].Value != "new" {
		t.Errorf("cookies %v", cookies)
	}
}

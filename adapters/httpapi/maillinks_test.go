package httpapi

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"roster/domain/credential"
	"roster/domain/fault"
	"roster/domain/field"
	"roster/domain/link"
	"roster/domain/user"
	"roster/ports/inbound"
)

// fakeLinks records its calls, and returns err from each.
type fakeLinks struct {
	inbound.Links

	err   error
	calls []string
}

func (f *fakeLinks) record(format string, args ...any) error {
	f.calls = append(f.calls, fmt.Sprintf(format, args...))
	return f.err
}

func (f *fakeLinks) RequestActivation(_ context.Context, email field.Text) error {
	return f.record("resend %s", email.Value())
}

func (f *fakeLinks) Activate(_ context.Context, l inbound.Link) error {
	return f.record("activate %s/%s", l.UID.Value(), l.Token.Value())
}

func (f *fakeLinks) RequestPasswordReset(_ context.Context, email field.Text) error {
	return f.record("reset %s", email.Value())
}

func (f *fakeLinks) ResetPassword(_ context.Context, l inbound.Link, p inbound.NewPassword) error {
	return f.record("confirm %s/%s %s %s %t", l.UID.Value(), l.Token.Value(), p.Password.Value(), p.Retyped.Value(), p.Retype)
}

// CheckLink fails with f.err if it is about the link.
func (f *fakeLinks) CheckLink(_ context.Context, p link.Purpose, l inbound.Link) error {
	err := f.record("check %s %s/%s", p, l.UID.Value(), l.Token.Value())
	if errors.Is(err, link.ErrBadUser) || errors.Is(err, link.ErrBadToken) {
		return err
	}
	return nil
}

func (f *fakeLinks) RequestEmailChange(_ context.Context, a inbound.Actor, in inbound.NewEmail) error {
	return f.record("email of %s %s %s %s %t", a.ID(), in.Email.Value(), in.Retyped.Value(), in.CurrentPassword.Value(), in.Retype)
}

func (f *fakeLinks) ConfirmEmailChange(_ context.Context, l inbound.Link) error {
	return f.record("confirm email %s/%s", l.UID.Value(), l.Token.Value())
}

func (f *fakeLinks) UndoEmailChange(_ context.Context, l inbound.Link) error {
	return f.record("undo email %s/%s", l.UID.Value(), l.Token.Value())
}

func (f *fakeLinks) ResendInvitation(_ context.Context, a inbound.Actor, id user.ID) error {
	return f.record("%s resends %s", a.ID(), id)
}

func (f *fakeLinks) RevokeInvitation(_ context.Context, a inbound.Actor, id user.ID) error {
	return f.record("%s revokes %s", a.ID(), id)
}

func (f *fakeLinks) StartPasswordReset(_ context.Context, a inbound.Actor, id user.ID) error {
	return f.record("%s resets %s", a.ID(), id)
}

func (f *fakeLinks) Invite(_ context.Context, a inbound.Actor, read func() (inbound.UserInput, error)) (*user.User, error) {
	in, err := read()
	if err != nil {
		return nil, err
	}
	if err := f.record("%s invites %s %s", a.ID(), in.Email.Value(), in.Locale.Value()); err != nil {
		return nil, err
	}
	return numbered(7)
}

func (f *fakeLinks) Invitations(_ context.Context, _ inbound.Actor, after user.ID, limit int) ([]*user.User, error) {
	first, _ := after.Integer()
	var out []*user.User
	for n := first + 1; n <= 5 && len(out) < limit; n++ {
		u, err := numbered(n)
		if err != nil {
			return nil, err
		}
		out = append(out, u)
	}
	return out, f.record("after %q limit %d", after, limit)
}

// numbered returns an invited user with an integer id.
func numbered(n int64) (*user.User, error) {
	email := fmt.Sprintf("u%d@example.com", n)
	return user.Restore(user.Snapshot{
		ID: user.ID(fmt.Sprint(n)), Email: email, EmailKey: email, Joined: noon, Version: 1, EmailState: user.Invited,
	})
}

const linkBody = `{"uid": "MQ", "token": "t-1", "new_password": "n", "re_new_password": "r"}`

// Each path that mails a link or follows one calls its use case and answers 204, below /api/ and below djoser's path.
// Other methods get 405, and before that 401 without a token, so that a mail scanner's GET does nothing.
func TestLinkPaths(t *testing.T) {
	links := &fakeLinks{}
	api := newMailAPI(t, Settings{Djoser: Djoser{Path: "/auth"}}, links)
	for path, c := range map[string]struct{ body, call string }{
		"activation/":             {linkBody, "activate MQ/t-1"},
		"resend_activation/":      {`{"email": "a@example.com"}`, "resend a@example.com"},
		"reset_password/":         {`{"email": "a@example.com"}`, "reset a@example.com"},
		"reset_password_confirm/": {linkBody, "confirm MQ/t-1 n r false"},
		"set_email_confirm/":      {linkBody, "confirm email MQ/t-1"},
		"set_email_undo/":         {linkBody, "undo email MQ/t-1"},
	} {
		for _, base := range []string{"/api/users/", "/auth/users/"} {
			links.calls = nil
			api.send("GET", base+path, "").want(t, 401, "WWW-Authenticate", `Bearer realm="api"`)
			api.send("GET", base+path, "", bearer("ann")...).want(t, 405, "Allow", "POST, OPTIONS")
			api.send("POST", base+path, c.body, bearer("x.y.z")...).want(t, 401)
			if links.calls != nil {
				t.Errorf("%s%s: calls %q", base, path, links.calls)
			}
			if got := api.send("POST", base+path, c.body); got.StatusCode != 204 || got.body != "" || strings.Join(links.calls, "; ") != c.call {
				t.Errorf("%s%s: %d %s, calls %q", base, path, got.StatusCode, got.body, links.calls)
			}
			api.send("OPTIONS", base+path, "", bearer("ann")...).want(t, 200, "Content-Type", "application/json")
		}
	}
	for _, base := range []string{"/api/users/", "/auth/users/"} {
		links.calls = nil
		body := `{"new_email": "b@example.com", "re_new_email": "r", "current_password": "c"}`
		api.send("POST", base+"set_email/", body).want(t, 401)
		api.send("POST", base+"set_email/", body, bearer("ann")...).want(t, 204)
		if got := strings.Join(links.calls, "; "); got != "email of ann b@example.com r c false" {
			t.Errorf("%s: calls %q", base, got)
		}
	}
}

// Staff invite, list in pages, resend, revoke, and start a reset.
func TestInvitationPaths(t *testing.T) {
	links := &fakeLinks{}
	api := newMailAPI(t, Settings{MailMembers: true, PageSize: 2}, links)
	sam := bearer("sam")
	got := api.send("POST", "/api/users/invite/", `{"email": "u7@example.com", "locale": "de"}`, sam...)
	got.want(t, 201, "ETag", `"1"`)
	if want := `{"id":7,"email":"u7@example.com","first_name":"","last_name":"","is_active":false,"is_staff":false,` +
		`"date_joined":"2026-11-23T12:00:00Z","last_login":null,"email_verified":false,"locale":null}`; got.body != want {
		t.Errorf("invited: %s", got.body)
	}
	next := "/api/users/invite/"
	for _, want := range []string{"/api/users/invite/?after=2", "/api/users/invite/?after=4", ""} {
		page := api.send("GET", next, "", sam...)
		page.want(t, 200)
		if !strings.Contains(page.body, `"next":"`+api.url+want+`"`) && (want != "" || !strings.Contains(page.body, `"next":null`)) {
			t.Errorf("%s: %s", next, page.body)
		}
		next = want
	}
	api.send("GET", "/api/users/invite/?after=x", "", sam...).want(t, 404)
	links.calls = nil
	api.send("POST", "/api/users/7/invite/", "", sam...).want(t, 204)
	api.send("DELETE", "/api/users/7/invite/", "", sam...).want(t, 204)
	api.send("POST", "/api/users/7/reset_password/", "", sam...).want(t, 204)
	api.send("POST", "/api/users/no-id/reset_password/", "", sam...).want(t, 404)
	if got := strings.Join(links.calls, "; "); got != "sam resends 7; sam revokes 7; sam resets 7" {
		t.Errorf("calls %q", got)
	}
	api.send("POST", "/api/users/7/invite/", "").want(t, 401)
	links.err = inbound.ErrForbidden
	api.send("POST", "/api/users/invite/", `{"email": "u8@example.com"}`, bearer("ann")...).want(t, 403)
}

// Errors of links have djoser's bodies.
func TestLinkErrors(t *testing.T) {
	links := &fakeLinks{}
	api := newMailAPI(t, Settings{Djoser: Djoser{Path: "/auth"}}, links)
	wrong := fault.ErrInvalid.With(
		fault.Field{Name: "new_email", Message: "taken"}, credential.ErrWrongPassword.Fields[0], fault.Field{Name: "uid", Message: "u"})
	for name, c := range map[string]struct {
		err    error
		status int
		body   string // below both
		native string // below /api/, where it differs
	}{
		"user":    {link.ErrBadUser, 400, `{"uid":["Invalid user id or user doesn't exist."]}`, ""},
		"token":   {link.ErrBadToken, 400, `{"token":["Invalid token for given user."]}`, ""},
		"stale":   {link.ErrStale, 403, `{"detail":"Stale token for given user."}`, ""},
		"order":   {wrong, 400, `{"uid":["u"],"current_password":["Invalid password."],"new_email":["taken"]}`, ""},
		"retyped": {credential.ErrMismatch, 400, `{"non_field_errors":["The two password fields didn't match."]}`, ""},
		"unknown": {
			inbound.ErrAddressUnknown, 400, `["User with given email does not exist."]`,
			`{"detail":"User with given email does not exist."}`,
		},
		"no activation": {inbound.ErrActivationOff, 400, ``, `{"detail":"New accounts need no activation."}`},
	} {
		links.err = c.err
		for base, want := range map[string]string{"/auth/users/": c.body, "/api/users/": c.native} {
			if want == "" && base == "/api/users/" {
				want = c.body
			}
			if got := api.send("POST", base+"resend_activation/", `{"email": "a@example.com"}`); got.StatusCode != c.status || got.body != want {
				t.Errorf("%s: %s: %d %s", name, base, got.StatusCode, got.body)
			}
		}
	}
	links.err = inbound.ErrAddressUnknown
	got := api.send("POST", "/auth/users/reset_password/", `{"email": "a@example.com"}`, "Accept", "application/problem+json")
	got.want(t, 400, "Content-Type", "application/problem+json")
	if !strings.Contains(got.body, `"code":"email_not_found"`) {
		t.Errorf("problem: %s", got.body)
	}
}

// Without mail, the paths of links are not there. That of the password is.
func TestNoLinkPathsWithoutMail(t *testing.T) {
	api := newMailAPI(t, Settings{Djoser: Djoser{Path: "/auth"}}, nil)
	for _, base := range []string{"/api/users/", "/auth/users/"} {
		api.send("POST", base+"reset_password/", "{}", bearer("ann")...).want(t, 405, "Allow", "GET, PUT, PATCH, DELETE, HEAD, OPTIONS")
		api.send("GET", base+"set_password/", "", bearer("ann")...).want(t, 405, "Allow", "POST, OPTIONS")
	}
	api.send("POST", "/api/users/7/reset_password/", "", bearer("sam")...).want(t, 404)
}

// Requests for a mail are limited by client, below both paths together. Links that are followed are not counted.
func TestMailThrottle(t *testing.T) {
	api := newMailAPI(t, Settings{
		Djoser: Djoser{Path: "/auth"}, Throttling: Throttling{Mail: Rate{2, time.Minute}},
	}, &fakeLinks{})
	from := fromAddress("192.0.2.1")
	api.send("POST", "/api/users/reset_password/", "{}", from...).want(t, 204, "RateLimit", `"mail";r=1;t=30`)
	api.send("POST", "/auth/users/resend_activation/", "{}", from...).want(t, 204)
	api.send("POST", "/auth/users/reset_password/", "{}", from...).want(t, 429, "Retry-After", "30")
	api.send("POST", "/api/users/set_email/", "{}", append(bearer("sam"), from...)...).want(t, 429)
	api.send("POST", "/api/users/activation/", linkBody, from...).want(t, 204)
	api.send("POST", "/api/users/reset_password/", "{}", fromAddress("198.51.100.1")...).want(t, 204)
}

// Where registrations mail links, they count as requests for mails.
func TestMailThrottleOfRegistrations(t *testing.T) {
	for mails, status := range map[bool]int{false: 204, true: 429} {
		api := newMailAPI(t, Settings{Throttling: Throttling{Mail: Rate{1, time.Minute}, RegistrationMails: mails}}, &fakeLinks{})
		from := fromAddress("192.0.2.1")
		api.send("POST", "/api/users/", "{}", from...)
		api.send("POST", "/api/users/reset_password/", "{}", from...).want(t, status)
	}
}

func newMailAPI(t *testing.T, s Settings, links *fakeLinks) *testAPI {
	t.Helper()
	if s.PageSize == 0 {
		s.PageSize = 20
	}
	p := Ports{Accounts: fakeApp{}, DjoserAccounts: fakeApp{}, Authentication: fakeApp{}}
	if links != nil {
		p.Links = links
	}
	return newTestAPIOf(t, s, p)
}

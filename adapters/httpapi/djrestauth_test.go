package httpapi

import (
	"strings"
	"testing"
	"time"

	"roster/domain/credential"
	"roster/domain/fault"
	"roster/domain/link"
	"roster/ports/inbound"
)

// The paths of dj-rest-auth that mail links and follow them call their use cases and answer with a detail. A GET does nothing.
func TestDjRestAuthLinks(t *testing.T) {
	links := &fakeLinks{}
	api := newMailAPI(t, Settings{DjRestAuth: DjRestAuth{Path: "/ra"}}, links)
	const confirm = `{"uid": "MQ", "token": "t-1", "new_password1": "n", "new_password2": "r"}`
	for path, c := range map[string]struct{ body, calls, detail string }{
		"password/reset":            {`{"email": "a@example.com"}`, "reset a@example.com", "Password reset e-mail has been sent."},
		"password/reset/confirm":    {confirm, "check password_reset MQ/t-1; confirm MQ/t-1 n r true", "Password has been reset with the new password."},
		"registration/verify-email": {`{"key": "MQ:t-1"}`, "activate MQ/t-1", "ok"},
		"registration/resend-email": {`{"email": "a@example.com"}`, "resend a@example.com", "ok"},
	} {
		for _, slash := range []string{"", "/"} {
			links.calls = nil
			at := "/ra/" + path + slash
			api.send("GET", at, "").want(t, 405, "Allow", "POST, OPTIONS")
			api.send("POST", at, c.body, bearer("x.y.z")...).want(t, 401)
			if links.calls != nil {
				t.Errorf("%s: calls %q", at, links.calls)
			}
			got := api.send("POST", at, c.body)
			if got.StatusCode != 200 || got.body != `{"detail":"`+c.detail+`"}` || strings.Join(links.calls, "; ") != c.calls {
				t.Errorf("%s: %d %s, calls %q", at, got.StatusCode, got.body, links.calls)
			}
		}
	}
}

func TestDjRestAuthLinkErrors(t *testing.T) {
	const (
		reset, confirm, verify, resend = "password/reset/", "password/reset/confirm/", "registration/verify-email/", "registration/resend-email/"

		whole    = `{"uid": "MQ", "token": "t-1", "new_password1": "n", "new_password2": "r"}`
		notFound = `{"detail":"Not found."}`
	)
	weak := fault.ErrInvalid.With(fault.Field{Name: "new_password", Code: "password_too_short", Message: "short"})
	required := fault.ErrInvalid.With(fault.Field{Name: "uid", Code: "required", Message: "u"}, fault.Field{Name: "new_password", Code: "required", Message: "n"})
	for name, c := range map[string]struct {
		path   string
		err    error
		status int
		body   string
	}{
		"user":           {confirm, link.ErrBadUser, 400, `{"uid":["Invalid value"]}`},
		"token":          {confirm, link.ErrBadToken, 400, `{"token":["Invalid value"]}`},
		"weak":           {confirm, weak, 400, `{"new_password2":["short"]}`},
		"mismatch":       {confirm, credential.ErrMismatch, 400, `{"new_password2":["The two password fields didn’t match."]}`},
		"members":        {confirm, required, 400, `{"new_password1":["n"],"uid":["u"]}`},
		"no such user":   {verify, link.ErrBadUser, 404, notFound},
		"used key":       {verify, link.ErrBadToken, 404, notFound},
		"active already": {verify, link.ErrStale, 404, notFound},
		"unknown":        {reset, inbound.ErrAddressUnknown, 200, `{"detail":"Password reset e-mail has been sent."}`},
		"malformed":      {reset, invalid("email", "invalid", "Enter a valid email address."), 400, `{"email":["Enter a valid email address."]}`},
		"unknown again":  {resend, inbound.ErrAddressUnknown, 200, `{"detail":"ok"}`},
		"no activation":  {resend, inbound.ErrActivationOff, 200, `{"detail":"ok"}`},
	} {
		api := newMailAPI(t, Settings{DjRestAuth: DjRestAuth{Path: "/ra"}}, &fakeLinks{err: c.err})
		body := whole
		switch c.path {
		case verify:
			body = `{"key": "MQ:t-1"}`
		case reset, resend:
			body = `{"email": "a@example.com"}`
		}
		if got := api.send("POST", "/ra/"+c.path, body); got.StatusCode != c.status || got.body != c.body {
			t.Errorf("%s: %d %s", name, got.StatusCode, got.body)
		}
	}
	links := &fakeLinks{}
	api := newMailAPI(t, Settings{DjRestAuth: DjRestAuth{Path: "/ra"}}, links)
	if got := api.send("POST", "/ra/"+verify, `{}`); got.StatusCode != 400 || got.body != `{"key":["This field is required."]}` || links.calls != nil {
		t.Error(got.StatusCode, got.body, links.calls)
	}
}

// Requests for a mail count in one limit, wherever they are made.
func TestDjRestAuthThrottles(t *testing.T) {
	api := newMailAPI(t, Settings{DjRestAuth: DjRestAuth{Path: "/ra", Verification: true}, Throttling: Throttling{
		Mail: Rate{2, time.Minute}, Token: Rate{1, time.Minute}, Register: Rate{1, time.Minute},
	}}, &fakeLinks{})
	from := fromAddress("192.0.2.1")
	api.send("POST", "/api/users/reset_password/", "{}", from...).want(t, 204)
	api.send("POST", "/ra/password/reset", "{}", from...).want(t, 200)
	api.send("POST", "/ra/registration/resend-email/", "{}", from...).want(t, 429, "Retry-After", "30")
	api.send("POST", "/ra/registration/verify-email/", `{"key": "MQ:t"}`, from...).want(t, 200)
	api.send("POST", "/ra/password/reset/confirm/", "{}", from...).want(t, 429)
	api.send("POST", "/ra/registration/", "{}", from...).want(t, 201)
	api.send("POST", "/ra/registration/", "{}", from...).want(t, 429)
}

// Without mail, the paths of links are not there. OPTIONS describes the others.
func TestDjRestAuthWithoutMail(t *testing.T) {
	api := newMailAPI(t, Settings{DjRestAuth: DjRestAuth{Path: "/ra"}}, nil)
	for _, path := range []string{"password/reset/", "password/reset/confirm/", "registration/verify-email/", "registration/resend-email/"} {
		api.send("POST", "/ra/"+path, "{}").want(t, 404)
	}
	for path, allow := range map[string]string{
		"login/": "POST, OPTIONS", "logout": "POST, OPTIONS", "token/verify/": "POST, OPTIONS", "user/": "GET, PUT, PATCH, HEAD, OPTIONS",
		"password/change/": "POST, OPTIONS", "registration/": "POST, OPTIONS",
	} {
		api.send("OPTIONS", "/ra/"+path, "", bearer("ann")...).want(t, 200, "Allow", allow)
	}
}

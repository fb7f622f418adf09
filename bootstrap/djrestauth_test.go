package bootstrap

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"roster/adapters/httpapi"
	"roster/application"
	"roster/domain/user"
	"roster/test/support/fixture"
)

const newSecret = "Nw4#pLkv-81yt"

func newDjRestAuth(t *testing.T, set httpapi.DjRestAuth) *mount {
	t.Helper()
	set.Path = "/dj-rest-auth"

	return mounted(t, fixture.New(t, fixture.Django()), httpapi.Settings{DjRestAuth: set}, httpapi.Ports{})
}

func djWire(u *user.User) string {
	s := u.Snapshot()
	return fmt.Sprintf(`{"pk":%s,"email":%q,"first_name":%q,"last_name":%q}`, jsonID(s.ID), s.Email, s.FirstName, s.LastName)
}

type loggedIn struct {
	Access, Refresh string
	User            json.RawMessage
}

func (m *mount) logsIn(path, body string, status int) (in loggedIn, header http.Header) {
	m.t.Helper()
	answer, header := m.check("POST", path, "", body, status, "*")
	if err := json.Unmarshal([]byte(answer), &in); err != nil || in.Access == "" || in.Refresh == "" {
		m.t.Fatal(answer, err)
	}
	m.check("GET", "/dj-rest-auth/user/", "Bearer "+in.Access, "", 200, string(in.User))
	return in, header
}

func TestDjRestAuthLogin(t *testing.T) {
	m := newDjRestAuth(t, httpapi.DjRestAuth{})
	ann := m.Add(t, "ann@example.com")
	const good = `"password": "` + fixture.Password + `"}`
	for _, path := range []string{"/dj-rest-auth/login/", "/dj-rest-auth/login"} {
		for _, member := range []string{"email", "username"} {
			in, header := m.logsIn(path, `{"`+member+`": "ann@example.com", `+good, 200)
			if string(in.User) != djWire(ann) || header.Get("Set-Cookie") != "" {
				t.Error(string(in.User), header)
			}
		}
	}
	const (
		path   = "/dj-rest-auth/login/"
		unable = `{"non_field_errors":["Unable to log in with provided credentials."]}`
		must   = `{"non_field_errors":["Must include \"email\" and \"password\"."]}`
	)
	m.check("POST", path, "", `{"email": "ann@example.com", "password": "wrong"}`, 400, unable)
	m.check("POST", path, "", `{"email": "nobody@example.com", `+good, 400, unable)
	m.check("POST", path, "", `{`+good, 400, must)
	m.check("POST", path, "", `{"email": "", `+good, 400, must)
	m.check("POST", path, "", `{"email": "ann@example.com"}`, 400, `{"password":["This field is required."]}`)
	m.check("POST", path, "", `{"email": "ann", `+good, 400, `{"email":["Enter a valid email address."]}`)
	m.check("POST", path, "", `{"email": "ann", "password": ""}`, 400,
		`{"email":["Enter a valid email address."],"password":["This field may not be blank."]}`)
	m.check("GET", path, "", "", 405, `{"detail":"Method \"GET\" not allowed."}`)
	m.check("POST", path, "Bearer x.y.z", `{}`, 401, "*")
	m.Set(t, ann.ID(), func(u *user.User) { u.SetActive(false) })
	m.check("POST", path, "", `{"email": "ann@example.com", `+good, 400, unable)
}

func TestDjRestAuthLogout(t *testing.T) {
	m := newDjRestAuth(t, httpapi.DjRestAuth{})
	m.Add(t, "ann@example.com")
	in, _ := m.logsIn("/dj-rest-auth/login/", `{"email": "ann@example.com", "password": "`+fixture.Password+`"}`, 200)
	body := `{"refresh": "` + in.Refresh + `"}`
	const missing = `{"detail":"Refresh token was not included in request data."}`
	m.check("GET", "/dj-rest-auth/logout/", "", "", 405, "*")
	m.check("POST", "/dj-rest-auth/logout/", "", "", 401, missing)
	m.check("POST", "/dj-rest-auth/logout", "", `{"refresh": null}`, 401, missing)
	m.check("POST", "/dj-rest-auth/logout/", "", `{"refresh": "x"}`, 401, `{"detail":"Token is invalid or expired","code":"token_not_valid"}`)
	m.check("POST", "/dj-rest-auth/logout/", "", body, 200, `{"detail":"Successfully logged out."}`)
	m.check("POST", "/dj-rest-auth/logout/", "", body, 401, `{"detail":"Token is blacklisted","code":"token_not_valid"}`)
	m.check("POST", "/dj-rest-auth/token/refresh/", "", body, 401, "*")
}

func TestDjRestAuthUser(t *testing.T) {
	m := newDjRestAuth(t, httpapi.DjRestAuth{})
	ann := m.Add(t, "ann@example.com")
	self := m.as("ann@example.com")
	m.check("GET", "/dj-rest-auth/user/", "", "", 401, "*")
	m.check("GET", "/dj-rest-auth/user", self, "", 200, djWire(ann))
	m.check("PUT", "/dj-rest-auth/user/", self, `{}`, 400,
		`{"first_name":["This field is required."],"last_name":["This field is required."]}`)
	want := strings.Replace(djWire(ann), `"first_name":"Ann"`, `"first_name":"Bea"`, 1)
	m.check("PATCH", "/dj-rest-auth/user/", self, `{"first_name": "Bea", "email": "x@example.com", "pk": 7}`, 200, want)
	m.check("PUT", "/dj-rest-auth/user/", self, `{"first_name": "Ann", "last_name": "Lee"}`, 200, djWire(ann))
	m.check("DELETE", "/dj-rest-auth/user/", self, "", 405, "*")
}

func TestDjRestAuthPasswordChange(t *testing.T) {
	m := newDjRestAuth(t, httpapi.DjRestAuth{})
	m.Add(t, "ann@example.com")
	self := m.as("ann@example.com")
	const path = "/dj-rest-auth/password/change/"
	body := func(old, one, two string) string {
		return fmt.Sprintf(`{"old_password": %q, "new_password1": %q, "new_password2": %q}`, old, one, two)
	}
	m.check("POST", path, "", `{}`, 401, "*")
	m.check("POST", path, self, `{}`, 400, `{"old_password":["This field is required."],"new_password1":["This field is required."],`+
		`"new_password2":["This field is required."]}`)
	m.check("POST", path, self, body("wrong", newSecret, newSecret), 400,
		`{"old_password":["Your old password was entered incorrectly. Please enter it again."]}`)
	m.check("POST", path, self, body(fixture.Password, "123", "123"), 400,
		`{"new_password2":["This password is too short. It must contain at least 8 characters.","This password is entirely numeric."]}`)
	m.check("POST", path, self, body(fixture.Password, newSecret, "x"), 400, `{"new_password2":["The two password fields didn’t match."]}`)
	long := strings.Repeat("x", 129)
	m.check("POST", path, self, body(fixture.Password, long, long), 400,
		`{"new_password1":["Ensure this field has no more than 128 characters."]}`)
	m.check("POST", path, self, body(fixture.Password, newSecret, newSecret), 200, `{"detail":"New password has been saved."}`)
	m.SignsIn(t, "ann@example.com", newSecret)
}

func TestDjRestAuthTokens(t *testing.T) {
	m := newDjRestAuth(t, httpapi.DjRestAuth{})
	m.Add(t, "ann@example.com")
	pair := m.SignsIn(t, "ann@example.com", fixture.Password)
	m.check("POST", "/dj-rest-auth/token/verify/", "", `{"token": "`+pair.Access+`"}`, 200, "{}")
	m.check("POST", "/dj-rest-auth/token/verify", "Bearer x.y.z", `{}`, 400, `{"token":["This field is required."]}`)
	m.check("POST", "/dj-rest-auth/token/refresh/", "", `{}`, 401, `{"detail":"No valid refresh token found.","code":"token_not_valid"}`)
	m.check("POST", "/dj-rest-auth/token/refresh/", "", `{"refresh": "x"}`, 401, `{"detail":"Token is invalid or expired","code":"token_not_valid"}`)
	answer, _ := m.check("POST", "/dj-rest-auth/token/refresh", "", `{"refresh": "`+pair.Refresh+`"}`, 200, "*")
	if !strings.HasSuffix(answer, `","access_expiration":"2026-01-02T03:09:05.678000Z"}`) || strings.Contains(answer, "refresh") {
		t.Error(answer)
	}
}

// With rotation, a refresh also answers with the next refresh token and its expiry.
func TestDjRestAuthRotation(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	m := mounted(t, s, httpapi.Settings{DjRestAuth: httpapi.DjRestAuth{Path: "/dj-rest-auth"}}, httpapi.Ports{})
	m.Add(t, "ann@example.com")
	pair := m.SignsIn(t, "ann@example.com", fixture.Password)
	answer, _ := m.check("POST", "/dj-rest-auth/token/refresh/", "", `{"refresh": "`+pair.Refresh+`"}`, 200, "*")
	if !strings.Contains(answer, `"refresh":"`) || !strings.HasSuffix(answer, `"access_expiration":"2026-01-02T03:09:05.678000Z",`+
		`"refresh_expiration":"2026-01-03T03:04:05.678000Z"}`) {
		t.Error(answer)
	}
}

func TestDjRestAuthRegistration(t *testing.T) {
	m := newDjRestAuth(t, httpapi.DjRestAuth{})
	const path = "/dj-rest-auth/registration/"
	body := func(email, one, two string) string {
		return fmt.Sprintf(`{"email": %q, "password1": %q, "password2": %q}`, email, one, two)
	}
	m.check("POST", path, "", `{}`, 400, `{"email":["This field is required."],"password1":["This field is required."],`+
		`"password2":["This field is required."]}`)
	m.check("POST", path, "", body("eve@example.com", newSecret, "x"), 400, `{"non_field_errors":["The two password fields didn't match."]}`)
	m.check("POST", path, "", body("eve@example.com", "123", "123"), 400,
		`{"password1":["This password is too short. It must contain at least 8 characters.","This password is entirely numeric."]}`)
	m.check("POST", path, "", body("eve.ryder@example.com", "everyder", "everyder"), 400,
		`{"non_field_errors":["The password is too similar to the email address."]}`)
	m.check("GET", path, "", "", 405, "*")
	if _, h := m.check("POST", "/dj-rest-auth/registration", "", `{}`, 301, ""); h.Get("Location") != path {
		t.Error(h)
	}
	in, header := m.logsIn(path, body("eve@example.com", newSecret, newSecret), 201)
	if !strings.Contains(string(in.User), `"email":"eve@example.com","first_name":"","last_name":""`) || header.Get("Set-Cookie") != "" {
		t.Error(string(in.User), header)
	}
	m.check("POST", path, "", body("eve@example.com", newSecret, newSecret), 400,
		`{"email":["User is already registered with this e-mail address."]}`)
	verified := newDjRestAuth(t, httpapi.DjRestAuth{Verification: true})
	verified.check("POST", path, "", body("eve@example.com", newSecret, newSecret), 201, `{"detail":"Verification e-mail sent."}`)
}

// The rows that mail, over storage: registration to the first sign-in, and a forgotten password.
func TestDjRestAuthMails(t *testing.T) {
	rules := fixture.Django()
	rules.Mail = fixture.Mailing(application.VerificationRequired)
	s := fixture.New(t, rules)
	m := mounted(t, s, httpapi.Settings{DjRestAuth: httpapi.DjRestAuth{Path: "/dj-rest-auth", Verification: true}},
		httpapi.Ports{Links: s.Links})
	const (
		base   = "/dj-rest-auth/"
		ok     = `{"detail":"ok"}`
		sent   = `{"detail":"Password reset e-mail has been sent."}`
		signIn = `{"email": "ann@example.com", "password": "` + fixture.Password + `"}`
	)
	m.check("POST", base+"registration/", "", `{"email": "ann@example.com", "password1": "`+fixture.Password+`", "password2": "`+
		fixture.Password+`"}`, 201, `{"detail":"Verification e-mail sent."}`)
	m.check("POST", base+"login/", "", signIn, 400, `{"non_field_errors":["Unable to log in with provided credentials."]}`)
	s.Received(t, "activation ann@example.com")
	s.Clock.Advance(time.Minute)
	for _, email := range []string{"ann@example.com", "unknown@example.com"} {
		m.check("POST", base+"registration/resend-email/", "", `{"email": "`+email+`"}`, 200, ok)
	}
	key := fixture.LinkOf(s.Received(t, "activation ann@example.com")[0])
	m.check("GET", base+"registration/verify-email/", "", "", 405, "*")
	m.check("POST", base+"registration/verify-email/", "", `{"key": "`+key.UID.Value()+`:wrong"}`, 404, `{"detail":"Not found."}`)
	verify := `{"key": "` + key.UID.Value() + ":" + key.Token.Value() + `"}`
	m.check("POST", base+"registration/verify-email/", "", verify, 200, ok)
	m.check("POST", base+"registration/verify-email/", "", verify, 404, `{"detail":"Not found."}`)
	m.check("POST", base+"registration/resend-email/", "", `{"email": "ann@example.com"}`, 200, ok)
	s.Received(t)
	m.logsIn(base+"login/", signIn, 200)

	for _, email := range []string{"ann@example.com", "unknown@example.com"} {
		m.check("POST", base+"password/reset/", "", `{"email": "`+email+`"}`, 200, sent)
	}
	s.Clock.Advance(time.Minute)
	l := fixture.LinkOf(s.Received(t, "password_reset ann@example.com")[0])
	confirm := func(uid, token, first, second string, status int, want string) {
		t.Helper()
		m.check("POST", base+"password/reset/confirm/", "", fmt.Sprintf(
			`{"uid": %q, "token": %q, "new_password1": %q, "new_password2": %q}`, uid, token, first, second), status, want)
	}
	uid, token := l.UID.Value(), l.Token.Value()
	confirm("wrong", token, "1", "2", 400, `{"uid":["Invalid value"]}`)
	confirm(uid, "wrong", "1", "2", 400, `{"token":["Invalid value"]}`)
	confirm(uid, token, newSecret, "other", 400, `{"new_password2":["The two password fields didn’t match."]}`)
	confirm(uid, token, newSecret, newSecret, 200, `{"detail":"Password has been reset with the new password."}`)
	confirm(uid, token, newSecret, newSecret, 400, `{"token":["Invalid value"]}`)
	m.logsIn(base+"login/", `{"email": "ann@example.com", "password": "`+newSecret+`"}`, 200)
}

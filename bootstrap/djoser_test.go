package bootstrap

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"roster/adapters/httpapi"
	"roster/application"
	"roster/domain/user"
	"roster/test/support/fixture"
)

// mount is a service on a socket that serves djoser's paths below /auth, on storage in memory.
type mount struct {
	*fixture.Service

	t   *testing.T
	url string
}

func newMount(t *testing.T, policy application.AccessPolicy, d httpapi.Djoser) *mount {
	t.Helper()
	s := fixture.New(t, fixture.Django())
	d.Path = "/auth"
	return mounted(t, s, httpapi.Settings{Djoser: d}, httpapi.Ports{DjoserAccounts: s.Accounts.With(policy)})
}

// mounted returns the service of s on a socket, with the settings of profile django and more.
func mounted(t *testing.T, s *fixture.Service, set httpapi.Settings, p httpapi.Ports) *mount {
	t.Helper()
	p.Accounts, p.Authentication, p.Sessions = s.Accounts, s.Authentication, s.Devices
	set.PageSize, set.Pagination, set.MaxBody, set.RequestTimeout = 2, httpapi.Cursors, 4096, time.Minute
	set.Schemes, set.ExactScheme, set.PlainRedirects, set.PlainChallenge = []string{"Bearer", "JWT"}, true, true, true
	h, err := httpapi.New(p, set, nil, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	listening := httptest.NewServer(h)
	t.Cleanup(listening.Close)
	return &mount{s, t, listening.URL}
}

// as returns an Authorization header of a user.
func (m *mount) as(email string) string {
	return "Bearer " + m.SignsIn(m.t, email, fixture.Password).Access
}

// check sends a request and compares the answer. A body of "*" stands for any.
func (m *mount) check(method, path, authorization, body string, status int, want string) (answer string, header http.Header) {
	m.t.Helper()
	r, err := http.NewRequestWithContext(m.t.Context(), method, m.url+path, strings.NewReader(body))
	if err != nil {
		m.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		m.t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	if resp.StatusCode != status || want != "*" && string(got) != want {
		m.t.Errorf("%s %s %s: %d %s, want %d %s", method, path, body, resp.StatusCode, got, status, want)
	}
	return string(got), resp.Header
}

func wire(u *user.User) string {
	s := u.Snapshot()
	return fmt.Sprintf(`{"first_name":%q,"last_name":%q,"id":%s,"email":%q}`, s.FirstName, s.LastName, jsonID(s.ID), s.Email)
}

func jsonID(id user.ID) string {
	if _, ok := id.Integer(); ok {
		return string(id)
	}
	return `"` + string(id) + `"`
}

func TestDjoserUsers(t *testing.T) {
	m := newMount(t, application.Private, httpapi.Djoser{})
	const notFound = `{"detail":"Not found."}`
	ann, ben := m.Add(t, "ann@example.com"), m.Add(t, "ben@example.com")
	m.AddStaff(t, "root@example.com")
	self, root := m.as("ann@example.com"), m.as("root@example.com")
	one, other := "/auth/users/"+string(ann.ID())+"/", "/auth/users/"+string(ben.ID())+"/"

	m.check("POST", "/auth/users/", "", `{}`, 400, `{"first_name":["This field is required."],"last_name":["This field is required."],`+
		`"email":["This field is required."],"password":["This field is required."]}`)
	m.check("GET", "/auth/users/me/", self, "", 200, wire(ann))
	m.check("GET", "/auth/users/me/", strings.Replace(self, "Bearer", "JWT", 1), "", 200, wire(ann))
	if _, h := m.check("GET", "/auth/users/me/", strings.Replace(self, "Bearer", "jwt", 1), "", 401, "*"); h.Get("WWW-Authenticate") != `Bearer realm="api"` {
		t.Error(h)
	}
	m.check("GET", "/auth/users/", self, "", 200, `{"count":1,"next":null,"previous":null,"results":[`+wire(ann)+`]}`)
	m.check("GET", "/auth/users.json", self, "", 200, `{"count":1,"next":null,"previous":null,"results":[`+wire(ann)+`]}`)
	m.check("GET", "/auth/users/me.json", self, "", 200, wire(ann))
	m.check("GET", strings.TrimSuffix(one, "/")+".json/", self, "", 200, wire(ann))
	m.check("GET", "/auth/users/me.xml", self, "", 404, notFound)
	m.check("GET", other, self, "", 404, notFound)
	m.check("GET", other, root, "", 200, wire(ben))
	m.check("PUT", one, self, `{}`, 400, `{"first_name":["This field is required."],"last_name":["This field is required."]}`)
	m.check("PATCH", one, self, `{"first_name": "Bea", "email": "x@example.com", "password": "Nw4#pLkv-81yt", "is_staff": true}`, 200, "*")
	after, err := m.Ports.Users.Get(t.Context(), ann.ID())
	if s := after.Snapshot(); err != nil || s.FirstName != "Bea" || s.Email != "ann@example.com" || s.Staff || s.Password != ann.Snapshot().Password {
		t.Errorf("%+v %v", s, err)
	}
	m.check("DELETE", other, self, `{"current_password": "`+fixture.Password+`"}`, 404, notFound)
	m.check("DELETE", "/auth/users/me/", self, ``, 400, `{"current_password":["This field is required."]}`)
	m.check("DELETE", "/auth/users/me/", self, `{"current_password": "wrong"}`, 400, `{"current_password":["Invalid password."]}`)
	m.check("DELETE", "/auth/users/me/", self, `{"current_password": "`+fixture.Password+`"}`, 204, "")
	m.check("GET", "/auth/users/me/", self, "", 401, "*")
	if _, h := m.check("POST", "/auth/users", "", `{}`, 301, ""); h.Get("Location") != "/auth/users/" {
		t.Error(h)
	}
	m.check("GET", "/auth/", root, "", 200, `{"users":"`+m.url+`/auth/users/"}`)
	m.check("GET", "/auth/.json", root, "", 200, `{"users":"`+m.url+`/auth/users/"}`)
	m.check("GET", "/auth.json", root, "", 404, "*")
	m.check("GET", "/auth/", "", "", 401, "*")
	const fresh = `{"email": "ann@example.com", "password": "` + fixture.Password + `", "first_name": "Ann", "last_name": "Lee"}`
	created, _ := m.check("POST", "/auth/users/", "", fresh, 201, "*")
	u, err := m.Ports.Users.ByEmail(t.Context(), "ann@example.com")
	if want := `{"first_name":"Ann","last_name":"Lee","email":"ann@example.com","id":` + jsonID(u.ID()) + `}`; err != nil || created != want {
		t.Errorf("%s, want %s, %v", created, want, err)
	}
}

// As in djoser, the list has no filters and a fixed size, and orders by the members of its users.
func TestDjoserListIsUnfiltered(t *testing.T) {
	m := newMount(t, application.Listed, httpapi.Djoser{})
	m.Add(t, "ann@example.com")
	m.Add(t, "ben@example.com")
	self := m.as("ann@example.com")
	all, _ := m.check("GET", "/auth/users/", self, "", 200, "*")
	if !strings.HasPrefix(all, `{"count":2,`) {
		t.Fatal(all)
	}
	for _, ignored := range []string{
		"search=zzz", "is_active=false", "is_staff=true", "email=zzz", "page_size=1", "ordering=-date_joined", "ordering=date_joined,-joined",
		"search=" + strings.Repeat("a", 2000),
	} {
		m.check("GET", "/auth/users/?"+ignored, self, "", 200, all)
	}
	if got, _ := m.check("GET", "/auth/users/?ordering=date_joined,-email", self, "", 200, "*"); got == all {
		t.Error("an order by email is ignored")
	}
}

// show_users lists all users, and says of another's record that it is not for the asker.
func TestDjoserShowsUsers(t *testing.T) {
	m := newMount(t, application.Listed, httpapi.Djoser{})
	m.Add(t, "ann@example.com")
	ben := m.Add(t, "ben@example.com")
	m.Add(t, "cid@example.com")
	self := m.as("ann@example.com")
	m.check("GET", "/auth/users/?page=2", self, "", 200, "*")
	m.check("GET", "/auth/users/?page=3", self, "", 404, `{"detail":"Invalid page."}`)
	m.check("GET", "/auth/users/"+string(ben.ID())+"/", self, "", 403, `{"detail":"You do not have permission to perform this action."}`)
	m.check("GET", "/auth/users/2000000000/", self, "", 404, `{"detail":"Not found."}`)
}

func TestDjoserRetype(t *testing.T) {
	m := newMount(t, application.Private, httpapi.Djoser{UserCreatePasswordRetype: true, SetPasswordRetype: true})
	const (
		differ = `{"non_field_errors":["The two password fields didn't match."]}`
		fresh  = `{"email": "eve@example.com", "first_name": "Eve", "last_name": "Lee", "password": "Nw4#pLkv-81yt"`
		change = `{"current_password": "` + fixture.Password + `", "new_password": "Nw4#pLkv-81yt"`
	)
	m.Add(t, "ann@example.com")
	self := m.as("ann@example.com")
	m.check("POST", "/auth/users/", "", fresh+`}`, 400, `{"re_password":["This field is required."]}`)
	m.check("POST", "/auth/users/", "", fresh+`, "re_password": "x"}`, 400, differ)
	m.check("POST", "/auth/users/", "", fresh+`, "re_password": "Nw4#pLkv-81yt"}`, 201, "*")
	m.check("POST", "/auth/users/set_password/", self, change+`}`, 400, `{"re_new_password":["This field is required."]}`)
	m.check("POST", "/auth/users/set_password/", self, change+`, "re_new_password": "x"}`, 400, differ)
	m.check("POST", "/auth/users/set_password/", self, `{"new_password": "x", "re_new_password": "y", "current_password": "wrong"}`, 400,
		`{"current_password":["Invalid password."]}`)
	m.check("POST", "/auth/users/set_password/", self, change+`, "re_new_password": "Nw4#pLkv-81yt"}`, 204, "")
	m.SignsIn(t, "ann@example.com", "Nw4#pLkv-81yt")
	m.check("POST", "/api/users/set_password/", "Bearer "+m.SignsIn(t, "eve@example.com", "Nw4#pLkv-81yt").Access, `{}`, 400,
		`{"new_password":["This field is required."],"current_password":["This field is required."]}`)
}

func TestDjoserTokens(t *testing.T) {
	m := newMount(t, application.Private, httpapi.Djoser{})
	m.Add(t, "ann@example.com")
	body := `{"email": "ann@example.com", "password": "` + fixture.Password + `"}`
	m.check("POST", "/auth/jwt/create", "", body, 200, "*")
	m.check("POST", "/auth/jwt/create/", "", body, 200, "*")
	// djoser's patterns of these paths have no end, those of token/ do.
	for _, path := range []string{"create.json", "create.json/", "create/x/y"} {
		m.check("POST", "/auth/jwt/"+path, "", body, 200, "*")
	}
	m.check("POST", "/auth/jwt/verify.json", "", `{}`, 400, `{"token":["This field is required."]}`)
	pair := m.SignsIn(t, "ann@example.com", fixture.Password)
	m.check("POST", "/auth/jwt/verify", "", `{"token": "`+pair.Access+`"}`, 200, "{}")
	m.check("POST", "/auth/jwt/refresh/", "", `{"refresh": "`+pair.Refresh+`"}`, 200, "*")
	m.check("GET", "/auth/jwt/create/", "", "", 405, `{"detail":"Method \"GET\" not allowed."}`)
	m.check("POST", "/auth/jwt/blacklist/", "", `{}`, 404, "*")
	m.check("POST", "/auth/token/login/", "", `{}`, 404, "*")
}

func TestDjoserTokenLogin(t *testing.T) {
	s := fixture.New(t, fixture.Standard())
	m := mounted(t, s, httpapi.Settings{Djoser: httpapi.Djoser{Path: "/auth", TokenLogin: true}},
		httpapi.Ports{DjoserAccounts: s.Accounts.With(application.Private)})
	m.Add(t, "ann@example.com")
	m.check("POST", "/auth/token/login/", "", `{"email": "ann@example.com", "password": "wrong"}`, 400,
		`{"non_field_errors":["Unable to log in with provided credentials."]}`)
	m.check("POST", "/auth/token/login", "", `{"email": "ann@example.com"}`, 400, `{"password":["This field is required."]}`)
	m.check("POST", "/auth/token/login.json", "", `{}`, 404, "*")
	m.check("POST", "/auth/token/logout/", "", "", 401, "*")
	body, _ := m.check("POST", "/auth/token/login/", "", `{"email": "ann@example.com", "password": "`+fixture.Password+`"}`, 200, "*")
	var answer struct {
		Token string `json:"auth_token"`
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || answer.Token == "" {
		t.Fatalf("%s: %v", body, err)
	}
	m.check("GET", "/auth/users/me/", "Bearer "+answer.Token, "", 200, "*")
	m.check("POST", "/auth/token/logout/", "Bearer "+answer.Token, "", 204, "")
	m.check("GET", "/auth/users/me/", "Bearer "+answer.Token, "", 401, "*")
}

// Each fault of a field is reported as djoser 2.1.0 does.
func TestDjoserFieldsOfLinks(t *testing.T) {
	s := fixture.New(t, fixture.Django())
	m := mounted(t, s, httpapi.Settings{Djoser: httpapi.Djoser{Path: "/auth", SetUsernameRetype: true}},
		httpapi.Ports{DjoserAccounts: s.Accounts.With(application.Private), Links: s.Links})
	m.Add(t, "ann@example.com")
	const blank = `{"uid":["This field may not be blank."],"token":["This field may not be blank."]}`
	m.check("POST", "/auth/users/activation/", "", `{"uid": " ", "token": "\t "}`, 400, blank)
	m.check("POST", "/auth/users/reset_password_confirm/", "", `{"uid": " ", "token": " ", "new_password": "x"}`, 400, blank)
	m.check("POST", "/auth/users/reset_password/", "", `{"email": "a@example.com\u0000"}`, 400,
		`{"email":["Null characters are not allowed.","Enter a valid email address."]}`)
	m.check("POST", "/auth/users/set_email/", m.as("ann@example.com"),
		`{"new_email": true, "re_new_email": true, "current_password": "`+fixture.Password+`"}`, 400,
		`{"new_email":["Enter a valid email address."],"re_new_email":["Not a valid string."]}`)
}

package attacks

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"roster/test/support/process"
)

// site is a service with browser sessions. The tests send what the proxy in front of it would: it ends TLS.
type site struct {
	*process.Server
	t *testing.T
}

const (
	ownOrigin  = "https://id.example.org"
	pageOrigin = "https://app.example.org" // is listed
)

func startSite(t *testing.T, more ...string) *site {
	t.Helper()
	env := map[string]string{
		"ROSTER_BROWSER_SESSIONS": "on", "ROSTER_BROWSER_ORIGINS": pageOrigin, "ROSTER_TRUSTED_PROXIES": "127.0.0.1",
		"ROSTER_ADMIN_LISTEN": "127.0.0.1:0", "ROSTER_CORS_ORIGINS": "*",
	}
	for i := 0; i < len(more); i += 2 {
		env[more[i]] = more[i+1]
	}
	s := &site{process.Start(t, env), t}
	if _, stderr, code := s.CLIWithInput(password+"\n", "createsuperuser", "--email", admin, "--first-name", "Ada", "--last-name", "Byron",
		"--password-file", "-"); code != 0 {
		t.Fatalf("createsuperuser: exit code %d: %s", code, stderr)
	}
	return s
}

// send sends a request as the proxy does, for a browser at the page of the service unless headers (NAME: VALUE) name another
// Origin.
func (s *site) send(method, path, body string, headers ...string) reply {
	s.t.Helper()
	all := []string{"Host: id.example.org", "X-Forwarded-Proto: https", "X-Forwarded-For: 192.0.2.7"}
	if body != "" {
		all = append(all, "Content-Type: application/json")
	}
	return (&mailing{Server: s.Server, t: s.t}).send(method, path, body, append(all, headers...)...)
}

// with returns the header with the cookie.
func with(value string) string { return "Cookie: __Host-roster=" + value }

// signsIn signs a browser in and returns the cookie's value.
func (s *site) signsIn(email string, headers ...string) string {
	s.t.Helper()
	r := s.send("POST", "/api/session/", fmt.Sprintf(`{"email":%q,"password":%q}`, email, password), headers...)
	if r.status != http.StatusCreated {
		s.t.Fatalf("sign in: %d %s", r.status, r.body)
	}
	cookie, err := http.ParseSetCookie(r.header.Get("Set-Cookie"))
	if err != nil {
		s.t.Fatal(err)
	}
	return cookie.Value
}

func (s *site) want(what string, r reply, status int) {
	s.t.Helper()
	if r.status != status {
		s.t.Errorf("%s: %d %s, want %d", what, r.status, r.body, status)
	}
}

// register adds a user with password and returns its id.
func (s *site) register(email string) string {
	s.t.Helper()
	r := s.send("POST", "/api/users/", fmt.Sprintf(`{"email":%q,"password":%q,"first_name":"Mia","last_name":"Noor"}`, email, password))
	s.want("register", r, http.StatusCreated)
	return r.member("id")
}

// The cookie cannot be read by scripts, does not leave TLS, is bound to the host, and is not sent with the requests of
// other sites' forms and scripts. The same session is in the list, and its secret is nowhere.
func TestBrowserCookie(t *testing.T) {
	s := startSite(t)
	r := s.send("POST", "/api/session/", fmt.Sprintf(`{"email":%q,"password":%q}`, admin, password))
	s.want("sign in", r, http.StatusCreated)
	cookie, err := http.ParseSetCookie(r.header.Get("Set-Cookie"))
	if err != nil || cookie.Name != "__Host-roster" || !cookie.HttpOnly || !cookie.Secure || cookie.SameSite != http.SameSiteLaxMode ||
		cookie.Path != "/" || cookie.Domain != "" || r.header.Get("Cache-Control") != "no-store" || len(r.header.Values("Set-Cookie")) != 1 {
		t.Errorf("%v, %v", r.header, err)
	}
	parts := strings.Split(cookie.Value, ".")
	secret := parts[len(parts)-1]
	if len(secret) < 43 || strings.Contains(r.body, secret) {
		t.Errorf("secret %q, body %s", secret, r.body)
	}
	shown := s.send("GET", "/api/session/", "", with(cookie.Value))
	s.want("show the session", shown, http.StatusOK)
	if shown.body != r.body || !strings.Contains(shown.body, `"email":"`+admin+`"`) {
		t.Errorf("%s, want %s", shown.body, r.body)
	}
	list := s.send("GET", "/api/sessions/", "", with(cookie.Value))
	if !strings.Contains(list.body, `"current":true`) || !strings.Contains(list.body, parts[1]) || strings.Contains(list.body, secret) {
		t.Errorf("sessions: %s", list.body)
	}
	file := filepath.Join(t.TempDir(), "export")
	_, stderr, code := s.CLI("export", file)
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	export := string(content)
	if code != 0 || !strings.Contains(export, parts[1]) || strings.Contains(export, secret) || strings.Contains(s.Logs(), secret) {
		t.Errorf("the export (%d %s) or the log has the secret", code, stderr)
	}
}

// Requests of pages of other origins are refused, whatever they change, and their pages read nothing. A listed origin
// may do both.
func TestCrossSiteRequestsAreRefused(t *testing.T) {
	s := startSite(t)
	id := s.register("mia@example.com")
	mine := with(s.signsIn("mia@example.com"))
	for name, page := range map[string][]string{
		"another site":                   {"Origin: https://evil.example", "Sec-Fetch-Site: cross-site"},
		"a sibling host":                 {"Origin: https://www.example.org", "Sec-Fetch-Site: same-site"},
		"the parent":                     {"Origin: https://example.org", "Sec-Fetch-Site: same-site"},
		"a host below":                   {"Origin: https://x.id.example.org", "Sec-Fetch-Site: same-site"},
		"plain HTTP of the host itself":  {"Origin: http://id.example.org", "Sec-Fetch-Site: cross-site"},
		"plain HTTP of a listed origin":  {"Origin: http://app.example.org", "Sec-Fetch-Site: cross-site"},
		"another port of the host":       {"Origin: https://id.example.org:8443", "Sec-Fetch-Site: same-site"},
		"a sandboxed frame":              {"Origin: null", "Sec-Fetch-Site: cross-site"},
		"a link of another site":         {"Sec-Fetch-Site: cross-site"},
		"an old browser at another site": {"Origin: https://evil.example"},
		"a listed origin as a prefix":    {"Origin: https://app.example.org.evil.example", "Sec-Fetch-Site: cross-site"},
	} {
		for _, c := range []struct{ method, path, body string }{
			{"PATCH", "/api/users/me/", `{"first_name":"Eve"}`}, {"PUT", "/api/users/me/", `{"first_name":"Eve"}`},
			{"DELETE", "/api/users/" + id + "/", ""}, {"POST", "/api/users/me/password/", `{}`}, {"DELETE", "/api/sessions/", ""},
			{"DELETE", "/api/session/", ""}, {"POST", "/api/session/", fmt.Sprintf(`{"email":%q,"password":%q}`, admin, password)},
		} {
			r := s.send(c.method, c.path, c.body, append(page, mine, "Accept: application/problem+json")...)
			s.want(name+": "+c.method+" "+c.path, r, http.StatusForbidden)
			if r.member("code") != "cross_origin" || r.header.Get("Set-Cookie") != "" {
				t.Errorf("%s: %s %v", name, r.body, r.header)
			}
		}
		// A form that a browser sends without asking first.
		r := s.send("POST", "/api/session/", "", append(page, mine, "Content-Type: application/x-www-form-urlencoded")...)
		s.want(name+": a form", r, http.StatusForbidden)
		for _, method := range []string{"GET", "OPTIONS"} { // "*" of cors_origins is for requests without a cookie
			r := s.send(method, "/api/session/", "", append(page, mine, "Access-Control-Request-Method: DELETE")...)
			if got := r.header.Get("Access-Control-Allow-Credentials"); got != "" {
				t.Errorf("%s: %s allows credentials", name, method)
			}
		}
	}
	own := s.send("GET", "/api/users/me/", "", mine)
	if own.status != http.StatusOK || !strings.Contains(own.body, `"first_name":"Mia"`) {
		t.Errorf("after all: %d %s", own.status, own.body)
	}
	for _, page := range [][]string{
		{"Origin: " + ownOrigin, "Sec-Fetch-Site: same-origin"}, {"Origin: " + pageOrigin, "Sec-Fetch-Site: same-site"}, {"Origin: " + pageOrigin}, {},
	} {
		r := s.send("PATCH", "/api/users/me/", `{"first_name":"Zoe"}`, append(page, mine)...)
		s.want(fmt.Sprint(page), r, http.StatusOK)
	}
	listed := []string{"Origin: " + pageOrigin, "Sec-Fetch-Site: same-site"}
	r := s.send("OPTIONS", "/api/session/", "", append(listed, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type")...)
	if r.header.Get("Access-Control-Allow-Origin") != pageOrigin || r.header.Get("Access-Control-Allow-Credentials") != "true" {
		t.Errorf("preflight of a listed origin: %v", r.header)
	}
	r = s.send("GET", "/api/session/", "", append(listed, mine)...)
	if r.status != http.StatusOK || r.header.Get("Access-Control-Allow-Origin") != pageOrigin || r.header.Get("Access-Control-Allow-Credentials") != "true" {
		t.Errorf("listed origin: %d %v", r.status, r.header)
	}
}

// A value that an attacker plants is never taken over, and a sign-in makes the one before worthless.
func TestCookieFixation(t *testing.T) {
	s := startSite(t)
	s.register("mia@example.com")
	attackers := s.signsIn("mia@example.com")
	planted := s.signsIn(admin, with(attackers))
	if planted == attackers {
		t.Error("the planted value signs the visitor in")
	}
	s.want("the planted value", s.send("GET", "/api/session/", "", with(attackers)), http.StatusUnauthorized)
	again := s.signsIn(admin, with(planted))
	s.want("the value before", s.send("GET", "/api/session/", "", with(planted)), http.StatusUnauthorized)
	// A sibling host cannot set a cookie with the prefix __Host-, only one that looks like it.
	for _, cookie := range []string{
		"Cookie: roster=" + again, "Cookie: __host-roster=" + again, "Cookie: __Host-roster=" + again + "; __Host-roster=" + attackers,
		"Cookie: __Secure-roster=" + again, `Cookie: __Host-roster="x` + again + `"`,
	} {
		s.want(cookie, s.send("GET", "/api/session/", "", cookie), http.StatusUnauthorized)
	}
	s.want("the value", s.send("GET", "/api/session/", "", with(again)), http.StatusOK)
}

// A cookie is worthless after each of these, also in another browser that has a copy.
func TestCookieReplay(t *testing.T) {
	s := startSite(t)
	root := with(s.signsIn(admin))
	for i, c := range []struct {
		what string
		end  func(id, value string) reply
		ok   int
	}{
		{"sign-out", func(_, value string) reply { return s.send("DELETE", "/api/session/", "", with(value)) }, 204},
		{"a change of the password in another browser", func(_, _ string) reply {
			return s.send("POST", "/api/users/me/password/",
				fmt.Sprintf(`{"current_password":%q,"new_password":"Another-Gate-of-9"}`, password), with(s.signsIn("u1@example.com")))
		}, 204},
		{"a change of the password among the fields", func(_, value string) reply {
			return s.send("PATCH", "/api/users/me/", `{"password":"Another-Gate-of-9"}`, with(value))
		}, 200},
		{"a new password by staff", func(id, _ string) reply {
			return s.send("PATCH", "/api/users/"+id+"/", `{"password":"Another-Gate-of-9"}`, root)
		}, 200},
		{"deactivation", func(id, _ string) reply { return s.send("PATCH", "/api/users/"+id+"/", `{"is_active":false}`, root) }, 200},
		{"deactivation and reactivation", func(id, _ string) reply {
			s.send("PATCH", "/api/users/"+id+"/", `{"is_active":false}`, root)
			return s.send("PATCH", "/api/users/"+id+"/", `{"is_active":true}`, root)
		}, 200},
		{"the staff flag", func(id, _ string) reply { return s.send("PATCH", "/api/users/"+id+"/", `{"is_staff":true}`, root) }, 200},
		{"deletion", func(id, _ string) reply { return s.send("DELETE", "/api/users/"+id+"/", "", root) }, 204},
		{"the end of all sessions", func(_, value string) reply { return s.send("DELETE", "/api/sessions/", "", with(value)) }, 204},
		{"the end by staff", func(id, _ string) reply { return s.send("DELETE", "/api/sessions/?user="+id, "", root) }, 204},
	} {
		email := fmt.Sprintf("u%d@example.com", i)
		id := s.register(email)
		value := s.signsIn(email)
		s.want(c.what+": before", s.send("GET", "/api/users/me/", "", with(value)), http.StatusOK)
		s.want(c.what, c.end(id, value), c.ok)
		for _, path := range []string{"/api/session/", "/api/users/me/", "/api/users/" + id + "/"} {
			s.want("after "+c.what+": "+path, s.send("GET", path, "", with(value)), http.StatusUnauthorized)
		}
		r := s.send("DELETE", "/api/session/", "", with(value)) // a second sign-out is none
		if r.status != http.StatusNoContent || !strings.Contains(r.header.Get("Set-Cookie"), "Max-Age=0") {
			t.Errorf("%s: sign out again: %d %v", c.what, r.status, r.header)
		}
	}
}

// A cookie counts where no Authorization header is sent, and only there.
func TestCookieWithAuthorization(t *testing.T) {
	s := startSite(t)
	s.register("mia@example.com")
	staff := with(s.signsIn(admin))
	tokens := s.send("POST", "/api/token/", fmt.Sprintf(`{"email":"mia@example.com","password":%q}`, password))
	access := "Authorization: Bearer " + tokens.member("access")
	if r := s.send("GET", "/api/users/me/", "", staff, access); r.member("email") != "mia@example.com" {
		t.Errorf("both: %s", r.body)
	}
	s.want("a token that is not staff's", s.send("GET", "/api/audit/", "", staff, access), http.StatusForbidden)
	for _, header := range []string{"Authorization: Bearer x", "Authorization: Basic eDp5", "Authorization: Bearer", "Authorization: "} {
		s.want(header, s.send("GET", "/api/users/me/", "", staff, header), http.StatusUnauthorized)
		s.want(header, s.send("GET", "/api/session/", "", staff, header), http.StatusUnauthorized)
	}
	s.want("a token alone", s.send("GET", "/api/session/", "", access), http.StatusUnauthorized)
	s.want("the cookie's value as a token", s.send("GET", "/api/users/me/", "", "Authorization: Bearer "+strings.TrimPrefix(staff, "Cookie: __Host-roster=")), http.StatusUnauthorized)
	s.want("a token as the cookie's value", s.send("GET", "/api/users/me/", "", with(tokens.member("access"))), http.StatusUnauthorized)
	// A worthless cookie is none: what needs no sign-in still works.
	s.want("registration", s.send("POST", "/api/users/", fmt.Sprintf(`{"email":"zoe@example.com","password":%q,"first_name":"Zoe","last_name":"Noor"}`, password),
		with("7.0123456789abcdef01234567.x")), http.StatusCreated)
}

// No cookie is set or taken where others may read it, nor where a name could be one that was made to resolve here.
func TestCookieOverPlainHTTP(t *testing.T) {
	s := startSite(t, "ROSTER_TRUSTED_PROXIES", "")
	in := fmt.Sprintf(`{"email":%q,"password":%q}`, admin, password)
	plain := &mailing{Server: s.Server, t: t}
	for _, headers := range [][]string{
		{"Host: id.example.org"}, {"Host: id.example.org", "X-Forwarded-Proto: https"}, {"Host: 192.0.2.1"}, {"Host: localhost.evil.example"},
		{"Host: localhost", "X-Forwarded-For: 192.0.2.7"}, {"Host: localhost", "Forwarded: proto=https"}, {"Host: localhost", "Via: 1.1 proxy"},
	} {
		all := append([]string{"Content-Type: application/json", "Accept: application/problem+json"}, headers...)
		r := plain.send("POST", "/api/session/", in, all...)
		if r.status != http.StatusForbidden || r.member("code") != "insecure_connection" || r.header.Get("Set-Cookie") != "" {
			t.Errorf("%v: %d %s %v", headers, r.status, r.body, r.header)
		}
	}
	r := plain.send("POST", "/api/session/", in, "Content-Type: application/json")
	cookie, err := http.ParseSetCookie(r.header.Get("Set-Cookie"))
	if err != nil || r.status != http.StatusCreated || cookie.Name != "roster" || cookie.Secure || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode {
		t.Fatalf("on this machine: %d %v, %v", r.status, r.header, err)
	}
	local := "Cookie: roster=" + cookie.Value
	s.want("on this machine", plain.send("GET", "/api/session/", "", local), http.StatusOK)
	s.want("in clear", plain.send("GET", "/api/session/", "", local, "Host: id.example.org"), http.StatusUnauthorized)
	s.want("from a page at another port", plain.send("DELETE", "/api/sessions/", "", local, "Origin: http://localhost:3000", "Sec-Fetch-Site: same-site"),
		http.StatusForbidden)
	if !strings.Contains(s.Logs(), "browser_sessions is on") {
		t.Error("the start does not warn")
	}
}

// Guesses at the sign-in of browsers count with those at that of tokens, and lock the account for both.
func TestGuessingAtTheBrowserSignIn(t *testing.T) {
	s := startSite(t)
	s.register("mia@example.com")
	guess := func(path, password string) reply {
		return s.send("POST", path, fmt.Sprintf(`{"email":"mia@example.com","password":%q}`, password))
	}
	paths := []string{"/api/session/", "/api/token/"}
	for i := range 10 {
		s.want("a guess", guess(paths[i%2], "wrong"), http.StatusUnauthorized)
	}
	for _, path := range paths {
		r := guess(path, password)
		s.want("locked "+path, r, http.StatusTooManyRequests)
		if r.header.Get("Retry-After") == "" || r.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %v", path, r.header)
		}
	}
	limited := startSite(t, "ROSTER_THROTTLE_TOKEN", "2/hour")
	for _, want := range []int{401, 401, 429} {
		s.want("beyond throttle_token", limited.send("POST", "/api/session/", `{"email":"x@example.com","password":"wrong"}`), want)
	}
}

// A user reaches no session of another with a cookie, whatever parts of it are exchanged.
func TestSessionOfAnotherUser(t *testing.T) {
	s := startSite(t)
	s.register("mia@example.com")
	mine, theirs := s.signsIn("mia@example.com"), s.signsIn(admin)
	a, b := strings.Split(mine, "."), strings.Split(theirs, ".")
	for i := range 3 {
		mixed := append([]string(nil), a...)
		mixed[i] = b[i]
		s.want(fmt.Sprint("part ", i), s.send("GET", "/api/users/me/", "", with(strings.Join(mixed, "."))), http.StatusUnauthorized)
	}
	s.want("end the other one", s.send("DELETE", "/api/sessions/"+b[1]+"/", "", with(mine)), http.StatusNotFound)
	s.want("list those of another", s.send("GET", "/api/sessions/?user="+b[0], "", with(mine)), http.StatusForbidden)
	s.want("theirs", s.send("GET", "/api/session/", "", with(theirs)), http.StatusOK)
}

// With the setting off, as by default, there is no such path and a cookie is nothing.
func TestCookieWithoutBrowserSessions(t *testing.T) {
	s := startSite(t)
	value := s.signsIn(admin)
	off := s.Twin(map[string]string{"ROSTER_BROWSER_SESSIONS": "off", "ROSTER_BROWSER_ORIGINS": ""})
	of := &site{off, t}
	s.want("off", of.send("GET", "/api/users/me/", "", with(value)), http.StatusUnauthorized)
	s.want("off", of.send("GET", "/api/session/", "", with(value)), http.StatusNotFound)
}

package console

import (
	"encoding/csv"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"roster/test/support/process"
)

// hostile is text that must stay text, in each field that any client can set.
const hostile = `"><img src=x onerror=alert(1)><script>alert(2)</script>`

// What clients write into names, addresses and User-Agent stays text, in a real browser too.
func TestTextOfClientsStaysText(t *testing.T) {
	s := serve(t, nil, "")
	email := `"<script>alert(3)</script>"@example.com`
	id := s.register(email, hostile, "{{7*7}}")
	s.token(email, password, hostile)
	s.call(http.MethodPost, "/api/token/", "", hostile, map[string]string{"email": email, "password": "wrong"})
	v := s.visit(admin)
	signedOut := visitor{http.DefaultClient, s} // a visitor that is signed in is redirected from the sign-in
	name, address, parameter := ">"+html.EscapeString(hostile), html.EscapeString(email), `value="`+html.EscapeString(hostile)+`"`
	agent, query := `title="`+html.EscapeString(hostile)+`"`, url.QueryEscape(hostile)
	for _, c := range []struct {
		v      visitor
		path   string
		status int
		shown  []string // what the page must have, as text
	}{
		{v, "users/", http.StatusOK, []string{name, address}},
		{v, "users/?search=" + query, http.StatusOK, []string{parameter}},
		{v, "users/?order=" + query, http.StatusOK, []string{name, address}},
		{v, "users/" + id + "/", http.StatusOK, []string{name, address, agent}},
		{v, "audit/", http.StatusOK, []string{agent}},
		{v, "audit/?by=" + query, http.StatusNotFound, []string{parameter}},
		{signedOut, "sign-in/?next=" + query, http.StatusOK, []string{parameter}},
	} {
		path := c.path
		status, page, _ := c.v.get(path)
		if status != c.status {
			t.Errorf("%s: status %d, want %d", path, status, c.status)
		}
		for _, text := range c.shown {
			if !strings.Contains(page, text) {
				t.Errorf("%s does not have %q", path, text)
			}
		}
		if strings.Contains(page, "<script>alert") || strings.Contains(page, "<img src=x") {
			t.Errorf("%s has the text as markup", path)
		}
		if regexp.MustCompile(`(?i)\son[a-z]+\s*=\s*["']|style=|<style|<script(?: [^>]*)?>[^<]`).MatchString(strings.ReplaceAll(page, "&#34;", "")) {
			t.Errorf("%s has an inline script or style", path)
		}
	}
	b := s.open()
	b.Do(chromedp.Navigate(s.console + "users/" + id + "/"))
	says(t, b, "h1", "onerror=alert(1)")
	b.Quiet(s.URL)
}

// No page can be framed, cached or sniffed, and its policy allows nothing inline.
func TestHeaders(t *testing.T) {
	s := serve(t, nil, "")
	v := s.visit(admin)
	for _, path := range []string{"sign-in/", "users/", "users/new/", "users/nobody/", "no-such-page/"} {
		_, _, h := v.get(path)
		policy := h.Get("Content-Security-Policy")
		if h.Get("X-Frame-Options") != "DENY" || h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", path, h)
		}
		if !strings.Contains(policy, "default-src 'self'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", path, policy)
		}
	}
}

// Only administrators see anything.
func TestOthersAreRefused(t *testing.T) {
	s := serve(t, nil, "")
	id := s.register("ann@example.com", "Ann", "Lee")
	ann := s.visit("ann@example.com")
	anonymous := visitor{&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, s}
	for _, path := range []string{"", "users/", "users/users.csv", "users/new/", "users/invite/", "users/" + id + "/"} {
		if status, page, _ := ann.get(path); status != http.StatusForbidden || !strings.Contains(page, "Only administrators") {
			t.Errorf("%s of a user: %d", path, status)
		}
		if status, page, h := anonymous.get(path); status != http.StatusSeeOther || !strings.Contains(h.Get("Location"), "sign-in/") || page != "" {
			t.Errorf("%s without a session: %d %s", path, status, h.Get("Location"))
		}
	}
	for _, path := range []string{"users/new/", "users/" + id + "/", "users/" + id + "/staff/", "users/" + id + "/delete/", "users/" + id + "/end-sessions/"} {
		values := url.Values{"on": {"true"}, "confirm": {"ann@example.com"}, "version": {"1"}}
		if status, _, _ := ann.post(path, values); status != http.StatusForbidden {
			t.Errorf("POST %s of a user: %d", path, status)
		}
		if status, _, _ := anonymous.post(path, values); status != http.StatusUnauthorized {
			t.Errorf("POST %s without a session: %d", path, status)
		}
	}
}

// A page of another origin, even of a sibling host, can neither change anything nor sign a user in.
func TestOtherOriginsAreRefused(t *testing.T) {
	s := serve(t, nil, "")
	id := s.register("ann@example.com", "Ann", "Lee")
	v := s.visit(admin)
	for _, header := range [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
		for _, path := range []string{"sign-in/", "sign-out/", "users/" + id + "/active/"} {
			values := url.Values{"email": {admin}, "password": {password}, "on": {"false"}}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.console+path, strings.NewReader(values.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set(header[0], header[1])
			if status, _, h := v.do(r); status != http.StatusForbidden || h.Get("Set-Cookie") != "" {
				t.Errorf("%s with %s: %s: %d", path, header[0], header[1], status)
			}
		}
	}
	if _, page, _ := v.get("users/" + id + "/"); !strings.Contains(page, ">Active<") {
		t.Error("the user is not active any more")
	}
}

// The value of a cookie is worthless after the sign-out.
func TestCookieAfterSignOut(t *testing.T) {
	s := serve(t, nil, "")
	v := s.visit(admin)
	base, err := url.Parse(s.console)
	if err != nil {
		t.Fatal(err)
	}
	kept := v.Jar.Cookies(base)
	v.post("sign-out/", nil)
	v.Jar.SetCookies(base, kept)
	if _, page, _ := v.get("users/"); !strings.Contains(page, `id="password"`) || strings.Contains(page, admin) {
		t.Error("the cookie opens the console after the sign-out")
	}
}

// Without scripts everything works but the search during typing: a search, a change, its undo, the end of sessions, a
// deletion with the typed address, an invitation, and the list as CSV.
func TestWithoutScripts(t *testing.T) {
	s := serve(t, nil, "")
	id := s.register("ann@example.com", "=cmd()", "Lee")
	v := s.visit(admin)
	if _, page, _ := v.get("users/?search=ann&active=yes"); !strings.Contains(page, "users/"+id+"/") || strings.Contains(page, "Ada Lee") {
		t.Error("the search does not find the user alone")
	}
	_, text, h := v.get("users/users.csv?search=ann")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 2 || !slices.Contains(rows[1], "'=cmd()") || !slices.Contains(rows[1], "ann@example.com") || !strings.HasPrefix(h.Get("Content-Type"), "text/csv") {
		t.Errorf("CSV: %v %q", err, rows)
	}
	_, page, _ := v.get("users/" + id + "/")
	for _, step := range []struct {
		path   string
		values url.Values
		notice string
	}{
		{"", url.Values{"version": {input(t, page, "version")}, "email": {"ann@example.com"}, "before.email": {"ann@example.com"}, "first_name": {"Ann"}, "before.first_name": {"=cmd()"}, "last_name": {"Lee"}, "before.last_name": {"Lee"}, "locale": {""}, "before.locale": {""}}, "The changes are saved."},
		{"active/", url.Values{"on": {"false"}}, "The user is deactivated."},
		{"active/", url.Values{"on": {"true"}}, "The user is active."},
		{"staff/", url.Values{"on": {"true"}}, "The user is an administrator now."},
		{"staff/", url.Values{"on": {"false"}}, "no administrator any more"},
		{"end-sessions/", nil, "All sessions of the user have ended."},
		{"unlock/", nil, "The failed sign-ins are forgotten"},
		{"reset/", nil, "A mail with a link to choose a new password"},
		{"password/", url.Values{"password": {"123"}}, "This password is too short"},
		{"delete/", url.Values{"confirm": {"bob@example.com"}}, "This is not the address of the user."},
		{"delete/", url.Values{"confirm": {"ann@example.com"}}, "The user is deleted."},
	} {
		if status, page, _ := v.post("users/"+id+"/"+step.path, step.values); !strings.Contains(page, step.notice) {
			t.Errorf("%s: %d, no %q", step.path, status, step.notice)
		}
	}
	if status, _, _ := v.get("users/" + id + "/"); status != http.StatusNotFound {
		t.Errorf("a deleted user: %d", status)
	}
	if _, page, _ := v.post("users/invite/", url.Values{"email": {"new@example.org"}, "first_name": {"New"}, "last_name": {"Person"}}); !strings.Contains(page, "The user is invited.") {
		t.Error("no invitation")
	}
	if _, page, _ := v.post("users/invite/", url.Values{"email": {"new@example.org"}}); !strings.Contains(page, "user with this email address already exists.") {
		t.Error("a second invitation")
	}
	if _, page, _ := v.post("users/new/", url.Values{"email": {""}, "first_name": {"A"}, "last_name": {"B"}, "password": {password}}); !strings.Contains(page, "This field may not be blank.") {
		t.Error("a user without address")
	}
	if _, page, _ := v.post("users/new/", url.Values{"email": {"cy@example.com"}, "first_name": {"Cy"}, "last_name": {"Z"}, "password": {password}}); !strings.Contains(page, "The user is created.") {
		t.Error("no new user")
	}
}

// The pages of a list, to the end and back, show each user once.
func TestPagesOfTheList(t *testing.T) {
	s := serve(t, nil, exported(t, 130))
	v := s.visit(admin)
	link := func(page, rel string) string {
		m := regexp.MustCompile(`rel="` + rel + `" href="[^"?]*\?([^"]*)"`).FindStringSubmatch(page)
		if m == nil {
			return ""
		}
		return "users/?" + strings.ReplaceAll(m[1], "&amp;", "&")
	}
	rows := regexp.MustCompile(`<th scope="row"><a[^>]*>([^<]+)</a>`)
	for _, order := range []string{"-date_joined", "email", "-last_name", "first_name", "id"} {
		seen, pages := map[string]bool{}, []string{"users/?order=" + order}
		for at := pages[0]; at != ""; {
			_, page, _ := v.get(at)
			for _, m := range rows.FindAllStringSubmatch(page, -1) {
				if seen[m[1]] {
					t.Errorf("%s: %s appears twice", order, m[1])
				}
				seen[m[1]] = true
			}
			if at = link(page, "next"); at != "" {
				pages = append(pages, at)
			}
		}
		if len(seen) != 131 || len(pages) != 6 {
			t.Errorf("%s: %d users on %d pages, want 131 on 6", order, len(seen), len(pages))
		}
		_, last, _ := v.get(pages[len(pages)-1])
		back, n := link(last, "prev"), 1
		for ; back != ""; n++ {
			_, page, _ := v.get(back)
			back = link(page, "prev")
		}
		if n != 6 {
			t.Errorf("%s: the way back has %d pages, want 6", order, n)
		}
	}
}

// The console is on one listener, or nowhere.
func TestConsoleIsOnOneListener(t *testing.T) {
	for setting, want := range map[string]string{"admin": "admin", "api": "api", "off": ""} {
		t.Run(setting, func(t *testing.T) {
			s := serve(t, map[string]string{"ROSTER_CONSOLE": setting, "ROSTER_ADMIN_LISTEN": "127.0.0.1:0"}, "")
			found := regexp.MustCompile(`"admin":"([^"]+)"`).FindStringSubmatch(s.Logs())
			if found == nil {
				t.Fatal("the log does not say where the admin listener is")
			}
			for name, base := range map[string]string{"api": s.URL, "admin": found[1]} {
				for _, path := range []string{"/console/", "/console", "/console/sign-in/", "//console/sign-in/", "/x/../console/sign-in/", "/CONSOLE/", "/console/%2e%2e/console/sign-in/"} {
					resp, err := http.Get(base + path)
					if err != nil {
						t.Fatal(err)
					}
					serves := resp.Header.Get("Cross-Origin-Opener-Policy") != ""
					resp.Body.Close()
					if name != want && serves || name == want && strings.HasPrefix(path, "/console/sign") && !serves {
						t.Errorf("%s on the listener %s: served %t (%d)", path, name, serves, resp.StatusCode)
					}
				}
			}
		})
	}
}

// Without an administrator, the sign-in says how to make one on the command line.
func TestFirstAdministrator(t *testing.T) {
	server := process.Start(t, map[string]string{"ROSTER_CONSOLE": "api"})
	v := visitor{http.DefaultClient, &site{Server: server, t: t, console: server.URL + "/console/"}}
	if _, page, _ := v.get("sign-in/"); !strings.Contains(page, "roster createsuperuser") {
		t.Error("the sign-in does not say how to make an administrator")
	}
	if _, stderr, code := server.CLIWithInput(password, "createsuperuser", "--email", admin, "--first-name", "Ada", "--last-name", "Lee", "--password-file", "-"); code != 0 {
		t.Fatal(stderr)
	}
	if _, page, _ := v.get("sign-in/"); strings.Contains(page, "createsuperuser") {
		t.Error("the hint is there with an administrator")
	}
}

package console

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"roster/domain/audit"
	"roster/domain/mail"
	"roster/domain/session"
	"roster/domain/signing"
	"roster/domain/user"
	"roster/ports/inbound"
	"roster/test/support/fixture"
)

// served is the console over HTTP with an administrator, and a client without a session.
type served struct {
	*fixture.Service

	t    *testing.T
	base string // URL of the console
	http *http.Client
	ring fixture.Keys
	sent []*http.Cookie // a jar would look at the clock of the machine
}

const (
	admin  = "admin@example.com"
	script = `<script>alert("x")</script>`
)

func newPages(t *testing.T, ring fixture.Keys) *served {
	t.Helper()
	set := fixture.Standard()
	set.Mail = fixture.Mailing("required")
	s := fixture.New(t, set)
	s.AddStaff(t, admin)
	about := inbound.About{
		Version: "1.2.3", Backend: "memory", Profile: "standard", Mail: "to the log", Started: s.Clock.Now(),
		Warnings: []string{"listen is :8000: sent without TLS"},
		Settings: []inbound.SettingValue{
			{Name: "listen", Value: ":8000", Group: "Network", Help: "The address.", Source: "file", Unsafe: []string{"sent without TLS"}},
			{Name: "signing_key", Value: "(set)", Group: "Tokens", Source: "environment"},
			{Name: "mail_from", Value: script, Group: "Tokens", Source: "file"},
		},
	}
	o := s.Operation(t, set, about, ring)
	pages, err := New(Ports{
		Browser: s.Browsers, Accounts: s.Accounts, Sessions: s.Devices, Trail: s.Trail, Links: s.Links, Overview: o.Overview, Keys: o.Keys,
		Mails: o.Mails, HasAdministrator: s.Administration.HasAdministrator,
	}, Settings{Version: "1.2.3"}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	out := &served{Service: s, t: t, http: client, ring: ring}
	out.serve(pages, Path)
	return out
}

// serve makes the requests go to pages.
func (s *served) serve(pages http.Handler, path string) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o := inbound.Origin{Channel: audit.API, Client: session.Client{Address: "192.0.2.1", UserAgent: r.UserAgent()}, RequestID: "r1"}
		pages.ServeHTTP(w, r.WithContext(inbound.WithOrigin(r.Context(), o)))
	}))
	s.t.Cleanup(server.Close)
	s.base = server.URL + path
}

// answer is a response of the console.
type answer struct {
	t      *testing.T
	what   string
	status int
	header http.Header
	body   string
}

func (s *served) do(method, path string, form url.Values) answer {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for _, c := range s.sent {
		r.AddCookie(c)
	}
	resp, err := s.http.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{s.t, method + " " + path, resp.StatusCode, resp.Header, string(body)}
}

func (s *served) get(path string) answer { s.t.Helper(); return s.do(http.MethodGet, path, nil) }

func (s *served) post(path string, pairs ...string) answer {
	s.t.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return s.do(http.MethodPost, path, form)
}

func (s *served) signIn(email string) {
	s.t.Helper()
	a := s.post(signInPath, "email", email, "password", fixture.Password).want(http.StatusSeeOther)
	s.sent = (&http.Response{Header: a.header}).Cookies()
}

var tags = regexp.MustCompile(`<[^>]*>|\s+`)

// text returns the page without its tags.
func (a answer) text() string {
	return strings.Join(strings.Fields(tags.ReplaceAllString(a.body, " ")), " ")
}

// want fails unless the answer has a status and its text, or its source for parts with a tag, has all parts.
func (a answer) want(status int, parts ...string) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s: %d, want %d: %s", a.what, a.status, status, a.text())
	}
	for _, part := range parts {
		text := a.text()
		if strings.ContainsAny(part, `<>="`) {
			text = a.body
		}
		if !strings.Contains(text, part) {
			a.t.Errorf("%s: no %q in\n%s", a.what, part, text)
		}
	}
	return a
}

// without fails if the source of the answer has a part.
func (a answer) without(parts ...string) answer {
	a.t.Helper()
	for _, part := range parts {
		if strings.Contains(a.body, part) {
			a.t.Errorf("%s has %q", a.what, part)
		}
	}
	return a
}

// operationPages are the pages about the service itself.
var operationPages = []string{
	"", "?range=hours", auditPath, auditPath + "?live=1", keysPath, addPath, rotatePath, retirePath + "?key=x", mailPath, previewPath, htmlPartPath,
	settingsPath,
}

// The pages about the service are for administrators only, and so are their forms.
func TestOperationPagesAreForStaff(t *testing.T) {
	s := newPages(t, fixture.Keyring(t))
	s.Add(t, "ann@example.com")
	for _, path := range operationPages {
		if a := s.get(path); a.status != http.StatusSeeOther || !strings.Contains(a.header.Get("Location"), signInPath) {
			t.Errorf("%s without a session: %d to %q", path, a.status, a.header.Get("Location"))
		}
	}
	s.signIn("ann@example.com")
	for _, path := range operationPages {
		s.get(path).want(http.StatusForbidden, errNotStaff.Message).without("1.2.3</dd>")
	}
	for _, path := range []string{addPath, rotatePath, retirePath, retryPath} {
		s.post(path).want(http.StatusForbidden)
	}
	if keys, err := s.ring.List(t.Context()); err != nil || len(keys) != 0 {
		t.Errorf("keys %v, %v", keys, err)
	}
}

// Each page has one main heading, a title, the section in the navigation, and neither script nor style in line.
func TestOperationPagesHaveTheFrame(t *testing.T) {
	s := newPages(t, fixture.Keyring(t))
	s.signIn(admin)
	s.post(addPath).want(http.StatusSeeOther)
	inLine := regexp.MustCompile(`(?i)<script>|<style|\sstyle=|\son[a-z]+=|javascript:`)
	for _, path := range operationPages {
		if path == htmlPartPath || strings.HasPrefix(path, retirePath) {
			continue // the first is a mail, the second has no such key
		}
		a := s.get(path).want(http.StatusOK)
		if n := strings.Count(a.body, "<h1"); n != 1 {
			t.Errorf("%s has %d main headings", path, n)
		}
		if strings.Count(a.body, `aria-current="page"`) != 1 {
			t.Errorf("%s names no section", path)
		}
		if found := inLine.FindString(a.body); found != "" {
			t.Errorf("%s has %q", path, found)
		}
		if got := a.header.Get("Content-Security-Policy"); got != policy {
			t.Errorf("%s has the policy %q", path, got)
		}
	}
}

func (s *served) happened(kind audit.Kind, at time.Time, e audit.Event) {
	s.t.Helper()
	e.ID, e.At, e.Kind, e.Channel = s.EventIDs.NewEventID(), at, kind, audit.API
	if err := s.AuditTrail.Append(s.t.Context(), e); err != nil {
		s.t.Fatal(err)
	}
}

func TestOverviewPage(t *testing.T) {
	s := newPages(t, fixture.Keyring(t))
	now := s.Clock.Now()
	for i := range 1234 {
		s.happened(audit.SignInFailed, now.Add(-time.Duration(i%3)*24*time.Hour), audit.Event{})
	}
	s.happened(audit.Locked, now.Add(-time.Hour), audit.Event{})
	s.signIn(admin)
	days := s.get("").want(http.StatusOK, "1 Users", "0 Mails waiting", "1 Warnings", "The last 30 days", "1,234 Failed sign-ins", "1 Locks",
		`aria-label="Failed sign-ins over 30 days: 1234 in all, at most 412 in one bar"`, "<title>2026-01-02: 412</title>", "<title>2025-12-31: 411</title>",
		"Version 1.2.3", "Database memory", "Profile standard", "Mail to the log")
	if n := strings.Count(days.body, `class="ground"`); n != 5*30 {
		t.Errorf("%d bars", n)
	}
	hours := s.get("?range=hours").want(http.StatusOK, "The last 24 hours", "<title>2026-01-02 02:00: 1</title>", "<title>2026-01-02 03:00: 412</title>")
	if n := strings.Count(hours.body, `class="ground"`); n != 5*24 {
		t.Errorf("%d bars", n)
	}
}

func TestNumbersInWords(t *testing.T) {
	for n, want := range map[int]string{0: "0", 12: "12", 999: "999", 1000: "1,000", 123456: "123,456", 1234567: "1,234,567"} {
		if got := number(n); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
	if got := atMost(1000, 1000); got != "1,000 or more" {
		t.Errorf("%q", got)
	}
}

func TestBarsOfAChart(t *testing.T) {
	counts := []inbound.Counts{{SignIns: 1}, {}, {SignIns: 1000}, {SignIns: 500}}
	c := newChart("Sign-ins", "", "", counts, false, func(c inbound.Counts) int { return c.SignIns })
	var got []int
	for _, b := range c.bars {
		if b.y+b.height != chartHeight {
			t.Errorf("a bar does not stand on the ground: %+v", b)
		}
		got = append(got, b.height)
	}
	if fmt.Sprint(got) != "[1 0 60 30]" || c.total != 1501 {
		t.Errorf("%v, %d", got, c.total)
	}
}

func TestAuditPage(t *testing.T) {
	s := newPages(t, fixture.Keyring(t))
	ann := s.Add(t, "ann@example.com")
	start := s.Clock.Now()
	for i := range 120 {
		s.happened(audit.Changed, start.Add(time.Duration(i)*time.Second), audit.Event{
			Actor: ann.ID(), User: ann.ID(), Detail: fmt.Sprintf("n%03d %s", i, script), UserAgent: script, Address: script, Session: fmt.Sprintf("5e%06d", i%2),
		})
	}
	s.signIn(admin)
	first := s.get(auditPath).want(http.StatusOK, "Follow new events").without(script)
	if !strings.Contains(first.text(), "&lt;script&gt;") || strings.Contains(first.body, `hx-trigger="every`) {
		t.Error("the page hides a detail, or polls")
	}
	// Walk all pages of the changes, and back.
	walk := func(label, path string) (seen string, last string) {
		t.Helper()
		link := regexp.MustCompile(`rel="` + label + `" href="([^"]*)"`)
		for range 9 {
			a := s.get(path).want(http.StatusOK)
			for _, n := range regexp.MustCompile(`n\d{3}`).FindAllString(a.body, -1) {
				seen += n[1:] + " "
			}
			next := link.FindStringSubmatch(a.body)
			if next == nil {
				return seen, path
			}
			path = strings.TrimPrefix(strings.ReplaceAll(next[1], "&amp;", "&"), "./../")
		}
		t.Fatal("too many pages")
		return "", ""
	}
	seen, last := walk("next", auditPath+"?kind=user_changed")
	want := ""
	for i := 119; i >= 0; i-- {
		want += fmt.Sprintf("%03d ", i)
	}
	if seen != want {
		t.Errorf("the pages have\n%s", seen)
	}
	if back, _ := walk("prev", last); back != want[4*100:]+want[4*50:4*100]+want[:4*50] {
		t.Errorf("the pages back have\n%s", back)
	}
	// Filters.
	s.get(auditPath+"?user=ann@example.com&kind=user_registered").want(http.StatusOK, "Created").without("n119")
	s.get(auditPath+"?by="+string(ann.ID())+"&kind=user_changed").want(http.StatusOK, "n119")
	s.get(auditPath+"?by="+admin+"&kind=user_changed").want(http.StatusOK, "No event matches")
	s.get(auditPath+"?kind=user_changed&until=2026-01-02T03:05").want(http.StatusOK, "n054").without("n055")
	s.get(auditPath+"?kind=user_changed&since=2026-01-02T03:06").want(http.StatusOK, "n119").without("n114")
	s.get(auditPath+"?session=5e000001&user="+string(ann.ID())).want(http.StatusOK, "n119", "n021", "Only events of the session 5e000001").without("n118")
	// What cannot be found is said in place.
	s.get(auditPath+"?user=nobody@example.com").want(http.StatusNotFound, "No user has this address")
	s.get(auditPath + "?user=%3Cb%3E").want(http.StatusNotFound).without("<b>")
	s.get(auditPath+"?since=yesterday").want(http.StatusBadRequest, "2026-01-31T12:00")
	s.get(auditPath+"?session=5e000001").want(http.StatusBadRequest, "Name the user")
	s.get(auditPath + "?from=x&from_id=y").want(http.StatusBadRequest)
	s.get(auditPath + "?user=" + string(ann.ID()) + "&kind=" + url.QueryEscape(script)).want(http.StatusOK).without(script)
}

// The tail asks again for the same events, with the filters; a page of older events does not.
func TestAuditTail(t *testing.T) {
	s := newPages(t, fixture.Keyring(t))
	s.signIn(admin)
	s.get(auditPath+"?live=1&kind=signed_in").want(http.StatusOK, "New events appear",
		`hx-get="./../audit/?kind=signed_in&amp;live=1"`, `hx-trigger="every 4s"`)
	s.get(auditPath + "?live=1&until=2030-01-01T00:00").want(http.StatusOK).without("hx-trigger=\"every")
	s.get(auditPath + "?live=1&from=2026-01-02T03:04:05Z&from_id=x").want(http.StatusOK).without("hx-trigger=\"every")
}

func (s *served) keys() []signing.Key {
	s.t.Helper()
	keys, err := s.ring.List(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return keys
}

// Each action on the keys says what it does before it is done, and a notice says that it was.
func TestKeyPages(t *testing.T) {
	s := newPages(t, fixture.Keyring(t))
	s.signIn(admin)
	s.get(keysPath).want(http.StatusOK, "Add a key")
	s.get(addPath).want(http.StatusOK, "It does not sign before you rotate to it", "ES256", "EdDSA")
	s.post(addPath).want(http.StatusSeeOther)
	s.get(keysPath+"?done=key_added").want(http.StatusOK, "The key is added", "Signs")
	s.post(addPath, "algorithm", "ES256").want(http.StatusSeeOther)
	s.post(addPath, "algorithm", "HS256").want(http.StatusBadRequest, "signing keys are made for")
	keys := s.keys()
	if len(keys) != 2 || keys[1].Algorithm != signing.ES256 {
		t.Fatalf("%+v", keys)
	}
	a, b := keys[0].ID, keys[1].ID
	s.get(keysPath).want(http.StatusOK, a, b, "verifies, has not signed yet")
	s.get(rotatePath+"?key="+b).want(http.StatusOK, "The key "+b+" signs tokens from now on", "No user is signed out")
	s.post(rotatePath, "key", b).want(http.StatusSeeOther)
	if keys := s.keys(); keys[1].State != signing.Signing {
		t.Fatalf("%+v", keys)
	}
	s.get(retirePath+"?key="+b).want(http.StatusOK, "Rotate to another one first")
	s.post(retirePath, "key", b).want(http.StatusConflict, "the key signs")
	s.get(retirePath+"?key="+a).want(http.StatusOK, "This cannot be undone", "Tokens that it signed are valid until", "sign these users out")
	s.post(retirePath, "key", a).want(http.StatusConflict, "may be good still") // not from the page, which says more
	s.post(retirePath, "key", a, "confirm", "verifying").want(http.StatusSeeOther)
	if keys := s.keys(); len(keys) != 1 || keys[0].ID != b {
		t.Errorf("%+v", keys)
	}
	s.get(retirePath+"?key="+url.QueryEscape(script)).want(http.StatusNotFound, "there is no such key").without(script)
	s.post(rotatePath, "key", "x").want(http.StatusNotFound)
	s.get(auditPath).want(http.StatusOK, "Signing key added", "Signing key rotated", "Signing key retired")
}

// A change of the keys asks for the password when it was given more than five minutes ago, and goes on after that.
func TestKeysNeedARecentSignIn(t *testing.T) {
	s := newPages(t, fixture.Keyring(t))
	s.signIn(admin)
	s.Clock.Advance(6 * time.Minute)
	s.post(addPath, "algorithm", "ES256").want(http.StatusForbidden, `type="password"`)
	if keys := s.keys(); len(keys) != 0 {
		t.Errorf("%+v", keys)
	}
}

func TestConfiguredKeysPage(t *testing.T) {
	s := newPages(t, fixture.ConfiguredKeys(t))
	s.signIn(admin)
	s.get(keysPath).want(http.StatusOK, "signing_key_fallbacks", "a secret", "HS256", "Signs", "Verifies").without("Add a key", "0123456789", retirePath)
	s.post(addPath).want(http.StatusConflict, "signing_key_fallbacks")
}

func (s *served) queued(id string, to string, change func(*mail.Mail, time.Time)) {
	s.t.Helper()
	m, err := mail.Queue(mail.New{ID: mail.ID(id), Kind: mail.PasswordReset, To: user.RestoreEmail(to, to)}, s.Clock.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	if change != nil {
		if err := m.Begin(s.Clock.Now()); err != nil {
			s.t.Fatal(err)
		}
		change(m, s.Clock.Now())
	}
	if err := s.Mails.Add(s.t.Context(), m); err != nil {
		s.t.Fatal(err)
	}
}

func TestMailPage(t *testing.T) {
	s := newPages(t, fixture.Keyring(t))
	s.signIn(admin)
	s.get(mailPath).want(http.StatusOK, "There are no such mails", "Mails go to the log")
	for i := range mailsPerPage + 5 {
		s.queued(fmt.Sprintf("m%03d", i), fmt.Sprintf("u%03d@example.com", i), (*mail.Mail).Complete)
	}
	s.queued("m100", "wrong@example.com", func(m *mail.Mail, now time.Time) { m.Fail(now, "550 "+script, true) })
	s.queued("m101", script+"@example.com", nil)
	first := s.get(mailPath).want(http.StatusOK, "wrong@example.com", "Given up", "Waiting", "Reset of the password", "u007@example.com").without(script, "u006@")
	next := regexp.MustCompile(`rel="next" href="./../([^"]*)"`).FindStringSubmatch(first.body)
	if next == nil {
		t.Fatal("no further page")
	}
	s.get(strings.ReplaceAll(next[1], "&amp;", "&")).want(http.StatusOK, "u006@example.com", "u000@example.com", "Newest").without("u007@")
	s.get(mailPath+"?state=failed").want(http.StatusOK, "wrong@example.com", "550 &lt;script&gt;").without("u007@")
	s.post(retryPath, "mail", "m100").want(http.StatusSeeOther)
	m, err := s.Ports.Mails.List(t.Context(), mail.Query{State: mail.Waiting, Limit: 9})
	if err != nil || len(m) != 2 {
		t.Errorf("%d wait, %v", len(m), err)
	}
	s.post(retryPath, "mail", "none").want(http.StatusNotFound, "There is no such mail.", "u007@example.com")
}

// A preview shows the text and the source of the HTML part escaped. The HTML part itself is an answer of its own, in a
// sandbox.
func TestMailPreview(t *testing.T) {
	s := newPages(t, fixture.Keyring(t))
	s.signIn(admin)
	page := s.get(previewPath+"?kind=password_reset&language=de").want(http.StatusOK, `<option value="de" selected`, "&lt;a href=", "Example")
	if strings.Contains(page.body, "<iframe") {
		t.Error("the page has a frame")
	}
	part := s.get(htmlPartPath+"?kind=password_reset&language=de").want(http.StatusOK, "<a href=")
	policy := part.header.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "sandbox; default-src 'none'") || strings.Contains(policy, "allow-") {
		t.Errorf("the policy is %q", policy)
	}
	s.get(previewPath + "?kind=x").want(http.StatusNotFound)
	s.get(previewPath+"?language=x").want(http.StatusOK, `<option value="en" selected`)
}

func TestSettingsPage(t *testing.T) {
	s := newPages(t, fixture.Keyring(t))
	s.signIn(admin)
	s.get(settingsPath).want(http.StatusOK, "listen is :8000: sent without TLS", "Network", "listen The address. :8000 Unsafe file",
		"signing_key (set) environment", "&lt;script&gt;").without(script)
}

func TestKindsOfMailsHaveWords(t *testing.T) {
	for _, k := range mail.Kinds() {
		if mailTitles[k] == "" {
			t.Errorf("%s has no title", k)
		}
	}
	for _, state := range []signing.State{signing.Added, signing.Signing, signing.Verifying, signing.Expired} {
		if keyStates[state].name == "" {
			t.Errorf("%s has no words", state)
		}
	}
}

package attacks

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"roster/test/support/process"
	"roster/test/support/smtpserver"
)

// mailing is a service that mails links, and what it must keep secret.
type mailing struct {
	*process.Server
	t       *testing.T
	mails   *smtpserver.Server
	secrets []string
}

const publicURL = "https://id.example.org"

func startMailing(t *testing.T, more map[string]string) *mailing {
	t.Helper()
	srv := smtpserver.Start(t, smtpserver.Options{})
	env := map[string]string{
		"ROSTER_MAIL": "smtp://" + srv.Addr, "ROSTER_MAIL_FROM": "Example <accounts@example.com>", "ROSTER_PUBLIC_URL": publicURL,
		"ROSTER_MAIL_PER_MINUTE": "0", "ROSTER_MAIL_PER_HOUR": "0", "ROSTER_THROTTLE_MAIL": "off", "ROSTER_ADMIN_LISTEN": "127.0.0.1:0",
	}
	maps.Copy(env, more)
	return &mailing{process.Start(t, env), t, srv, nil}
}

type reply struct {
	status int
	header http.Header
	body   string
}

func (r reply) member(name string) string {
	var doc map[string]any
	_ = json.Unmarshal([]byte(r.body), &doc)
	text, _ := doc[name].(string)
	return text
}

// send sends a request, with headers as NAME: VALUE.
func (m *mailing) send(method, path, body string, headers ...string) reply {
	m.t.Helper()
	r, err := http.NewRequestWithContext(m.t.Context(), method, m.URL+path, strings.NewReader(body))
	if err != nil {
		m.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
		if name == "Host" {
			r.Host = value
		}
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		m.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(raw)}
}

// must is a request that has to be answered with a status.
func (m *mailing) must(status int, method, path, body string, headers ...string) reply {
	m.t.Helper()
	r := m.send(method, path, body, headers...)
	if r.status != status {
		m.t.Errorf("%s %s %s: status %d %s, want %d", method, path, body, r.status, r.body, status)
	}
	return r
}

// register adds a user and returns the id.
func (m *mailing) register(address string) string {
	m.t.Helper()
	m.secrets = append(m.secrets, password)
	r := m.must(201, "POST", "/api/users/", fmt.Sprintf(`{"email":%q,"password":%q,"first_name":"Ann","last_name":"Lee"}`, address, password))
	return r.member("id")
}

// signIn returns the header of a user.
func (m *mailing) signIn(address, with string) string {
	m.t.Helper()
	access := m.must(200, "POST", "/api/token/", fmt.Sprintf(`{"email":%q,"password":%q}`, address, with)).member("access")
	return "Authorization: Bearer " + access
}

func (m *mailing) take(address string) *smtpserver.Mail {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), time.Minute)
	defer cancel()
	got := m.mails.Take(ctx, address)
	if got == nil {
		m.t.Fatal("no mail to ", address)
	}
	return got
}

var linkForm = regexp.MustCompile(regexp.QuoteMeta(publicURL) + `/account/[a-z/]+/#([A-Za-z0-9_-]+)/([A-Za-z0-9_-]+)`)

// link takes the next mail with a link and returns its values.
func (m *mailing) link(address string) (uid, token string) {
	m.t.Helper()
	var found []string
	for found == nil { // a notice has none
		found = linkForm.FindStringSubmatch(m.take(address).Text)
	}
	m.secrets = append(m.secrets, found[2])
	return found[1], found[2]
}

// reset requests a link to a new password and returns its values.
func (m *mailing) reset(address string, headers ...string) (uid, token string) {
	m.t.Helper()
	m.request(address, headers...)
	return m.link(address)
}

func (m *mailing) request(address string, headers ...string) reply {
	m.t.Helper()
	return m.must(204, "POST", "/api/users/reset_password/", fmt.Sprintf(`{"email":%q}`, address), headers...)
}

// confirm sends a link with a new password.
func (m *mailing) confirm(uid, token, set string) int {
	m.t.Helper()
	return m.send("POST", "/api/users/reset_password_confirm/", fmt.Sprintf(`{"uid":%q,"token":%q,"new_password":%q}`, uid, token, set)).status
}

func (m *mailing) follow(path, uid, token string) int {
	m.t.Helper()
	return m.send("POST", "/api/users/"+path+"/", fmt.Sprintf(`{"uid":%q,"token":%q}`, uid, token)).status
}

// drained waits until no mail is waiting in the queue.
func (m *mailing) drained() {
	m.t.Helper()
	for end := time.Now().Add(time.Minute); strings.TrimSpace(m.MustCLI("mail", "list", "--state", "waiting", "--format", "json")) != ""; {
		if time.Now().After(end) {
			m.t.Fatal("mails are waiting still")
		}
	}
}

const another = "Another-gate-keeper-of-8-lives"

// A token is good once, for its user, its purpose and the state that it was made for.
func TestMailedTokens(t *testing.T) {
	t.Parallel()
	m := startMailing(t, nil)
	m.secrets = append(m.secrets, another)
	const ann, eve = "ann@example.com", "eve@example.com"
	m.register(ann)
	m.register(eve)
	refused := func(why string, status int) {
		t.Helper()
		if status != 400 {
			t.Errorf("%s: status %d, want 400", why, status)
		}
	}
	asAnn := m.signIn(ann, password)
	annUID, token := m.reset(ann)
	eveUID, eveToken := m.reset(eve)
	refused("the token of another user", m.confirm(annUID, eveToken, another))
	refused("likewise", m.confirm(eveUID, token, another))
	for _, path := range []string{"activation", "set_email_confirm", "set_email_undo"} {
		refused("a token to reset at "+path, m.follow(path, annUID, token))
	}
	for i := range token {
		if i%7 == 0 {
			other := byte('A')
			if token[i] == other {
				other = 'B'
			}
			refused("a changed token", m.confirm(annUID, token[:i]+string(other)+token[i+1:], another))
		}
	}
	for _, bad := range []string{"", " " + token, token + " ", token + "=", token[:len(token)-1], strings.ToUpper(token), "\x00", strings.Repeat("a", 4000)} {
		refused(fmt.Sprintf("token %.20q", bad), m.confirm(annUID, bad, another))
	}

	_, second := m.reset(ann)
	if status := m.confirm(annUID, token, another); status != 204 {
		t.Fatalf("the right token: status %d", status)
	}
	refused("a token that was used", m.confirm(annUID, token, another))
	refused("another link, after the change of the password", m.confirm(annUID, second, another))
	m.must(401, "GET", "/api/users/me/", "", asAnn)
	m.must(401, "POST", "/api/token/", fmt.Sprintf(`{"email":%q,"password":%q}`, ann, password))

	// A change of the address kills the links of both addresses, and its own token is good for nothing else.
	asAnn = m.signIn(ann, another)
	_, before := m.reset(ann)
	m.must(204, "POST", "/api/users/set_email/", fmt.Sprintf(`{"new_email":"new@example.com","current_password":%q}`, another), asAnn)
	newUID, proof := m.link("new@example.com")
	_, undo := m.link(ann)
	refused("a token to prove an address, as one to reset", m.confirm(newUID, proof, password))
	refused("a token to undo, as one to prove", m.follow("set_email_confirm", newUID, undo))
	if status := m.follow("set_email_confirm", newUID, proof); status != 204 {
		t.Fatalf("the right proof: status %d", status)
	}
	refused("a proof that was used", m.follow("set_email_confirm", newUID, proof))
	refused("a link from before the change of the address", m.confirm(annUID, before, password))

	m.drained()
	_, unused := m.reset("new@example.com")
	m.signIn("new@example.com", another)
	refused("a link from before a sign-in", m.confirm(annUID, unused, password))
	m.nothingLeaks()
}

// nothingLeaks compares what operators read with the secrets.
func (m *mailing) nothingLeaks() {
	m.t.Helper()
	admin := regexp.MustCompile(`"admin":"(http[^"]+)"`).FindStringSubmatch(m.Logs())
	if admin == nil {
		m.t.Fatal("no listener for operators")
	}
	read := map[string]string{"log": m.Logs(), "queue": m.MustCLI("mail", "list", "--format", "json"), "trail and users": m.MustCLI("export", "-")}
	resp, err := http.Get(admin[1] + "/metrics")
	if err != nil {
		m.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		m.t.Fatal(err)
	}
	read["metrics"] = string(raw)
	for where, text := range read {
		if text == "" {
			m.t.Errorf("the %s is empty", where)
		}
		for _, secret := range m.secrets {
			if strings.Contains(text, secret) {
				m.t.Errorf("%q is in the %s", secret, where)
			}
		}
	}
}

// Nothing that a client sends gets into the headers or the links of a mail, and nothing sends a browser elsewhere.
func TestInjectionIntoMails(t *testing.T) {
	t.Parallel()
	m := startMailing(t, map[string]string{"ROSTER_EMAIL_VERIFICATION": "optional"})
	const address = "ann@example.com"
	const evil = `Ann\r\nBcc: eve@evil.example\r\n\r\n<a href=\"https://evil.example\">{{.Link}}{{printf 1}}`
	forged := []string{"Host: evil.example", "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: http", "Forwarded: host=evil.example",
		"Origin: https://evil.example", "Referer: https://evil.example/", "Accept-Language: ../../evil.example, de\tx, {{.Link}};q=1"}
	m.must(201, "POST", "/api/users/", fmt.Sprintf(`{"email":%q,"password":%q,"first_name":"%s","last_name":"%s"}`, address, password, evil, evil), forged...)
	m.request(address, forged...)
	for range 2 {
		got := m.take(address)
		if strings.Contains(got.Raw, "evil") || !linkForm.MatchString(got.Text) || len(got.Recipients) != 1 || len(got.Header["Bcc"]) != 0 {
			t.Errorf("%s", got.Raw)
		}
	}
	for _, bad := range []string{`ann@example.com\r\nBcc: eve@evil.example`, `ann@example.com\n` + "eve@evil.example", `ann@example.com,eve@evil.example`, `<ann@example.com>`,
		`ann@example.com\u0000`, `Ann <ann@example.com>`, `ann@example.com eve@evil.example`, `ann@exam\tple.com`} {
		m.must(400, "POST", "/api/users/reset_password/", `{"email":"`+bad+`"}`)
	}
	for _, path := range []string{"/.well-known/change-password", "/account/password/reset/", "/account/password/new/", "/account/email/confirm/", "/account/activate/", "/account/email/undo/"} {
		for _, query := range []string{"", "?next=https://evil.example/", "?next=//evil.example", "?redirect_uri=https://evil.example&uid=x&token=y"} {
			r := m.send("GET", path+query, "", forged...)
			if r.status >= 400 || strings.Contains(r.header.Get("Location")+r.body, "evil") {
				t.Errorf("%s%s: %d %q %s", path, query, r.status, r.header.Get("Location"), r.body)
			}
		}
	}
}

// The answer to a request for a mail is the same for an address with and without an account.
func TestMailRequestsShowNoAccounts(t *testing.T) {
	t.Parallel()
	m := startMailing(t, map[string]string{"ROSTER_EMAIL_VERIFICATION": "optional"})
	m.register("ann@example.com")
	for _, path := range []string{"/api/users/reset_password/", "/api/users/resend_activation/"} {
		var replies []reply
		for _, address := range []string{"ann@example.com", "nobody@example.com", "ANN@EXAMPLE.COM"} {
			r := m.send("POST", path, fmt.Sprintf(`{"email":%q}`, address))
			for _, changes := range []string{"Date", "X-Request-Id"} {
				r.header.Del(changes)
			}
			replies = append(replies, r)
		}
		for _, r := range replies[1:] {
			if first := replies[0]; r.status != 204 || r.status != first.status || r.body != first.body || !maps.EqualFunc(r.header, first.header, slices.Equal) {
				t.Errorf("%s: %v and %v", path, r, first)
			}
		}
	}
	m.drained()
	for _, got := range m.mails.Mails() {
		if got.To != "ann@example.com" {
			t.Errorf("a mail went to %s", got.To)
		}
	}
}

// However often a mail is requested, its victim gets one a minute, and a client's requests are limited.
func TestFloodOfMails(t *testing.T) {
	t.Parallel()
	m := startMailing(t, map[string]string{"ROSTER_MAIL_PER_MINUTE": "1", "ROSTER_MAIL_PER_HOUR": "5"})
	m.register("ann@example.com")
	began := time.Now()
	for range 30 {
		m.request("ann@example.com")
	}
	m.drained()
	if got, most := len(m.mails.Mails()), 1+int(time.Since(began)/time.Minute); got < 1 || got > most {
		t.Errorf("%d mails to one address, want at most %d", got, most)
	}

	limited := startMailing(t, map[string]string{"ROSTER_THROTTLE_MAIL": process.Default})
	var answers []int
	for i := range 8 {
		answers = append(answers, limited.send("POST", "/api/users/reset_password/", fmt.Sprintf(`{"email":"victim-%d@example.com"}`, i)).status)
	}
	if want := []int{204, 204, 204, 204, 204, 429, 429, 429}; !slices.Equal(answers, want) {
		t.Errorf("one client: %v, want %v", answers, want)
	}
}

// A client that guesses tokens is stopped.
func TestTokenGuessing(t *testing.T) {
	t.Parallel()
	m := startMailing(t, map[string]string{"ROSTER_THROTTLE_TOKEN": "10/min"})
	m.register("ann@example.com")
	uid, token := m.reset("ann@example.com")
	counted := map[int]int{}
	for i := range 30 {
		guess := token[:len(token)-2] + fmt.Sprintf("%02d", i)
		if guess != token {
			counted[m.confirm(uid, guess, another)]++
		}
	}
	if counted[400] > 10 || counted[429] < 19 || len(counted) != 2 {
		t.Errorf("answers: %v", counted)
	}
}

// Package console drives the pages for administrators in Chromium, against the built service.
package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"roster/adapters/ndjson"
	"roster/domain/archive"
	"roster/domain/credential"
	"roster/domain/user"
	"roster/ports/outbound"
	"roster/test/support/chromium"
	"roster/test/support/process"
)

const (
	admin    = "admin@example.com"
	password = "four wide purple boats"
)

func TestMain(m *testing.M) { process.Main(m) }

// site is a service with a console and an administrator.
type site struct {
	*process.Server

	t       testing.TB
	console string // URL
}

// serve starts a service with an administrator, and with users of an export, "" for none.
func serve(t testing.TB, settings map[string]string, export string) *site {
	t.Helper()
	env := map[string]string{"ROSTER_CONSOLE": "api", "ROSTER_MAIL": "log:", "ROSTER_LOG_FORMAT": "json"}
	for name, value := range settings {
		env[name] = value
	}
	s := process.Prepare(t, env)
	if export != "" {
		s.MustCLI("import", "roster", export)
	}
	if _, stderr, code := s.CLIWithInput(password, "createsuperuser", "--email", admin, "--first-name", "Ada", "--last-name", "Lee", "--password-file", "-"); code != 0 {
		t.Fatal(stderr)
	}
	s.Restart()
	return &site{Server: s, t: t, console: s.URL + "/console/"}
}

// call sends JSON to the API and returns the status and the body.
func (s *site) call(method, path, token, agent string, body any) (int, map[string]any) {
	s.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.URL+path, bytes.NewReader(text))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", agent)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer := map[string]any{}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil && resp.StatusCode != http.StatusNoContent {
		s.t.Fatalf("%s %s: %d %v", method, path, resp.StatusCode, err)
	}
	return resp.StatusCode, answer
}

// token signs in through the API.
func (s *site) token(email, secret, agent string) string {
	s.t.Helper()
	status, answer := s.call(http.MethodPost, "/api/token/", "", agent, map[string]string{"email": email, "password": secret})
	if status != http.StatusOK {
		s.t.Fatalf("sign-in of %s: %d %v", email, status, answer)
	}
	return answer["access"].(string)
}

// register makes a user through the API and returns its id.
func (s *site) register(email, first, last string) string {
	s.t.Helper()
	status, answer := s.call(http.MethodPost, "/api/users/", "", "test", map[string]string{"email": email, "password": password, "first_name": first, "last_name": last})
	if status != http.StatusCreated {
		s.t.Fatalf("registration of %s: %d %v", email, status, answer)
	}
	return fmt.Sprint(answer["id"])
}

// open opens the console in a browser, signed in.
func (s *site) open() *chromium.Tab {
	s.t.Helper()
	b := chromium.Open(s.t)
	s.signIn(b, password)
	b.Do(chromedp.WaitVisible(chromedp.CSS("#results")))
	return b
}

// signIn fills the sign-in of the console.
func (s *site) signIn(b *chromium.Tab, secret string) {
	s.t.Helper()
	b.Do(chromedp.Navigate(s.console+"users/"), chromedp.WaitVisible(chromedp.CSS("#password")),
		chromedp.SendKeys(chromedp.CSS("#email"), admin), chromedp.SendKeys(chromedp.CSS("#password"), secret),
		chromedp.Click(chromedp.CSS(".sign-in button")))
}

// says waits until the element of a tag, .class or #id has a text.
func says(t testing.TB, b *chromium.Tab, element, text string) {
	t.Helper()
	path := element
	switch element[0] {
	case '#':
		path = `*[@id="` + element[1:] + `"]`
	case '.':
		path = `*[contains(concat(" ", @class, " "), " ` + element[1:] + ` ")]`
	}
	b.Do(chromedp.WaitVisible(chromedp.Search(`//` + path + `[contains(., "` + text + `")]`)))
}

// button is the selector of the button of a form by the end of the form's target.
func button(target string) chromedp.CSS { return chromedp.CSS(`form[action$="` + target + `"] button`) }

// fill replaces the text of an input.
func fill(selector, text string) chromedp.Action[chromedp.Void] {
	return chromedp.Steps(chromedp.Clear(chromedp.CSS(selector)), chromedp.SendKeys(chromedp.CSS(selector), text))
}

// exported writes an export of n users into a directory of the test and returns its path.
func exported(t testing.TB, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "users.jsonl")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w, lines, sum := ndjson.NewWriter(file), ndjson.Records{}, archive.NewSum("users")
	if err := w.Begin(outbound.ExportHeader{ExportedAt: time.Now()}); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		email := fmt.Sprintf("user%06d@example%d.com", i, i%97)
		joined := time.Date(2015, 1, 1, 0, 0, i, 0, time.UTC)
		line, err := lines.Line(user.Snapshot{
			ID: user.ID(fmt.Sprintf("%08x-%04x-7000-8000-%012x", joined.UnixMilli()>>16, joined.UnixMilli()&0xffff, i)), Email: email, EmailKey: email,
			FirstName: "First", LastName: fmt.Sprintf("Last%05d", i), Active: true, Password: credential.Unusable, Joined: joined, Version: 1,
		})
		if err != nil {
			t.Fatal(err)
		}
		sum.Add(line)
		if err := w.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	footer := outbound.ExportFooter{Contents: []archive.Contents{sum.Contents()}}
	for _, empty := range []string{"sessions", "attempts", "events", "mails"} {
		footer.Contents = append(footer.Contents, archive.NewSum(empty).Contents())
	}
	if err := w.End(footer); err != nil {
		t.Fatal(err)
	}
	return path
}

// visitor is a client of the console without scripts.
type visitor struct {
	*http.Client

	s *site
}

// visit signs in through the form of the console.
func (s *site) visit(email string) visitor {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	v := visitor{&http.Client{Jar: jar}, s}
	v.post("sign-in/", url.Values{"email": {email}, "password": {password}})
	return v
}

func (v visitor) do(r *http.Request) (int, string, http.Header) {
	v.s.t.Helper()
	resp, err := v.Do(r)
	if err != nil {
		v.s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		v.s.t.Fatal(err)
	}
	return resp.StatusCode, string(body), resp.Header
}

func (v visitor) get(path string) (int, string, http.Header) {
	v.s.t.Helper()
	r, err := http.NewRequestWithContext(v.s.t.Context(), http.MethodGet, v.s.console+path, http.NoBody)
	if err != nil {
		v.s.t.Fatal(err)
	}
	return v.do(r)
}

func (v visitor) post(path string, values url.Values) (int, string, http.Header) {
	v.s.t.Helper()
	r, err := http.NewRequestWithContext(v.s.t.Context(), http.MethodPost, v.s.console+path, strings.NewReader(values.Encode()))
	if err != nil {
		v.s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return v.do(r)
}

// input returns the value of a hidden input of a page.
func input(t testing.TB, page, name string) string {
	t.Helper()
	m := regexp.MustCompile(`name="` + regexp.QuoteMeta(name) + `" value="([^"]*)"`).FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("the page has no input %s", name)
	}
	return m[1]
}

package clients

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"roster/test/support/chromium"
	"roster/test/support/process"
)

const renewed = "seven tall silver kites"

// mailedLink returns the last link of a kind of mail in the log, from the path on: the log of the tests has no port that is
// known before the start.
func mailedLink(t *testing.T, s *process.Server, kind string) string {
	t.Helper()
	s.AwaitLog(`"kind":"` + kind + `"`)
	found := ""
	for line := range strings.Lines(s.Logs()) {
		var entry struct{ Kind, Link string }
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Kind == kind && entry.Link != "" {
			found = entry.Link
		}
	}
	_, path, ok := strings.Cut(found, "/account/")
	if !ok {
		t.Fatalf("no link of %s in the log: %q", kind, found)
	}
	return "/account/" + path
}

// signsIn reports whether the API takes a password of a user.
func signsIn(t *testing.T, s *process.Server, email, secret string) bool {
	t.Helper()
	return postJSON(t, s.URL+"/api/token/", `{"email": "`+email+`", "password": "`+secret+`"}`) == http.StatusOK
}

// postJSON sends a body and returns the status of the answer.
func postJSON(t *testing.T, url, body string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Error(err)
	}
	return resp.StatusCode
}

// scan follows a link as scanners of mails do, without a script.
func scan(t *testing.T, s *process.Server, path string) {
	t.Helper()
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("%s %s: %d %v", method, path, resp.StatusCode, err)
		}
	}
}

// A user that forgot the password comes from the first page to a new one, by the link and by the pasted code of the mail, as
// without scripts. A scanner of mails uses nothing up, the link is used once, and the browser's address and the service's lines
// about requests never have the token.
func TestPasswordResetInABrowser(t *testing.T) {
	for name, pasted := range map[string]bool{"link": false, "pasted code": true} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, map[string]string{"ROSTER_MAIL": "log:", "ROSTER_LOG_FORMAT": "json"})
			b := chromium.Open(t)
			b.Do(
				chromedp.Navigate(s.URL+"/"),
				chromedp.Click(chromedp.CSS(`a[href$="/account/password/reset/"]`)),
				chromedp.WaitVisible(chromedp.CSS("#email")),
				chromedp.SendKeys(chromedp.CSS("#email"), admin),
				chromedp.Click(chromedp.CSS("button")),
				chromedp.WaitVisible(chromedp.CSS(`[role="status"]`)),
			)
			path := mailedLink(t, s, "password_reset")
			_, code, _ := strings.Cut(path, "#")
			_, token, _ := strings.Cut(code, "/")
			scan(t, s, path)
			open := path
			if pasted {
				open, _, _ = strings.Cut(path, "#")
			}
			fill := func() {
				b.Do(chromedp.Navigate("about:blank"), chromedp.Navigate(s.URL+open), chromedp.WaitVisible(chromedp.CSS("#new_password")))
				if pasted {
					chromium.Run(b, chromedp.SendKeys(chromedp.CSS("#code"), code))
				} else if at := chromium.Run(b, chromedp.Location()); strings.Contains(at, token) {
					t.Errorf("the address keeps the token: %s", at)
				}
				b.Do(
					chromedp.SendKeys(chromedp.CSS("#new_password"), renewed),
					chromedp.SendKeys(chromedp.CSS("#re_new_password"), renewed),
					chromedp.Click(chromedp.CSS("button")),
				)
			}
			fill()
			chromium.Run(b, chromedp.WaitVisible(chromedp.CSS(`[role="status"]`)))
			b.Screenshot("reset.png")
			if signsIn(t, s, admin, password) || !signsIn(t, s, admin, renewed) {
				t.Error("the password is not the new one")
			}
			b.Quiet(s.URL)
			fill()
			chromium.Run(b, chromedp.WaitVisible(chromedp.CSS("#code-fault")))
			if text := chromium.Run(b, chromedp.Text(chromedp.CSS("#code-fault"))); !strings.Contains(text, "This code is not valid.") {
				t.Errorf("a used link: %q", text)
			}
			for line := range strings.Lines(s.Logs()) {
				if strings.Contains(line, token) && !strings.Contains(line, `"link"`) {
					t.Errorf("the log has the token: %s", line)
				}
			}
		})
	}
}

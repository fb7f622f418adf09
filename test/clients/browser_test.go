package clients

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"roster/test/support/chromium"
)

// In a browser, the first page leads to the documentation, where a user signs in and calls an operation. A session with a cookie
// outlives the page, and scripts cannot read it.
func TestDocumentationInABrowser(t *testing.T) {
	for name, settings := range map[string]map[string]string{
		"standard":         nil,
		"other schemes":    {"ROSTER_AUTHORIZATION_SCHEMES": "JWT", "ROSTER_LOGIN_FIELD": "username", "ROSTER_PUBLIC_URL": "https://id.example.org/"},
		"browser sessions": {"ROSTER_BROWSER_SESSIONS": "on"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, settings)
			b := chromium.Open(t)
			b.Do(
				chromedp.Navigate(s.URL+"/"),
				chromedp.Click(chromedp.CSS(`a[href$="/api/docs/"]`)),
				chromedp.WaitVisible(chromedp.CSS("#operations-users-listUsers")),
			)
			signedIn := chromedp.WaitVisible(chromedp.CSS("#sign-out"))
			b.Do(
				chromedp.SendKeys(chromedp.CSS("#email"), admin),
				chromedp.SendKeys(chromedp.CSS("#password"), password),
				chromedp.Click(chromedp.CSS("#sign-in button")),
				signedIn,
			)
			if name == "browser sessions" {
				if readable := chromium.Run(b, chromedp.Evaluate[string]("document.cookie")); readable != "" {
					t.Errorf("a script reads the cookie %q", readable)
				}
				b.Complaints() // of the status 401 before the sign-in
				b.Do(chromedp.Reload(), signedIn, chromedp.WaitVisible(chromedp.CSS("#operations-users-listUsers")))
			}
			if state := chromium.Run(b, chromedp.Value(chromedp.CSS("#signed-in"))); state != "Signed in as "+admin {
				t.Errorf("the page says %q", state)
			}
			for id, part := range map[string]string{"users-listUsers": admin, "sessions-listSessions": "HeadlessChrome"} {
				operation := "#operations-" + id + " "
				b.Do(
					chromedp.Click(chromedp.CSS(operation+".opblock-summary-control")),
					chromedp.Click(chromedp.CSS(operation+"button.execute")),
					chromedp.WaitVisible(chromedp.CSS(operation+".live-responses-table pre")),
					chromedp.ScrollIntoView(chromedp.CSS(operation+".live-responses-table")),
				)
				status := chromium.Run(b, chromedp.Text(chromedp.CSS(operation+".live-responses-table tbody .response-col_status")))
				answer := chromium.Run(b, chromedp.Text(chromedp.CSS(operation+".live-responses-table tbody .response-col_description")))
				if !strings.HasPrefix(status, "200") || !strings.Contains(answer, part) {
					t.Errorf("%s: status %q, answer %s", id, status, answer)
				}
				b.Screenshot(id + ".png")
			}
			b.Do(chromedp.Click(chromedp.CSS("#sign-out")), chromedp.WaitNotVisible(chromedp.CSS("#sign-out")))
			b.Quiet(s.URL)
			if name == "browser sessions" {
				b.Do(chromedp.Reload(), chromedp.WaitVisible(chromedp.CSS("#operations-users-listUsers")))
				if state := chromium.Run(b, chromedp.Value(chromedp.CSS("#signed-in"))); state != "Signed out" {
					t.Errorf("after the sign-out the page says %q", state)
				}
			}
		})
	}
}

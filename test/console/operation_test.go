package console

import (
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"

	"roster/test/support/chromium"
)

// An administrator sees how the service does, why a user was locked out as it happens, rotates the signing key and looks at
// a mail. The tokens of users stay good.
func TestOperation(t *testing.T) {
	s := serve(t, nil, "")
	id := s.register("ann@example.org", "Ann", "Lee")
	token := s.token("ann@example.org", password, "test")
	b := s.open()
	b.Do(chromedp.Navigate(s.console))
	says(t, b, "h1", "Overview")
	says(t, b, "figure", "Sign-ins")
	b.Screenshot("overview.png")

	b.Do(chromedp.Navigate(s.console + "audit/?live=1"))
	says(t, b, "#results", "Signed in")
	for range 12 {
		s.call(http.MethodPost, "/api/token/", "", "curl/8", map[string]string{"email": "ann@example.org", "password": "wrong"})
	}
	says(t, b, "#results", "Locked after failed sign-ins") // without another request of the visitor
	b.Screenshot("audit.png")

	b.Do(chromedp.Navigate(s.console+"keys/"), chromedp.Click(chromedp.CSS(`a[href$="keys/rotate/"]`)))
	says(t, b, "#effects", "No user is signed out")
	b.Do(chromedp.Click(button("keys/rotate/")))
	says(t, b, ".notice", "The key signs now.")
	says(t, b, "table", "Verifies")
	b.Screenshot("keys.png")
	if status, _ := s.call(http.MethodGet, "/api/users/"+id+"/", token, "test", nil); status != http.StatusOK {
		t.Errorf("a token of the former key: %d", status)
	}
	b.Do(chromedp.Navigate(s.console+"mail/preview/?kind=invitation&language=de"), chromedp.WaitVisible(chromedp.CSS("pre.mail")))
	b.Screenshot("preview.png")
	b.Do(chromedp.Navigate(s.console + "settings/"))
	says(t, b, "h1", "Settings")
	b.Screenshot("settings.png")
	b.Quiet(s.URL)

	b.Do(chromedp.Navigate(s.console + "mail/preview/html?kind=invitation&language=de"))
	if got := chromium.Run(b, chromedp.Evaluate[string]("self.origin")); got != "null" {
		t.Errorf("the HTML part has the origin %s", got)
	}
}

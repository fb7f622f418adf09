package clients

import (
	"net/http"
	"net/http/httptest"
	"roster/test/support/chromium"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// A new user follows the link of the mail and presses the button: the account is active then, and not before.
func TestActivationInABrowser(t *testing.T) {
	const ann = "ann@example.com"
	s := serve(t, map[string]string{"ROSTER_MAIL": "log:", "ROSTER_LOG_FORMAT": "json", "ROSTER_EMAIL_VERIFICATION": "required"})
	if status := postJSON(t, s.URL+"/api/users/", `{"email": "`+ann+`", "password": "`+password+`", "first_name": "Ann", "last_name": "Lee"}`); status != http.StatusCreated {
		t.Fatal(status)
	}
	path := mailedLink(t, s, "activation")
	scan(t, s, path)
	b := chromium.Open(t)
	chromium.Run(b, chromedp.Steps(chromedp.Navigate(s.URL+path), chromedp.WaitVisible(chromedp.CSS("button"))))
	if signsIn(t, s, ann, password) {
		t.Error("the account is active before the button is pressed")
	}
	chromium.Run(b, chromedp.Steps(chromedp.Click(chromedp.CSS("button")), chromedp.WaitVisible(chromedp.CSS(`[role="status"]`))))
	b.Screenshot("activated.png")
	if !signsIn(t, s, ann, password) {
		t.Error("the account is not active")
	}
	b.Quiet(s.URL)
}

// No page of another origin shows one of the service in a frame, which could lead a user to press a button unseen.
func TestPagesRefuseFrames(t *testing.T) {
	s := serve(t, map[string]string{"ROSTER_MAIL": "log:"})
	framed := "" // the address in the second frame
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if r.URL.Path == "/own" {
			_, _ = w.Write([]byte("<p>Own.</p>"))
			return
		}
		_, _ = w.Write([]byte(`<iframe src="/own"></iframe><iframe src="` + framed + `"></iframe>`))
	}))
	defer other.Close()
	b := chromium.Open(t)
	for _, path := range []string{
		"/", "/api/docs/", "/account/password/reset/", "/account/password/new/", "/account/activate/", "/account/email/confirm/", "/account/email/undo/",
	} {
		framed = s.URL + path
		chromium.Run(b, chromedp.Navigate(other.URL))
		shown := map[string]bool{}
		for _, f := range chromium.Run(b, chromium.Send(page.GetFrameTree, cdp.Empty{})).FrameTree.ChildFrames {
			shown[f.Frame.URL] = true
		}
		if !shown[other.URL+"/own"] || shown[framed] {
			t.Errorf("%s: frames show %v", path, shown)
		}
		complaints := strings.Join(b.Complaints(), "\n")
		if refused := strings.Count(complaints, "frame-ancestors"); refused != 1 {
			t.Errorf("%s: the browser reported %d refused frames: %s", path, refused, complaints)
		}
	}
}

// Without scripts, a user that forgot the password asks for a link and pastes the code of the mail.
func TestPasswordResetWithoutScripts(t *testing.T) {
	s := serve(t, map[string]string{"ROSTER_MAIL": "log:", "ROSTER_LOG_FORMAT": "json"})
	b := chromium.OpenStill(t)
	submit := func() {
		t.Helper()
		b.Submit()
		if !b.Has(`[role="status"]`) {
			t.Fatal("the page reports no success")
		}
	}
	b.Visit(s.URL + "/account/password/reset/")
	b.Enter("#email", admin)
	submit()
	path := mailedLink(t, s, "password_reset")
	_, code, _ := strings.Cut(path, "#")
	b.Visit(s.URL + path)
	b.Enter("#code", code) // a script would have put it there
	b.Enter("#new_password", renewed)
	b.Enter("#re_new_password", renewed)
	submit()
	if signsIn(t, s, admin, password) || !signsIn(t, s, admin, renewed) {
		t.Error("the password is not the new one")
	}
	b.Quiet(s.URL)
}

package clients

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
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
	b := openBrowser(t)
	run(t, b, chromedp.Steps(chromedp.Navigate(s.URL+path), chromedp.WaitVisible(chromedp.CSS("button"))))
	if signsIn(t, s, ann, password) {
		t.Error("the account is active before the button is pressed")
	}
	run(t, b, chromedp.Steps(chromedp.Click(chromedp.CSS("button")), chromedp.WaitVisible(chromedp.CSS(`[role="status"]`))))
	b.screenshot(t, "activated.png")
	if !signsIn(t, s, ann, password) {
		t.Error("the account is not active")
	}
	b.quiet(t, s.URL)
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
	b := openBrowser(t)
	for i, path := range []string{
		"/", "/api/docs/", "/account/password/reset/", "/account/password/new/", "/account/activate/", "/account/email/confirm/", "/account/email/undo/",
	} {
		framed = s.URL + path
		run(t, b, chromedp.Navigate(other.URL))
		shown := map[string]bool{}
		for _, f := range run(t, b, send(page.GetFrameTree, cdp.Empty{})).FrameTree.ChildFrames {
			shown[f.Frame.URL] = true
		}
		if !shown[other.URL+"/own"] || shown[framed] {
			t.Errorf("%s: frames show %v", path, shown)
		}
		b.mu.Lock()
		if refused := strings.Count(strings.Join(b.complaints, "\n"), "frame-ancestors"); refused != i+1 {
			t.Errorf("%s: the browser reported %d refused frames, want %d: %q", path, refused, i+1, b.complaints)
		}
		b.mu.Unlock()
	}
}

// send is an action that sends a command to the page.
func send[P, R any](c cdp.Command[P, R], params P) chromedp.Action[R] {
	return func(ctx context.Context, target *chromedp.Target) (R, error) { return cdp.Call(ctx, target, c, params) }
}

// still is a browser that runs no script. The waits and the input of chromedp use scripts, so it has its own.
type still struct{ *browser }

// find calls a function with the first element that fits a selector, or with 0. chromedp reads each new document too, which
// makes the ids of nodes invalid: then it looks again.
func (b still) find(t *testing.T, selector string, use func(context.Context, *chromedp.Target, cdp.NodeID) error) {
	t.Helper()
	run(t, b.browser, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		for {
			root, err := cdp.Call(ctx, target, dom.GetDocument, dom.GetDocumentParams{})
			if err != nil {
				return err
			}
			found, err := cdp.Call(ctx, target, dom.QuerySelector, dom.QuerySelectorParams{NodeID: root.Root.NodeID, Selector: selector})
			if err == nil {
				err = use(ctx, target, found.NodeID)
			}
			if err == nil || !strings.Contains(err.Error(), "Could not find node") {
				return err
			}
		}
	}))
}

// has reports whether an element fits a selector.
func (b still) has(t *testing.T, selector string) (there bool) {
	t.Helper()
	b.find(t, selector, func(_ context.Context, _ *chromedp.Target, n cdp.NodeID) error { there = n != 0; return nil })
	return there
}

// enter types a text into the input with an id.
func (b still) enter(t *testing.T, id, text string) {
	t.Helper()
	b.find(t, "#"+id, func(ctx context.Context, target *chromedp.Target, n cdp.NodeID) error {
		_, err := cdp.Call(ctx, target, dom.Focus, dom.FocusParams{NodeID: n})
		return err
	})
	run(t, b.browser, send(input.InsertText, input.InsertTextParams{Text: text}))
}

// loads waits until the page that an action leads to is loaded.
func (b still) loads(t *testing.T, a chromedp.Action[chromedp.Void]) {
	t.Helper()
	run(t, b.browser, chromedp.WaitEvent(page.LoadEventFired, nil, a))
}

// Without scripts, a user that forgot the password asks for a link and pastes the code of the mail.
func TestPasswordResetWithoutScripts(t *testing.T) {
	s := serve(t, map[string]string{"ROSTER_MAIL": "log:", "ROSTER_LOG_FORMAT": "json"})
	b := still{openBrowser(t)}
	run(t, b.browser, send(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}))
	open := func(path string) {
		t.Helper()
		b.loads(t, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
			_, err := cdp.Call(ctx, target, page.Navigate, page.NavigateParams{URL: s.URL + path})
			return err
		}))
	}
	const done = `[role="status"]`
	submit := func() {
		t.Helper()
		b.loads(t, chromedp.KeyEvent("\r"))
		if !b.has(t, done) {
			t.Fatalf("the page has no %s", done)
		}
	}
	open("/account/password/reset/")
	b.enter(t, "email", admin)
	submit()
	path := mailedLink(t, s, "password_reset")
	_, code, _ := strings.Cut(path, "#")
	open(path)
	b.enter(t, "code", code) // a script would have put it there
	b.enter(t, "new_password", renewed)
	b.enter(t, "re_new_password", renewed)
	submit()
	if signsIn(t, s, admin, password) || !signsIn(t, s, admin, renewed) {
		t.Error("the password is not the new one")
	}
	b.quiet(t, s.URL)
}

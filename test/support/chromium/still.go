package chromium

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Send is an action that sends a command to the page.
func Send[P, R any](c cdp.Command[P, R], params P) chromedp.Action[R] {
	return func(ctx context.Context, target *chromedp.Target) (R, error) { return cdp.Call(ctx, target, c, params) }
}

// Still is a tab that runs no script. The waits and the input of chromedp use scripts, so it has its own.
type Still struct{ *Tab }

// OpenStill is Open for a tab without scripts.
func OpenStill(t testing.TB) Still {
	t.Helper()
	b := Open(t)
	b.DisableScripts()
	return Still{b}
}

// find calls a function with the first element that fits a selector, or with 0. chromedp reads each new document too, which
// makes the ids of nodes invalid: then it looks again.
func (b Still) find(selector string, use func(context.Context, *chromedp.Target, cdp.NodeID) error) {
	b.t.Helper()
	b.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
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

// Has reports whether an element fits a selector.
func (b Still) Has(selector string) (there bool) {
	b.t.Helper()
	b.find(selector, func(_ context.Context, _ *chromedp.Target, n cdp.NodeID) error { there = n != 0; return nil })
	return there
}

// Enter types a text into the first input that fits a selector.
func (b Still) Enter(selector, text string) {
	b.t.Helper()
	b.find(selector, func(ctx context.Context, target *chromedp.Target, n cdp.NodeID) error {
		_, err := cdp.Call(ctx, target, dom.Focus, dom.FocusParams{NodeID: n})
		return err
	})
	Run(b.Tab, Send(input.InsertText, input.InsertTextParams{Text: text}))
}

// Submit presses Enter in the input that has the focus, and waits until the next page is loaded.
func (b Still) Submit() { b.t.Helper(); b.loads(chromedp.KeyEvent("\r")) }

// Visit loads the page at a URL.
func (b Still) Visit(url string) {
	b.t.Helper()
	b.loads(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, page.Navigate, page.NavigateParams{URL: url})
		return err
	}))
}

// loads waits until the page that an action leads to is loaded.
func (b Still) loads(a chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	Run(b.Tab, chromedp.WaitEvent(page.LoadEventFired, nil, a))
}

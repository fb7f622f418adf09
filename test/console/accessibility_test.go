package console

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"roster/test/support/chromium"
)

// finding is what axe-core says about a page.
type finding struct {
	ID, Impact, Help string
	Nodes            []struct{ HTML string }
}

// axe returns the program of axe-core, which reports what people with disabilities could not use. It skips the test where it
// is not installed, unless TEST_CLIENTS names npm.
func axe(t *testing.T) string {
	t.Helper()
	program, err := os.ReadFile(filepath.Join(os.Getenv("TEST_NODE_MODULES"), "axe-core", "axe.min.js"))
	switch {
	case err != nil && slices.Contains(strings.Split(os.Getenv("TEST_CLIENTS"), ","), "npm"):
		t.Fatal(err)
	case err != nil:
		t.Skipf("NOT RUN: axe-core: %v", err)
	}
	return string(program)
}

// pages are the pages of the console that are judged.
func (s *site) pages(id string) map[string]string {
	return map[string]string{
		"users": "users/", "nothing-found": "users/?search=zzz", "user": "users/" + id + "/", "new-user": "users/new/",
		"invite": "users/invite/", "not-found": "users/none/", "notice": "users/" + id + "/?done=deactivated",
		"overview": "", "audit": "audit/", "audit-live": "audit/?live=1", "keys": "keys/", "key-add": "keys/add/", "mail": "mail/",
		"mail-preview": "mail/preview/", "settings": "settings/",
	}
}

// Nothing serious is wrong on any page, in light and dark, on a desktop and on a phone. Their pictures are kept.
func TestAccessibility(t *testing.T) {
	program := axe(t)
	s := serve(t, nil, exported(t, 40))
	id := s.register("grete.lamberg@example.org", "Grete", "Lamberg")
	s.token("grete.lamberg@example.org", password, "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	for range 12 {
		s.call(http.MethodPost, "/api/token/", "", "curl/8", map[string]string{"email": "grete.lamberg@example.org", "password": "wrong"})
	}
	b := chromium.Open(t)
	judge := func(name string) {
		t.Helper()
		b.Do(chromedp.WaitVisible(chromedp.CSS("main")))
		b.Screenshot(name + ".png")
		chromium.Run(b, chromedp.Evaluate[any](program+"; null"))
		text := chromium.Run(b, chromedp.Evaluate[string](`axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations))`, chromedp.EvalAwaitPromise))
		var found []finding
		if err := json.Unmarshal([]byte(text), &found); err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			t.Errorf("%s: %s (%s): %s, as in %s", name, f.ID, f.Impact, f.Help, f.Nodes[0].HTML)
		}
	}
	b.Do(chromedp.Navigate(s.console + "sign-in/"))
	judge("sign-in")
	s.signIn(b, "wrong")
	b.Do(chromedp.WaitVisible(chromedp.CSS(".problem")))
	judge("sign-in-refused")
	s.signIn(b, password)
	b.Do(chromedp.WaitVisible(chromedp.CSS("#results")))
	for _, look := range []struct {
		name          string
		width, height int64
		scheme        string
	}{{"", 1280, 900, "light"}, {"-dark", 1280, 900, "dark"}, {"-phone", 390, 844, "light"}} {
		b.Do(chromedp.EmulateViewport(look.width, look.height))
		b.Scheme(look.scheme)
		for name, path := range s.pages(id) {
			b.Do(chromedp.Navigate(s.console + path))
			judge(name + look.name)
		}
	}
}

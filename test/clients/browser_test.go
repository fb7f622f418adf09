package clients

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser is a tab of Chromium, with what it complained about and the hosts that it asked.
type browser struct {
	ctx context.Context

	mu         sync.Mutex
	complaints []string
	hosts      map[string]bool
}

// openBrowser starts Chromium. It skips the test where there is none, unless it must run.
func openBrowser(t *testing.T) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		missing(t, "chromium", err.Error())
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.WindowSize(1200, 1400)}
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses to start as root with it
	}
	b := &browser{hosts: map[string]bool{}}
	b.ctx, cancel = chromedp.NewContext(ctx, chromedp.WithAllocatorOptions(options...), chromedp.WithListener(b.watch))
	t.Cleanup(cancel)
	return b
}

// watch keeps what an event of the browser says.
func (b *browser) watch(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if u, err := url.Parse(e.Request.URL); err == nil && u.Scheme != "data" {
			b.hosts[u.Host] = true
		}
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, fmt.Sprintf("exception: %+v", e.ExceptionDetails))
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			for _, arg := range e.Args {
				b.complaints = append(b.complaints, fmt.Sprintf("console: %s %s", arg.Value, arg.Description))
			}
		}
	case *log.EventEntryAdded:
		b.complaints = append(b.complaints, fmt.Sprintf("%s: %s %s", e.Entry.Level, e.Entry.Text, e.Entry.URL))
	}
}

// run runs an action in the browser and returns its value.
func run[T any](t *testing.T, b *browser, action chromedp.Action[T]) T {
	t.Helper()
	v, err := chromedp.Run(b.ctx, action)
	if err != nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		t.Fatalf("%v\nthe browser says:\n%s", err, strings.Join(b.complaints, "\n"))
	}
	return v
}

// screenshot keeps a picture of the page as an artifact of the test (go test -artifacts).
func (b *browser) screenshot(t *testing.T, name string) {
	t.Helper()
	picture := run(t, b, chromedp.CaptureScreenshot())
	if err := os.WriteFile(filepath.Join(t.ArtifactDir(), name), picture, 0o600); err != nil {
		t.Error(err)
	}
}

// quiet fails the test if the browser complained, or asked another host than that of the service.
func (b *browser) quiet(t *testing.T, service string) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.complaints {
		t.Errorf("the browser says: %s", c)
	}
	for host := range b.hosts {
		if "http://"+host != service {
			t.Errorf("a request went to %s", host)
		}
	}
	if len(b.hosts) == 0 {
		t.Error("no request was seen")
	}
}

// In a browser, the first page leads to the documentation, where a user signs in and calls an operation.
func TestDocumentationInABrowser(t *testing.T) {
	for name, settings := range map[string]map[string]string{
		"standard":      nil,
		"other schemes": {"ROSTER_AUTHORIZATION_SCHEMES": "JWT", "ROSTER_LOGIN_FIELD": "username", "ROSTER_PUBLIC_URL": "https://id.example.org/"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, settings)
			b := openBrowser(t)
			run(t, b, chromedp.Steps(
				chromedp.Navigate(s.URL+"/"),
				chromedp.Click(chromedp.CSS(`a[href$="/api/docs/"]`)),
				chromedp.WaitVisible(chromedp.CSS("#operations-users-listUsers")),
				chromedp.SendKeys(chromedp.CSS("#email"), admin),
				chromedp.SendKeys(chromedp.CSS("#password"), password),
				chromedp.Click(chromedp.CSS("#sign-in button")),
				chromedp.WaitVisible(chromedp.CSS("#sign-out")),
			))
			if state := run(t, b, chromedp.Value(chromedp.CSS("#signed-in"))); state != "Signed in as "+admin {
				t.Errorf("the page says %q", state)
			}
			for id, part := range map[string]string{"users-listUsers": admin, "sessions-listSessions": "HeadlessChrome"} {
				operation := "#operations-" + id + " "
				run(t, b, chromedp.Steps(
					chromedp.Click(chromedp.CSS(operation+".opblock-summary-control")),
					chromedp.Click(chromedp.CSS(operation+"button.execute")),
					chromedp.WaitVisible(chromedp.CSS(operation+".live-responses-table pre")),
					chromedp.ScrollIntoView(chromedp.CSS(operation+".live-responses-table")),
				))
				status := run(t, b, chromedp.Text(chromedp.CSS(operation+".live-responses-table tbody .response-col_status")))
				answer := run(t, b, chromedp.Text(chromedp.CSS(operation+".live-responses-table tbody .response-col_description")))
				if !strings.HasPrefix(status, "200") || !strings.Contains(answer, part) {
					t.Errorf("%s: status %q, answer %s", id, status, answer)
				}
				b.screenshot(t, id+".png")
			}
			run(t, b, chromedp.Steps(chromedp.Click(chromedp.CSS("#sign-out")), chromedp.WaitNotVisible(chromedp.CSS("#sign-out"))))
			b.quiet(t, s.URL)
		})
	}
}

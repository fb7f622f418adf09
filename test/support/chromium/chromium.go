// Package chromium drives Debian's Chromium in tests.
package chromium

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Limits of a whole test, which may load some fifty pages at seconds each on a busy machine, and of one action in it: the latter
// ends a hang.
const (
	patience     = 15 * time.Minute
	stepPatience = time.Minute
)

// Tab is a tab of a browser of its own, with what the browser complained about and the hosts that it asked.
type Tab struct {
	ctx context.Context
	t   testing.TB

	mu         sync.Mutex
	complaints []string
	hosts      map[string]bool
}

// Open starts Chromium. It skips the test where there is none, unless TEST_CLIENTS names chromium.
func Open(t testing.TB) *Tab {
	t.Helper()
	path, err := exec.LookPath("chromium")
	switch {
	case err != nil && slices.Contains(strings.Split(os.Getenv("TEST_CLIENTS"), ","), "chromium"):
		t.Fatalf("chromium must run, and cannot: %v", err)
	case err != nil:
		t.Skipf("NOT RUN: chromium: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	options := []chromedp.ExecAllocatorOption{chromedp.ExecPath(path), chromedp.WindowSize(1200, 1400)}
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses to start as root with it
	}
	b := &Tab{t: t, hosts: map[string]bool{}}
	b.ctx, cancel = chromedp.NewContext(ctx, chromedp.WithAllocatorOptions(options...), chromedp.WithListener(b.watch))
	t.Cleanup(cancel)
	if _, err := chromedp.Run(b.ctx, chromedp.Steps()); err != nil { // the browser lives as long as the context of the first call
		t.Fatal(err)
	}
	return b
}

// watch keeps what an event of the browser says. A violation of the Content-Security-Policy is an entry of its log.
func (b *Tab) watch(event any) {
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
		if e.Entry.Level == log.EntryLevelInfo {
			return
		}
		b.complaints = append(b.complaints, fmt.Sprintf("%s: %s %s", e.Entry.Level, e.Entry.Text, e.Entry.URL))
	}
}

// Run runs an action in the tab and returns its value.
func Run[T any](b *Tab, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, stepPatience)
	defer cancel()
	v, err := chromedp.Run(ctx, action)
	if err != nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.t.Fatalf("%v\nthe browser says:\n%s", err, strings.Join(b.complaints, "\n"))
	}
	return v
}

// Do runs steps in the tab.
func (b *Tab) Do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	Run(b, chromedp.Steps(steps...))
}

// Scheme makes the browser prefer light or dark pages.
func (b *Tab) Scheme(name string) {
	b.t.Helper()
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features}); err != nil {
		b.t.Fatal(err)
	}
}

// DisableScripts makes the browser ignore the scripts of pages from now on.
func (b *Tab) DisableScripts() {
	b.t.Helper()
	disabled := emulation.SetScriptExecutionDisabledParams{Value: true}
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, disabled); err != nil {
		b.t.Fatal(err)
	}
}

// Screenshot keeps a picture of the page as an artifact of the test (go test -artifacts).
func (b *Tab) Screenshot(name string) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.t.ArtifactDir(), name), Run(b, chromedp.CaptureScreenshot()), 0o600); err != nil {
		b.t.Error(err)
	}
}

// Complaints returns what the browser has complained about since the last call.
func (b *Tab) Complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.complaints
	b.complaints = nil
	return all
}

// Quiet fails the test if the browser complained, or asked another host than that of the service, a URL.
func (b *Tab) Quiet(service string) {
	b.t.Helper()
	for _, c := range b.Complaints() {
		b.t.Errorf("the browser says: %s", c)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for host := range b.hosts {
		if "http://"+host != service {
			b.t.Errorf("a request went to %s", host)
		}
	}
	if len(b.hosts) == 0 {
		b.t.Error("no request was seen")
	}
}

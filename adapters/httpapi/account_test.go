package httpapi

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"roster/adapters/httpapi/pages"
	"roster/domain/credential"
	"roster/domain/fault"
	"roster/domain/link"
	"roster/domain/user"
	"roster/ports/inbound"
)

// post posts a form.
func (e *testAPI) post(path, form string, headers ...string) reply {
	e.t.Helper()
	return e.send("POST", path, form, append([]string{"Content-Type", formType}, headers...)...)
}

const codeForm = "code=MQ%2Ft-1&new_password=n+1&re_new_password=r"

// accountForms are the forms of the pages, and the use cases that they call.
var accountForms = map[string]struct{ form, calls string }{
	"/account/activate/":       {codeForm, "activate MQ/t-1"},
	"/account/password/reset/": {"email=a%40example.com", "reset a@example.com"},
	"/account/password/new/":   {codeForm, "check password_reset MQ/t-1; confirm MQ/t-1 n 1 r true"},
	"/account/email/confirm/":  {codeForm, "confirm email MQ/t-1"},
	"/account/email/undo/":     {codeForm, "undo email MQ/t-1"},
}

// A GET of a page does nothing, since scanners of mails follow links. The form does, once it is posted. What the page loads is
// its own.
func TestAccountPages(t *testing.T) {
	links := &fakeLinks{}
	api := newMailAPI(t, Settings{}, links)
	for path, c := range accountForms {
		links.calls = nil
		got := api.send("GET", path, "", "Authorization", "Bearer x", "Accept", "application/json")
		got.want(t, 200, "Content-Type", "text/html; charset=utf-8", "Cache-Control", "no-store",
			"Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; "+
				"form-action 'self'; frame-ancestors 'none'")
		if want := map[bool]string{true: "same-origin", false: "no-referrer"}[strings.Contains(path, "reset")]; got.Header.Get("Referrer-Policy") != want {
			t.Errorf("%s: %s, want %s", path, got.Header.Get("Referrer-Policy"), want)
		}
		if !strings.Contains(got.body, `<form method="post" action="."`) || strings.Contains(got.body, "aria-invalid") || strings.Contains(got.body, "autofocus") {
			t.Errorf("%s: %s", path, got.body)
		}
		root := strings.Repeat("../", strings.Count(path, "/")-1)
		files := regexp.MustCompile(`(?:href|src)="([^"]*/files/[^"]*)"`).FindAllStringSubmatch(got.body, -1)
		if len(files) != 3 {
			t.Errorf("%s: files %q", path, files)
		}
		for _, f := range files {
			name, ok := strings.CutPrefix(f[1], root+"account/files/")
			if !ok {
				t.Errorf("%s: %s is elsewhere", path, f[1])
			}
			api.send("GET", "/account/files/"+name, "").want(t, 200, "Cache-Control", "public, max-age=31536000, immutable")
		}
		api.send("HEAD", path, "").want(t, 200)
		api.send("GET", strings.TrimSuffix(path, "/"), "").want(t, 301, "Location", path)
		api.send("PUT", path, "x").want(t, 405, "Allow", "GET, HEAD, POST")
		api.send("POST", path, `{"code": "MQ/t-1", "email": "a@example.com"}`).want(t, 415)
		if links.calls != nil {
			t.Errorf("%s: calls %q", path, links.calls)
		}
		done := api.post(path, c.form)
		done.want(t, 200, "Content-Type", "text/html; charset=utf-8", "Cache-Control", "no-store")
		if calls := strings.Join(links.calls, "; "); calls != c.calls {
			t.Errorf("%s: calls %q, want %q", path, calls, c.calls)
		}
		if !strings.Contains(done.body, `role="status"`) || strings.Contains(done.body, "<form") {
			t.Errorf("%s: %s", path, done.body)
		}
	}
	docs, ok := pages.FileNamed(regexp.MustCompile(`swagger-ui-bundle-\w+\.js`).FindString(string(pages.Docs())))
	if !ok {
		t.Fatal("no file of the documentation")
	}
	api.send("GET", "/account/files/"+docs.Name, "").want(t, 404)
}

// Without mail there are no pages.
func TestNoAccountPagesWithoutMail(t *testing.T) {
	api := newMailAPI(t, Settings{}, nil)
	for path := range accountForms {
		api.send("GET", path, "").want(t, 404)
	}
	api.send("GET", "/.well-known/change-password", "").want(t, 404)
}

// The code of a link is understood as mails show it and as programs copy it.
func TestCodes(t *testing.T) {
	links := &fakeLinks{}
	api := newMailAPI(t, Settings{}, links)
	for _, code := range []string{
		"MQ/t-1", "%20MQ%2Ft-1%0A", "MQ%252Ft-1", "https%3A%2F%2Fid.example.org%2Faccount%2Factivate%2F%23MQ%2Ft-1",
	} {
		links.calls = nil
		api.post("/account/activate/", "code="+code).want(t, 200)
		if calls := strings.Join(links.calls, "; "); calls != "activate MQ/t-1" {
			t.Errorf("%s: calls %q", code, calls)
		}
	}
}

// Faults stand at their inputs, and the first has the focus. What the user typed stays, but passwords.
func TestFaultsOnPages(t *testing.T) {
	weak := fault.ErrInvalid.With(fault.Field{Name: "new_password", Message: "Too <short>."}, fault.Field{Name: "new_password", Message: "Too common."})
	blank := fault.ErrInvalid.With(fault.Field{Name: "uid", Message: "blank"}, fault.Field{Name: "token", Message: "blank"})
	const (
		hidden   = "<div hidden>\n<label for=\"code\">"
		badCode  = `<li>This code is not valid. It may have been used already, or it is too old.</li>`
		focused  = `aria-invalid="true" aria-describedby="%s-fault" autofocus>`
		alert    = `<p class="fault" role="alert" tabindex="-1" autofocus>`
		password = "/account/password/new/"
	)
	for name, c := range map[string]struct {
		path   string
		err    error
		status int
		parts  []string
	}{
		"weak":     {password, weak, 400, []string{hidden, `value="MQ/t-1"`, fmt.Sprintf(focused, "new_password"), "<li>Too &lt;short&gt;.</li>\n<li>Too common.</li>"}},
		"mismatch": {password, credential.ErrMismatch, 400, []string{hidden, fmt.Sprintf(focused, "re_new_password"), "<li>The two password fields didn&#39;t match.</li>"}},
		"user":     {password, link.ErrBadUser, 400, []string{fmt.Sprintf(focused, "code"), badCode}},
		"token":    {password, link.ErrBadToken, 400, []string{fmt.Sprintf(focused, "code"), badCode, `<a href="../reset/">`}},
		"blank":    {password, blank, 400, []string{fmt.Sprintf(focused, "code"), "<li>blank</li>\n</ul>"}},
		"stale":    {"/account/activate/", link.ErrStale, 403, []string{hidden, alert + "This account is active already. You can sign in.</p>"}},
		"taken":    {"/account/email/confirm/", user.ErrEmailTaken, 400, []string{hidden, alert + user.ErrEmailTaken.Fields[0].Message}},
		"busy":     {password, credential.ErrBusy, 503, []string{hidden, alert + "Too many sign-ins at once"}},
		"defect":   {password, errors.New("secret"), 500, []string{hidden, alert + "A server error occurred."}},
		"address":  {"/account/password/reset/", invalid("email", "invalid", "Enter a valid email address."), 400, []string{`value="a@&#34;&gt;"`, fmt.Sprintf(focused, "email")}},
		"unknown":  {"/account/password/reset/", inbound.ErrAddressUnknown, 400, []string{alert + "User with given email does not exist."}},
	} {
		links := &fakeLinks{err: c.err}
		got := newMailAPI(t, Settings{}, links).post(c.path, codeForm+"&email=a@%22%3E")
		got.want(t, c.status, "Content-Type", "text/html; charset=utf-8")
		for _, part := range append(c.parts, "<title>Error: ") {
			if !strings.Contains(got.body, part) {
				t.Errorf("%s: no %s in\n%s", name, part, got.body)
			}
		}
		for _, part := range []string{`value="n 1"`, `value="r"`, "secret"} {
			if strings.Contains(got.body, part) {
				t.Errorf("%s: %s in\n%s", name, part, got.body)
			}
		}
		if n := strings.Count(got.body, "autofocus"); n != 1 {
			t.Errorf("%s: %d inputs have the focus:\n%s", name, n, got.body)
		}
	}
}

// The form that asks for a mail refuses other sites. The others need the token, which no other site has.
func TestOtherSitesCannotAskForMails(t *testing.T) {
	links := &fakeLinks{}
	api := newMailAPI(t, Settings{PublicURL: "https://id.example.org/accounts"}, links)
	const path, form = "/account/password/reset/", "email=a%40example.com"
	for _, c := range []struct {
		header, value string
		status        int
	}{
		{"Sec-Fetch-Site", "cross-site", 403},
		{"Sec-Fetch-Site", "same-site", 403},
		{"Sec-Fetch-Site", "same-origin", 200},
		{"Origin", "https://evil.example", 403},
		{"Origin", "null", 403},
		{"Origin", "http://id.example.org", 403},
		{"Origin", "https://id.example.org", 200},
		{"Origin", api.url, 200},
		{"Accept", "*/*", 200},
	} {
		links.calls = nil
		got := api.post(path, form, c.header, c.value)
		got.want(t, c.status)
		if (c.status == 200) != (len(links.calls) == 1) {
			t.Errorf("%s: %s: calls %q", c.header, c.value, links.calls)
		}
		if c.status == 403 && !strings.Contains(got.body, `role="alert"`) {
			t.Errorf("%s: %s: %s", c.header, c.value, got.body)
		}
	}
}

// No page leads where the request says: neither by next nor by the Host header.
func TestPagesLeadNowhereElse(t *testing.T) {
	forged := []string{"Host", "evil.example", "X-Forwarded-Host", "evil.example", "Forwarded", "host=evil.example", "Referer", "https://evil.example/"}
	for public, prefix := range map[string]string{"": "", "https://id.example.org/accounts/": "/accounts", FromHost: ""} {
		api := newMailAPI(t, Settings{PublicURL: public}, &fakeLinks{})
		const next = "?next=https://evil.example/&redirect=//evil.example&return_to=https://evil.example"
		for path, c := range accountForms {
			for _, got := range []reply{
				api.send("GET", path+next, "", forged...),
				api.post(path+next, c.form+"&next=https%3A%2F%2Fevil.example", forged...),
			} {
				got.want(t, 200, "Location", "", "Refresh", "")
				if strings.Contains(got.body, "evil") {
					t.Errorf("%s: %s", path, got.body)
				}
			}
		}
		api.send("GET", "/.well-known/change-password"+next, "", forged...).want(t, 302, "Location", prefix+"/account/password/reset/")
		api.send("POST", "/.well-known/change-password", "x").want(t, 405)
		if got := api.send("GET", "/account/activate", "", forged...).Header.Get("Location"); got != prefix+"/account/activate/" {
			t.Error(got)
		}
	}
}

// Requests for a mail count with those of the API. Tries of codes count with those of tokens.
func TestAccountPagesAreThrottled(t *testing.T) {
	api := newMailAPI(t, Settings{Throttling: Throttling{Mail: Rate{1, time.Minute}, Token: Rate{1, time.Minute}}}, &fakeLinks{})
	from := fromAddress("192.0.2.1")
	api.send("POST", "/api/users/reset_password/", "{}", from...).want(t, 204)
	got := api.post("/account/password/reset/", "email=a", from...)
	got.want(t, 429, "Retry-After", "60", "RateLimit", `"mail";r=0;t=60`, "Content-Type", "text/html; charset=utf-8")
	if !strings.Contains(got.body, "Request was throttled. Expected available in 60 seconds.") {
		t.Error(got.body)
	}
	api.send("GET", "/account/password/reset/", "", from...).want(t, 200)
	api.post("/account/activate/", codeForm, from...).want(t, 200)
	api.post("/account/email/undo/", codeForm, from...).want(t, 429)
}

// No log line has the token or a password, also when it comes where it does not belong.
func TestNoTokensOfLinksInTheLog(t *testing.T) {
	core, lines := observer.New(zapcore.DebugLevel)
	h, err := New(Ports{Links: &fakeLinks{err: errors.New("defect")}}, Settings{MaxBody: 1024, RequestTimeout: time.Minute}, nil, zap.New(core))
	if err != nil {
		t.Fatal(err)
	}
	listening := httptest.NewServer(h)
	t.Cleanup(listening.Close)
	api := &testAPI{t: t, url: listening.URL}
	const secret = "t0k3n-5ecret"
	for path := range accountForms {
		api.post(path, "code=MQ%2F"+secret+"&new_password="+secret+"&re_new_password=x&email=a@example.com").want(t, 500)
		api.send("GET", path+"?token="+secret, "").want(t, 200)
		api.send("GET", path, "", "Referer", "https://id.example.org/account/#MQ/"+secret).want(t, 200)
	}
	if lines.Len() < 3*len(accountForms) {
		t.Errorf("%d lines", lines.Len())
	}
	for _, line := range lines.All() {
		if text := fmt.Sprint(line.Message, line.ContextMap()); strings.Contains(text, secret) {
			t.Error(text)
		}
	}
}

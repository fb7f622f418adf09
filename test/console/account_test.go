package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"roster/test/support/chromium"
)

const (
	ann     = "ann@example.com"
	renewed = "seven tall silver kites"
)

// account returns the site whose pages are those of one's own account.
func (s *site) account() *site { return &site{Server: s.Server, t: s.t, console: s.URL + "/account/"} }

// wants fails unless a page has a status and a text.
func (v visitor) wants(what string, status int, text string) func(int, string, http.Header) string {
	return func(got int, body string, _ http.Header) string {
		v.s.t.Helper()
		if got != status || !strings.Contains(body, text) {
			v.s.t.Errorf("%s: status %d, want %d with %q:\n%s", what, got, status, text, body)
		}
		return body
	}
}

// Every user changes its own account at /account/, and sees what an administrator did to it.
func TestOwnAccount(t *testing.T) {
	s := serve(t, map[string]string{"ROSTER_ACCOUNT_PAGES": "on", "ROSTER_CONSOLE": "off"}, "")
	id := s.register(ann, "Ann", "Lee")
	other := s.register("ben@example.com", "Ben", "Lee")
	root := s.token(admin, password, "test")
	for _, active := range []bool{false, true} {
		if status, _ := s.call(http.MethodPatch, "/api/users/"+id+"/", root, "test", map[string]bool{"is_active": active}); status != http.StatusOK {
			t.Fatal(status)
		}
	}
	phone := s.token(ann, password, "okhttp/5.1")
	alive := func(token string) bool {
		status, _ := s.call(http.MethodGet, "/api/users/me/", token, "test", nil)
		return status == http.StatusOK
	}

	stranger := s.account().visit("nobody@example.com")
	page := stranger.wants("without a sign-in", http.StatusOK, "Forgot the password?")(stranger.get(""))
	if !strings.Contains(page, `<h1>Sign in</h1>`) || strings.Contains(page, "createsuperuser") {
		t.Errorf("the sign-in is\n%s", page)
	}
	stranger.wants("the page of a forgotten password", http.StatusOK, "<h1>Reset your password</h1>")(stranger.get("../account/password/reset/"))
	stranger.wants("the page of a mailed link", http.StatusOK, "<h1>Activate your account</h1>")(stranger.get("activate/"))

	v := s.account().visit(ann)
	page = v.wants("the account", http.StatusOK, "<h1>My account</h1>")(v.get(""))
	for _, part := range []string{"deactivated", "an administrator", "okhttp", "This one", `value="Ann"`} {
		if !strings.Contains(page, part) {
			t.Errorf("the page has no %q", part)
		}
	}
	if strings.Contains(page, admin) || strings.Contains(page, `"Sections"`) && strings.Contains(page, ">Users<") {
		t.Errorf("the page names the administrator, or leads to the console:\n%s", page)
	}
	names := url.Values{
		"before.first_name": {"Ann"}, "first_name": {"Anna"}, "before.last_name": {"Lee"}, "last_name": {"Lee"}, "before.locale": {""}, "locale": {"de"},
		"email": {"stolen@example.com"}, "is_staff": {"true"},
	}
	v.wants("names", http.StatusOK, "The changes are saved.")(v.post("", names))
	if _, me := s.call(http.MethodGet, "/api/users/me/", phone, "test", nil); me["first_name"] != "Anna" || me["locale"] != "de" || me["email"] != ann || me["is_staff"] != false {
		t.Errorf("the user is %v", me)
	}
	names.Set("before.first_name", "Anna")
	names.Set("first_name", strings.Repeat("x", 200))
	v.wants("a long name", http.StatusBadRequest, `id="first_name-fault"`)(v.post("", names))

	// The session of another user is not one's own.
	ben := s.token("ben@example.com", password, "test")
	_, list := s.call(http.MethodGet, "/api/sessions/", ben, "test", nil)
	v.wants("another's session", http.StatusOK, "My account")(v.post("end-session/", url.Values{"session": {list["results"].([]any)[0].(map[string]any)["id"].(string)}}))
	if !alive(ben) {
		t.Errorf("a user ended a session of user %s", other)
	}

	change := url.Values{"current_password": {"wrong"}, "new_password": {renewed}, "re_new_password": {renewed}}
	v.wants("a wrong password", http.StatusBadRequest, `id="current_password-fault"`)(v.post("change-password/", change))
	change.Set("current_password", password)
	change.Set("re_new_password", "another")
	v.wants("two passwords", http.StatusBadRequest, "match")(v.post("change-password/", change))
	change.Set("re_new_password", renewed)
	v.wants("the password", http.StatusOK, "The new password is set.")(v.post("change-password/", change))
	if alive(phone) {
		t.Error("the other session outlives the password")
	}
	phone = s.token(ann, renewed, "okhttp/5.1")

	address := url.Values{"new_email": {"anna@example.com"}, "current_password": {"wrong"}}
	v.wants("a wrong password", http.StatusBadRequest, `id="current_password-fault"`)(v.post("change-email/", address))
	address.Set("current_password", renewed)
	v.wants("the address", http.StatusOK, "becomes your address once you follow the link")(v.post("change-email/", address))
	s.AwaitLog(`"kind":"email_change"`)

	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/account/end-sessions/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	v.wants("another site", http.StatusForbidden, "not allowed")(v.do(r))
	if !alive(phone) {
		t.Error("another site ended sessions")
	}
	v.wants("everywhere", http.StatusOK, "You are signed out everywhere.")(v.post("end-sessions/", nil))
	if alive(phone) {
		t.Error("a session is left")
	}
	v.wants("after that", http.StatusOK, "<h1>Sign in</h1>")(v.get(""))
}

// Without the setting there are only the pages of mailed links below /account/, and with mail off none. Without mail, staff
// change addresses.
func TestOwnAccountIsOff(t *testing.T) {
	s := serve(t, map[string]string{"ROSTER_MAIL": "off"}, "")
	v := s.account().visit(admin)
	v.wants("off", http.StatusNotFound, "")(v.get(""))
	s = serve(t, map[string]string{"ROSTER_MAIL": "off", "ROSTER_ACCOUNT_PAGES": "on"}, "")
	v = s.account().visit(admin)
	page := v.wants("without mail", http.StatusOK, "Ask an administrator")(v.get("change-email/"))
	if strings.Contains(page, `name="new_email"`) {
		t.Error("there is a form for an address that nothing proves")
	}
	v.wants("without mail", http.StatusNotFound, "")(v.get("activate/"))
	v.wants("without mail", http.StatusNotFound, "")(v.post("change-email/", url.Values{"new_email": {"a@example.com"}, "current_password": {password}}))
	out := s.account().visit("nobody@example.com")
	if page := out.wants("the sign-in", http.StatusOK, "<h1>Sign in</h1>")(out.get("")); strings.Contains(page, "Forgot") {
		t.Error("the sign-in leads to a mail that nothing sends")
	}
}

// In a browser, a user signs in, changes the password, ends another session, and signs out; on a phone too.
func TestOwnAccountInABrowser(t *testing.T) {
	s := serve(t, map[string]string{"ROSTER_ACCOUNT_PAGES": "on"}, "")
	s.register(ann, "Ann", "Lee")
	phone := s.token(ann, password, "okhttp/5.1")
	b := chromium.Open(t)
	in := func(secret string) {
		b.Do(chromedp.Navigate(s.URL+"/account/"), chromedp.WaitVisible(chromedp.CSS("#password")),
			chromedp.SendKeys(chromedp.CSS("#email"), ann), chromedp.SendKeys(chromedp.CSS("#password"), secret),
			chromedp.Click(chromedp.CSS(".sign-in button")))
		says(t, b, "h1", "My account")
	}
	in(password)
	b.Screenshot("account.png")
	b.Do(chromedp.Click(chromedp.CSS("#sessions-table tbody tr:nth-child(2) button")))
	says(t, b, ".notice", "The session has ended.")
	if status, _ := s.call(http.MethodGet, "/api/users/me/", phone, "test", nil); status != http.StatusUnauthorized {
		t.Errorf("the token of an ended session: %d", status)
	}
	b.Do(chromedp.Click(chromedp.CSS(`nav a[href$="change-password/"]`)), fill("#current_password", password), fill("#new_password", renewed),
		fill("#re_new_password", renewed), chromedp.EmulateViewport(390, 844))
	b.Screenshot("account-password-phone.png")
	b.Do(chromedp.Click(button("change-password/")))
	says(t, b, ".notice", "The new password is set.")
	b.Screenshot("account-phone.png")
	b.Do(chromedp.Click(button("sign-out/")))
	says(t, b, ".notice", "You are signed out.")
	in(renewed)
	b.Do(chromedp.Click(button("sign-out/")), chromedp.WaitVisible(chromedp.CSS(".notice")),
		chromedp.Click(chromedp.CSS(`a[href$="password/reset/"]`)))
	says(t, b, "h1", "Reset your password")
	b.Quiet(s.URL)
}

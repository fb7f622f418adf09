package console

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"roster/test/support/chromium"
)

// An administrator finds one of 100,000 users by typing, reads why the user was locked out, ends a session, starts a reset,
// deactivates the user, whose token is refused from then on, and undoes that. No task takes more than three clicks from the
// first page.
func TestDailyWork(t *testing.T) {
	s := serve(t, nil, exported(t, 100_000))
	id := s.register("grete.lamberg@example.org", "Grete", "Lamberg")
	token := s.token("grete.lamberg@example.org", password, "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
	other := s.token("grete.lamberg@example.org", password, "okhttp/5.1")
	for range 20 {
		s.call(http.MethodPost, "/api/token/", "", "curl/8", map[string]string{"email": "grete.lamberg@example.org", "password": "wrong"})
	}
	me := func(token string) int {
		status, _ := s.call(http.MethodGet, "/api/users/"+id+"/", token, "test", nil)
		return status
	}

	b := s.open()
	b.Screenshot("users.png")
	b.Do(chromedp.SendKeys(chromedp.CSS("#search"), "grete lamb"), chromedp.WaitVisible(chromedp.CSS(`#results a[href$="`+id+`/"]`)))
	says(t, b, "#summary", "1 user")
	b.Do(chromedp.Click(chromedp.CSS(`#results a[href$="` + id + `/"]`)))
	says(t, b, "h1", "Grete Lamberg")
	says(t, b, "#events", "Locked after failed sign-ins")
	says(t, b, "#events", "curl")
	b.Screenshot("user.png")

	b.Do(chromedp.Click(chromedp.CSS(`#sessions-table tbody tr:first-child button`)))
	says(t, b, ".notice", "The session has ended.")
	if me(other) != http.StatusUnauthorized || me(token) != http.StatusOK {
		t.Errorf("after the end of one session: %d and %d", me(other), me(token))
	}
	b.Do(chromedp.Click(button(id + "/reset/")))
	says(t, b, ".notice", "A mail with a link")
	s.AwaitLog(`"kind":"password_reset"`)
	b.Do(chromedp.Click(button(id + "/active/")))
	says(t, b, ".notice", "The user is deactivated.")
	b.Screenshot("deactivated.png")
	if me(token) != http.StatusUnauthorized {
		t.Errorf("the token of a deactivated user: %d", me(token))
	}
	b.Do(chromedp.Click(chromedp.CSS(".notice button")))
	says(t, b, ".notice", "The user is active.")
	b.Quiet(s.URL)
}

// Of two changes at once, the second is shown both values, and may replace the first.
func TestLostUpdate(t *testing.T) {
	s := serve(t, nil, "")
	id := s.register("ann@example.com", "Ann", "Lee")
	b := s.open()
	b.Do(chromedp.Navigate(s.console+"users/"+id+"/"), fill("#first_name", "Anna"))
	token := s.token(admin, password, "test")
	if status, _ := s.call(http.MethodPatch, "/api/users/"+id+"/", token, "test", map[string]string{"first_name": "Annika"}); status != http.StatusOK {
		t.Fatal(status)
	}
	b.Do(chromedp.Click(button("users/" + id + "/")))
	says(t, b, ".problem", "changed in the meantime")
	says(t, b, "#first_name-stored", "Annika")
	if mine := chromium.Run(b, chromedp.Value(chromedp.CSS("#first_name"))); mine != "Anna" {
		t.Errorf("the input has %q", mine)
	}
	b.Screenshot("conflict.png")
	b.Complaints() // of the status 412
	b.Do(chromedp.Click(button("users/" + id + "/")))
	says(t, b, ".notice", "The changes are saved.")
	says(t, b, "h1", "Anna Lee")

	// A sign-in of the user in between changes nothing on the page.
	b.Do(chromedp.Navigate(s.console+"users/"+id+"/"), fill("#last_name", "Lea"))
	s.token("ann@example.com", password, "test")
	b.Do(chromedp.Click(button("users/" + id + "/")))
	says(t, b, ".notice", "The changes are saved.")
	says(t, b, "h1", "Anna Lea")
	b.Do(fill("#email", "nonsense"), chromedp.Click(button("users/"+id+"/")))
	says(t, b, "#email-fault", "Enter a valid email address.")
	b.Complaints() // of the status 400
	b.Quiet(s.URL)
}

// A wrong password is refused in place, and after some the sign-in must wait.
func TestWrongPasswords(t *testing.T) {
	s := serve(t, nil, "")
	b := chromium.Open(t)
	s.signIn(b, "wrong")
	says(t, b, ".problem", "No active account found with the given credentials")
	for range 10 {
		s.call(http.MethodPost, "/api/token/", "", "curl/8", map[string]string{"email": admin, "password": "wrong"})
	}
	s.signIn(b, password)
	says(t, b, ".problem", "Too many failed sign-ins. Try again in")
	b.Screenshot("locked.png")
}

// The session ends in the middle of work: what was sent takes effect after the next sign-in.
func TestSessionEndsInTheMiddleOfWork(t *testing.T) {
	s := serve(t, nil, "")
	id := s.register("ann@example.com", "Ann", "Lee")
	b := s.open()
	b.Do(chromedp.Navigate(s.console+"users/"+id+"/"), fill("#first_name", "Anna"))
	if status, _ := s.call(http.MethodDelete, "/api/sessions/", s.token(admin, password, "test"), "test", nil); status != http.StatusNoContent {
		t.Fatal(status)
	}
	b.Do(chromedp.Click(button("users/" + id + "/")))
	says(t, b, ".sign-in", "Your session has ended.")
	b.Screenshot("ended.png")
	b.Complaints() // of the status 401
	b.Do(chromedp.SendKeys(chromedp.CSS("#email"), admin), chromedp.SendKeys(chromedp.CSS("#password"), password), chromedp.Click(chromedp.CSS(".sign-in button")))
	says(t, b, ".notice", "The changes are saved.")
	says(t, b, "h1", "Anna Lee")

	// During a search, the visitor is led to the sign-in, and back.
	b.Do(chromedp.Navigate(s.console + "users/"))
	if status, _ := s.call(http.MethodDelete, "/api/sessions/", s.token(admin, password, "test"), "test", nil); status != http.StatusNoContent {
		t.Fatal(status)
	}
	b.Do(chromedp.SendKeys(chromedp.CSS("#search"), "ann"), chromedp.WaitVisible(chromedp.CSS("#password")))
	b.Quiet(s.URL)
}

// After a sign-out, neither the way back nor the address shows anything.
func TestSignOut(t *testing.T) {
	s := serve(t, nil, "")
	s.register("ann@example.com", "Ann", "Lee")
	b := s.open()
	b.Do(chromedp.Navigate(s.console+"users/?search=ann"), chromedp.WaitVisible(chromedp.CSS("#results")),
		chromedp.Click(button("sign-out/")))
	says(t, b, ".notice", "You are signed out.")
	b.Do(chromedp.NavigateBack(), chromedp.WaitVisible(chromedp.CSS("#password")))
	if page := chromium.Run(b, chromedp.Text(chromedp.CSS("body"))); strings.Contains(page, "ann@example.com") {
		t.Error("the way back shows a user after the sign-out")
	}
	b.Quiet(s.URL)
}

package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"roster/test/support/process"
)

// results returns the results of a page.
func (a answer) results() []object {
	a.t.Helper()
	list, ok := a.json()["results"].([]any)
	if !ok {
		a.t.Fatalf("%s: no results: %s", a.what, a.raw)
	}
	out := make([]object, len(list))
	for i, x := range list {
		out[i], _ = x.(object)
	}
	return out
}

// A user lists the own sessions, recognises the present one, and ends the others one by one.
func TestOwnSessions(t *testing.T) {
	s := process.Start(t, nil)
	ann, phone := arrive(s, t, "ann@example.com")
	laptop := call(s, t, "POST", "/api/token/", header("User-Agent", "laptop\tü"), body(object{"email": ann.email, "password": password})).want(200)
	k := tokens{laptop.text("access"), laptop.text("refresh")}
	_, other := arrive(s, t, "bob@example.com")

	seen := call(s, t, "GET", "/api/sessions/", bearer(k.access)).want(200).results()
	if len(seen) != 2 {
		t.Fatalf("%d sessions, want 2: %v", len(seen), seen)
	}
	newest, oldest := seen[0], seen[1]
	same(t, "current", []any{newest["current"], oldest["current"]}, []any{true, false})
	same(t, "user", newest["user"], any(ann.id))
	same(t, "address", newest["address"], any("127.0.0.1"))
	same(t, "user agent", newest["user_agent"], any("laptop\tü"))
	for _, m := range []string{"created", "last_used", "expires"} {
		if _, err := time.Parse(time.RFC3339, fmt.Sprint(newest[m])); err != nil {
			t.Errorf("%s: %v", m, err)
		}
	}
	for name := range newest {
		if !strings.Contains(" id user created last_used expires address user_agent current ", " "+name+" ") {
			t.Errorf("a session has also %s", name)
		}
	}

	id := fmt.Sprint(oldest["id"])
	missing := object{"detail": "Not found."}
	call(s, t, "DELETE", "/api/sessions/"+id+"/", bearer(other.access)).is(404, missing)
	call(s, t, "DELETE", "/api/sessions/ffffffffffffffffffffffff/", bearer(k.access)).is(404, missing)
	call(s, t, "DELETE", "/api/sessions/"+id+"/", bearer(k.access)).want(204)
	call(s, t, "DELETE", "/api/sessions/"+id+"/", bearer(k.access)).is(404, missing)
	refresh(s, t, phone.refresh).want(401)
	call(s, t, "GET", ann.path(), bearer(phone.access)).want(401)
	call(s, t, "GET", ann.path(), bearer(k.access)).want(200)

	call(s, t, "DELETE", "/api/sessions/", bearer(k.access)).want(204)
	for _, token := range []string{k.access, phone.access} {
		call(s, t, "GET", "/api/sessions/", bearer(token)).want(401)
	}
	refresh(s, t, k.refresh).want(401)
	refresh(s, t, other.refresh).want(200)
	call(s, t, "GET", "/api/sessions/").is(401, object{"detail": "Authentication credentials were not provided."})
	call(s, t, "PATCH", "/api/sessions/", bearer(other.access)).is(405, object{"detail": `Method "PATCH" not allowed.`})
}

// Only staff see and end the sessions of others.
func TestSessionsOfOthersAreForStaff(t *testing.T) {
	s := process.Start(t, nil)
	ann, k := arrive(s, t, "ann@example.com")
	_, other := arrive(s, t, "bob@example.com")
	_, admin := staff(s, t, "admin@example.com")
	path := "/api/sessions/?user=" + ann.id
	forbidden := object{"detail": "You do not have permission to perform this action."}
	for _, p := range []string{path, "/api/sessions/?user=nobody", "/api/sessions/?user=00000000-0000-7000-8000-000000000000"} {
		call(s, t, "GET", p, bearer(other.access)).is(403, forbidden)
		call(s, t, "DELETE", p, bearer(other.access)).is(403, forbidden)
	}
	call(s, t, "GET", "/api/sessions/?user=nobody", bearer(admin.access)).want(404)
	same(t, "sessions", len(call(s, t, "GET", path, bearer(admin.access)).want(200).results()), 1)
	call(s, t, "DELETE", path, bearer(admin.access)).want(204)
	call(s, t, "GET", ann.path(), bearer(k.access)).want(401)
	call(s, t, "GET", "/api/sessions/", bearer(admin.access)).want(200)
}

// A page of sessions leads to the next and back.
func TestSessionsArePaged(t *testing.T) {
	s := process.Start(t, map[string]string{"ROSTER_PAGE_SIZE": "2"})
	ann, k := arrive(s, t, "ann@example.com")
	for range 4 {
		tryToSignIn(s, t, ann.email, password).want(200)
	}
	var ids, pages []string
	path := "/api/sessions/"
	for path != "" {
		a := call(s, t, "GET", path, bearer(k.access)).want(200)
		for _, x := range a.results() {
			ids = append(ids, fmt.Sprint(x["id"]))
		}
		pages = append(pages, path)
		path, _ = a.json()["next"].(string)
	}
	seen := map[string]bool{}
	for _, id := range ids {
		seen[id] = true
	}
	if len(ids) != 5 || len(seen) != 5 || len(pages) != 3 {
		t.Errorf("%d sessions, %d different, on %d pages; want 5 on 3", len(ids), len(seen), len(pages))
	}
	back, _ := call(s, t, "GET", pages[2], bearer(k.access)).json()["previous"].(string)
	middle := call(s, t, "GET", back, bearer(k.access)).want(200)
	if got := middle.results(); len(got) != 2 || got[0]["id"] != any(ids[2]) || got[1]["id"] != any(ids[3]) {
		t.Errorf("back from the last page: %v, want %v", got, ids[2:4])
	}
	if next, _ := middle.json()["next"].(string); next == "" || middle.json()["previous"] == nil {
		t.Errorf("the middle has no way on or back: %s", middle.raw)
	}
	for _, cursor := range []string{"x", "e30", strings.Repeat("A", 5000), "eyJ0IjoiMjAyNiIsImkiOiJ4In0"} {
		call(s, t, "GET", "/api/sessions/?cursor="+cursor, bearer(k.access)).is(404, object{"detail": "Invalid cursor"})
	}
}

// /api/users/me/ is the signed-in user.
func TestMe(t *testing.T) {
	s := process.Start(t, nil)
	ann, k := arrive(s, t, "ann@example.com")
	same(t, "me", call(s, t, "GET", "/api/users/me/", bearer(k.access)).want(200).json(), call(s, t, "GET", ann.path(), bearer(k.access)).json())
	call(s, t, "GET", "/api/users/me/").is(401, object{"detail": "Authentication credentials were not provided."})
	call(s, t, "GET", "/api/users/me", bearer(k.access)).want(301)
	same(t, "renamed", call(s, t, "PATCH", "/api/users/me/", bearer(k.access), body(object{"first_name": "Eve", "is_staff": true, "id": "x"})).want(200).text("first_name"), "Eve")
	put := registration(ann.email)
	put["last_name"] = "Put"
	a := call(s, t, "PUT", "/api/users/me/", bearer(k.access), body(put)).want(200)
	same(t, "changed", a.text("last_name"), "Put")
	same(t, "is_staff", a.json()["is_staff"], any(false))
	k = signIn(s, t, ann)
	call(s, t, "PATCH", "/api/users/me/", bearer(k.access), header("If-Match", `"1"`), body(object{"first_name": "X"})).want(412)
	call(s, t, "POST", "/api/users/me/", bearer(k.access)).is(405, object{"detail": `Method "POST" not allowed.`})
	call(s, t, "OPTIONS", "/api/users/me/", bearer(k.access)).want(200)
	call(s, t, "DELETE", "/api/users/me/", bearer(k.access)).want(204)
	call(s, t, "GET", "/api/users/me/", bearer(k.access)).want(401)
	tryToSignIn(s, t, ann.email, password).want(401)
}

// A change of the own password requires the present one, ends the other sessions and keeps this one.
func TestMyPassword(t *testing.T) {
	s := process.Start(t, nil)
	ann, phone := arrive(s, t, "ann@example.com")
	k := signIn(s, t, ann)
	const next = "Another-horse-8-battery"
	change := func(in any) answer {
		return call(s, t, "POST", "/api/users/me/password/", bearer(k.access), body(in))
	}
	change(object{}).is(400, object{"current_password": []string{required}, "new_password": []string{required}})
	change(object{"current_password": "wrong", "new_password": next}).
		is(400, fields("current_password", "Your old password was entered incorrectly. Please enter it again."))
	change(object{"current_password": password, "new_password": "12345678"}).want(400)
	change(object{"current_password": password, "new_password": next}).want(204)
	refresh(s, t, phone.refresh).want(401)
	call(s, t, "GET", "/api/users/me/", bearer(phone.access)).want(401)
	call(s, t, "GET", "/api/users/me/", bearer(k.access)).want(200)
	refresh(s, t, k.refresh).want(200)
	tryToSignIn(s, t, ann.email, password).want(401)
	tryToSignIn(s, t, ann.email, next).want(200)
	call(s, t, "POST", "/api/users/me/password/", body(object{})).want(401)
}

// Staff change flags through PATCH; flags from other users are ignored; the last administrator stays one.
func TestStaffFlags(t *testing.T) {
	s := process.Start(t, nil)
	ann, k := arrive(s, t, "ann@example.com")
	admin, boss := staff(s, t, "admin@example.com")
	flags := object{"is_staff": true, "is_active": true, "is_superuser": true, "id": "7", "date_joined": "2000-01-01T00:00:00Z"}
	before := call(s, t, "GET", ann.path(), bearer(boss.access)).json()
	a := call(s, t, "PATCH", ann.path(), bearer(k.access), body(flags)).want(200).json()
	same(t, "after what a plain user sent", a, before)
	a = call(s, t, "PATCH", ann.path(), bearer(boss.access), body(flags)).want(200).json()
	before["is_staff"] = true
	same(t, "after what staff sent", a, before)
	call(s, t, "PATCH", ann.path(), bearer(boss.access), body(object{"is_staff": "maybe", "is_active": nil})).
		is(400, object{"is_staff": []string{"Must be a valid boolean."}, "is_active": []string{"This field may not be null."}})
	call(s, t, "PATCH", ann.path(), bearer(boss.access), body(object{"is_active": false})).want(200)
	call(s, t, "GET", ann.path(), bearer(k.access)).want(401)
	tryToSignIn(s, t, ann.email, password).want(401)

	last := object{"detail": "The last active staff user cannot stop being one."}
	for _, in := range []object{{"is_staff": false}, {"is_active": false}} {
		call(s, t, "PATCH", admin.path(), bearer(boss.access), body(in)).is(409, last)
	}
	call(s, t, "DELETE", admin.path(), bearer(boss.access)).is(409, last)
	call(s, t, "PATCH", ann.path(), bearer(boss.access), body(object{"is_active": true})).want(200)
	call(s, t, "PATCH", "/api/users/me/", bearer(boss.access), body(object{"is_staff": false})).want(200)
	call(s, t, "GET", "/api/audit/", bearer(boss.access)).want(403)
}

// Staff read the audit trail, with filters, page by page. It survives a restart.
func TestAuditTrail(t *testing.T) {
	s := process.Start(t, map[string]string{"ROSTER_PAGE_SIZE": "3"})
	ann, k := arrive(s, t, "ann@example.com")
	tryToSignIn(s, t, ann.email, "Marker-wrong-4712").want(401)
	tryToSignIn(s, t, "nobody@example.com", "Marker-wrong-4712").want(401)
	admin, boss := staff(s, t, "admin@example.com")
	call(s, t, "PATCH", ann.path(), bearer(boss.access), body(object{"first_name": "Eve"})).want(200)
	s.Restart()

	events := func(query string) (kinds []string, raw string) {
		path := "/api/audit/" + query
		for path != "" {
			a := call(s, t, "GET", path, bearer(boss.access)).want(200)
			raw += string(a.raw)
			for _, e := range a.results() {
				kinds = append(kinds, fmt.Sprint(e["kind"]))
			}
			path, _ = a.json()["next"].(string)
		}
		return kinds, raw
	}
	kinds, raw := events("?user=" + ann.id)
	same(t, "what happened to Ann", strings.Join(kinds, " "), "user_changed sign_in_failed signed_in user_registered")
	kinds, _ = events("?actor=" + admin.id)
	same(t, "what the administrator did", strings.Join(kinds, " "), "user_changed signed_in")
	kinds, _ = events("?kind=sign_in_failed,user_changed")
	same(t, "by kind", strings.Join(kinds, " "), "user_changed user_changed sign_in_failed sign_in_failed") // the first by the operator
	for _, early := range []string{"2020-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0000-01-01T00:00:00Z"} {
		kinds, _ = events("?until=" + early)
		same(t, "before there was anything: "+early, len(kinds), 0)
	}
	_, all := events("")
	for what, secret := range map[string]string{"a password": password, "a wrong password": "Marker-wrong", "a token": signature(k.access), "a hash": "argon2id"} {
		if strings.Contains(raw+all, secret) {
			t.Errorf("the trail holds %s", what)
		}
	}
	newest := call(s, t, "GET", "/api/audit/?user="+ann.id, bearer(boss.access)).results()[0]
	same(t, "actor, user, address, channel and detail", []any{newest["actor"], newest["user"], newest["address"], newest["channel"], newest["detail"]},
		[]any{admin.id, ann.id, "127.0.0.1", "api", "first_name"})
	operator := call(s, t, "GET", "/api/audit/?kind=user_registered,user_changed", bearer(boss.access)).results()
	if len(operator) == 0 {
		t.Error("no registrations on the trail")
	}

	call(s, t, "GET", "/api/audit/?kind=x&actor=a&since=yesterday", bearer(boss.access)).is(400, object{
		"kind":  []string{"Select a valid choice. x is not one of the available choices."},
		"actor": []string{"Enter a valid id."}, "since": []string{"Enter a valid date/time."},
	})
	call(s, t, "GET", "/api/audit/?kind=x", bearer(k.access)).is(403, object{"detail": "You do not have permission to perform this action."})
	call(s, t, "GET", "/api/audit/").want(401)
	for _, method := range []string{"POST", "DELETE", "PUT", "PATCH"} {
		call(s, t, method, "/api/audit/", bearer(boss.access)).want(405)
	}
}

// Guessing is limited for known and unknown accounts in the same way, and a crash does not reset the count. The owner
// can sign in from a known network, and from any other once the account is unlocked.
func TestGuessingIsSlowedDown(t *testing.T) {
	s := process.Start(t, map[string]string{"ROSTER_TRUSTED_PROXIES": "127.0.0.1"})
	try := func(address, email, password string) answer {
		return call(s, t, "POST", "/api/token/", body(object{"email": email, "password": password}), header("X-Forwarded-For", address))
	}
	ann, _ := arrive(s, t, "ann@example.com")
	bob, _ := arrive(s, t, "bob@example.com")
	var refusals []answer
	for email, address := range map[string]string{ann.email: "192.0.2.1", "nobody@example.com": "192.0.2.2"} {
		for range 10 {
			try(address, email, "Marker-wrong-4712").want(401)
		}
		refusals = append(refusals, try(address, email, password).want(429))
	}
	for _, a := range refusals {
		var wait int
		if _, err := fmt.Sscan(a.header.Get("Retry-After"), &wait); err != nil || wait < 1 || wait > 30 {
			t.Errorf("Retry-After: %q", a.header.Get("Retry-After"))
		}
		if got := a.text("detail"); !strings.HasPrefix(got, "Request was throttled. Expected available in ") {
			t.Errorf("detail: %q", got)
		}
	}
	same(t, "header names", names(refusals[0].header), names(refusals[1].header))
	s.Kill()
	s.Restart()
	try("192.0.2.1", strings.ToUpper(ann.email), password).want(429)
	try("192.0.2.1", bob.email, password).want(200)
	tryToSignIn(s, t, ann.email, password).want(200) // from the network of the registration
	if out := s.MustCLI("user", "unlock", ann.email); out != "Unlocked ann@example.com.\n" {
		t.Errorf("user unlock says %q", out)
	}
	try("192.0.2.1", ann.email, password).want(200)
}

// One address that tries one password on many accounts is limited early.
func TestSprayingIsSlowedDown(t *testing.T) {
	s := process.Start(t, nil)
	for i := range 20 {
		tryToSignIn(s, t, fmt.Sprintf("u%d@example.com", i), "Marker-wrong-4712").want(401)
	}
	a := tryToSignIn(s, t, "another@example.com", "Marker-wrong-4712").want(429)
	var wait int
	if _, err := fmt.Sscan(a.header.Get("Retry-After"), &wait); err != nil || wait < 1 || wait > 30 {
		t.Errorf("Retry-After: %q", a.header.Get("Retry-After"))
	}
}

func names(h http.Header) map[string]bool {
	out := map[string]bool{}
	for n := range h {
		out[n] = true
	}
	return out
}

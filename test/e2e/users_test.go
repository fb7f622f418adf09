package e2e

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"roster/test/support/process"
)

var (
	uuid7    = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	datetime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z$`)
)

// A user registers, signs in, reads and changes the own record, and deletes it.
func TestLifeOfAUser(t *testing.T) {
	s := process.Start(t, nil)

	created := call(s, t, "POST", "/api/users/", body(object{
		"email": "Ann@Example.COM", "password": password, "first_name": " Ann ", "last_name": "Lee",
		"id": "me", "is_staff": true, "is_superuser": true, "is_active": false, "date_joined": "1970-01-01T00:00:00Z",
	})).want(201)
	id, joined := created.text("id"), created.text("date_joined")
	if !uuid7.MatchString(id) {
		t.Errorf("id %q is no UUIDv7", id)
	}
	if !datetime.MatchString(joined) {
		t.Errorf("date_joined is %q", joined)
	}
	user := object{
		"id": id, "email": "Ann@example.com", "first_name": "Ann", "last_name": "Lee",
		"is_active": true, "is_staff": false, "date_joined": joined, "last_login": nil,
		"email_verified": false, "locale": nil,
	}
	created.is(201, user)
	if want := `{"id":"` + id + `","email":"Ann@example.com","first_name":"Ann","last_name":"Lee","is_active":true,"is_staff":false,"date_joined":"`; !strings.HasPrefix(string(created.raw), want) {
		t.Errorf("members come in another order than in Django: %s", created.raw)
	}
	ann := person{id, "Ann@example.com"}

	k := signIn(s, t, person{email: "aNN@EXAMPLE.com"})
	read := call(s, t, "GET", ann.path(), bearer(k.access)).want(200)
	user["last_login"] = read.text("last_login")
	read.is(200, user)

	user["first_name"], user["last_name"] = "Änne 🙂", "L"
	call(s, t, "PATCH", ann.path(), bearer(k.access), body(object{"first_name": "Änne 🙂", "last_name": " L "})).is(200, user)
	call(s, t, "PATCH", ann.path(), bearer(k.access)).is(200, user)
	call(s, t, "GET", ann.path(), bearer(k.access)).is(200, user)

	user["email"], user["first_name"] = "anne@example.com", "Anne"
	call(s, t, "PUT", ann.path(), bearer(k.access), body(object{
		"email": "anne@example.com", "password": password + "!", "first_name": "Anne", "last_name": "L",
	})).is(200, user)
	tryToSignIn(s, t, "anne@example.com", password).want(401)
	tryToSignIn(s, t, "Ann@example.com", password+"!").want(401)
	a := tryToSignIn(s, t, "anne@example.com", password+"!").want(200)
	access := a.text("access")

	gone := call(s, t, "DELETE", ann.path(), bearer(access)).want(204)
	if len(gone.raw) != 0 || gone.header.Get("Content-Type") != "" {
		t.Errorf("204 comes with %q of type %q", gone.raw, gone.header.Get("Content-Type"))
	}
	tryToSignIn(s, t, "anne@example.com", password+"!").is(401, object{"detail": "No active account found with the given credentials"})
	again := register(s, t, "anne@example.com")
	if again.id == id {
		t.Error("a new user got the id of a deleted one")
	}
}

// Every answer of an endpoint has the methods that it supports in Allow.
func TestAllowIsInEveryAnswer(t *testing.T) {
	s := process.Start(t, nil)
	ann, k := arrive(s, t, "ann@example.com")
	for path, allow := range map[string]string{
		"/api/users/":           "GET, POST, HEAD, OPTIONS",
		ann.path():              "GET, PUT, PATCH, DELETE, HEAD, OPTIONS",
		"/api/users/nobody/":    "GET, PUT, PATCH, DELETE, HEAD, OPTIONS",
		"/api/token/":           "POST, OPTIONS",
		"/api/token/refresh/":   "POST, OPTIONS",
		"/api/token/verify/":    "POST, OPTIONS",
		"/api/token/blacklist/": "POST, OPTIONS",
	} {
		for _, method := range []string{"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "PURGE"} {
			for _, o := range []option{bearer(k.access), header("X-None", "")} {
				a := call(s, t, method, path, o)
				if got := a.header.Get("Allow"); got != allow {
					t.Errorf("%s: status %d, Allow %q, want %q", a.what, a.status, got, allow)
				}
			}
		}
	}
}

// HEAD is GET without the body, and OPTIONS describes the endpoint.
func TestHeadAndOptions(t *testing.T) {
	s := process.Start(t, nil)
	ann, k := arrive(s, t, "ann@example.com")
	for _, path := range []string{ann.path(), "/api/users/", "/api/users/nobody/"} {
		get, head := call(s, t, "GET", path, bearer(k.access)), call(s, t, "HEAD", path, bearer(k.access))
		if head.status != get.status || len(head.raw) != 0 {
			t.Errorf("HEAD %s: status %d and %d bytes, GET has status %d", path, head.status, len(head.raw), get.status)
		}
		for _, name := range []string{"Content-Type", "Content-Length", "Etag", "Allow"} {
			same(t, "HEAD "+path+": "+name, head.header.Get(name), get.header.Get(name))
		}
	}
	call(s, t, "HEAD", "/api/token/").want(405)
	call(s, t, "OPTIONS", "/api/users/").want(401)
	for path, name := range map[string]string{"/api/users/": "User List", ann.path(): "User Instance"} {
		same(t, "name of "+path, call(s, t, "OPTIONS", path, bearer(k.access)).want(200).text("name"), name)
	}
	call(s, t, "OPTIONS", "/api/token/").want(200)
}

// A path without its closing slash redirects to it, for every method, with its parameters.
func TestMissingSlashRedirects(t *testing.T) {
	s := process.Start(t, nil)
	ann := register(s, t, "ann@example.com")
	for path, target := range map[string]string{
		"/api/users":                     "/api/users/",
		"/api/users?search=a%20b&page=2": "/api/users/?search=a%20b&page=2",
		"/api/users/" + ann.id:           ann.path(),
		"/api/token":                     "/api/token/",
		"/api/token/refresh":             "/api/token/refresh/",
	} {
		for method, code := range map[string]int{"GET": http.StatusMovedPermanently, "POST": http.StatusPermanentRedirect, "DELETE": http.StatusPermanentRedirect} {
			a := call(s, t, method, path, header("X-Forwarded-Host", "evil.example")).want(code)
			same(t, a.what+": Location", a.header.Get("Location"), target)
			same(t, a.what+": body", string(a.raw), "")
		}
	}
}

// A client that sends the version it knows does not undo another change.
func TestEntityTags(t *testing.T) {
	s := process.Start(t, nil)
	ann, k := arrive(s, t, "ann@example.com")
	me := bearer(k.access)
	tag := func(a answer) string {
		t.Helper()
		got := a.header.Get("Etag")
		if !strings.HasPrefix(got, `"`) || !strings.HasSuffix(got, `"`) || len(got) < 3 {
			t.Errorf("%s: ETag %q", a.what, got)
		}
		return got
	}
	name := func(first string) option { return body(object{"first_name": first}) }
	stale := func(a answer) {
		t.Helper()
		a.want(http.StatusPreconditionFailed)
		if detail := a.text("detail"); detail == "" || len(a.json()) != 1 {
			t.Errorf("%s: %s", a.what, a.raw)
		}
	}

	first := tag(call(s, t, "GET", ann.path(), me).want(200))
	same(t, "ETag of the same version", tag(call(s, t, "GET", ann.path(), me)), first)
	second := tag(call(s, t, "PATCH", ann.path(), me, header("If-Match", first), name("B")).want(200))
	if second == first {
		t.Errorf("the ETag %s stays although the user changed", first)
	}
	same(t, "ETag read after a change", tag(call(s, t, "GET", ann.path(), me)), second)

	stale(call(s, t, "PATCH", ann.path(), me, header("If-Match", first), name("C")))
	stale(call(s, t, "DELETE", ann.path(), me, header("If-Match", first)))
	whole := registration(ann.email)
	delete(whole, "password")
	whole["password"] = password
	stale(call(s, t, "PUT", ann.path(), me, header("If-Match", first), body(whole)))
	same(t, "name after refused changes", call(s, t, "GET", ann.path(), me).text("first_name"), "B")

	call(s, t, "PATCH", ann.path(), me, header("If-Match", "*"), name("D")).want(200)
	call(s, t, "PATCH", ann.path(), me, name("E")).want(200)
	now := tag(call(s, t, "GET", ann.path(), me))
	call(s, t, "PATCH", ann.path(), me, header("If-Match", first+", "+now), name("F")).want(200)
	tag(call(s, t, "PUT", ann.path(), me, body(whole)).want(200))

	k = signIn(s, t, ann)
	now = tag(call(s, t, "GET", ann.path(), bearer(k.access)))
	call(s, t, "DELETE", ann.path(), bearer(k.access), header("If-Match", now)).want(204)
}

package e2e

import (
	"net/http"
	"strings"
	"testing"

	"roster/test/support/process"
)

// A request without a valid access token is refused, and the answer has the reason.
func TestUnauthenticated(t *testing.T) {
	s := process.Start(t, nil)
	ann, k := arrive(s, t, "ann@example.com")
	other := process.Start(t, nil)
	_, foreign := arrive(other, t, "ann@example.com")

	none := object{"detail": "Authentication credentials were not provided."}
	malformed := object{"detail": "Authorization header must contain two space-delimited values", "code": "bad_authorization_header"}
	invalid := object{
		"detail": "Given token not valid for any token type", "code": "token_not_valid",
		"messages": []object{{"token_class": "AccessToken", "token_type": "access", "message": "Token is invalid or expired"}},
	}
	for _, c := range []struct {
		name, value string
		want        object
		challenge   string
	}{
		{"empty", "", none, `Bearer realm="api"`},
		{"another scheme", "Basic YTpi", none, `Bearer realm="api"`},
		{"no token", "Bearer", malformed, `Bearer realm="api", error="invalid_token"`},
		{"two tokens", "Bearer " + k.access + " " + k.access, malformed, `Bearer realm="api", error="invalid_token"`},
		{"rubbish", "Bearer rubbish", invalid, `Bearer realm="api", error="invalid_token"`},
		{"another service's token", "Bearer " + foreign.access, invalid, `Bearer realm="api", error="invalid_token"`},
		{"another signature", "Bearer " + k.access[:len(k.access)-86] + k.refresh[len(k.refresh)-86:], invalid, `Bearer realm="api", error="invalid_token"`},
		{"no signature", "Bearer " + k.access[:len(k.access)-86], invalid, `Bearer realm="api", error="invalid_token"`},
		{"a part more", "Bearer " + k.access + ".x", invalid, `Bearer realm="api", error="invalid_token"`},
		{"padding", "Bearer " + k.access + "=", invalid, `Bearer realm="api", error="invalid_token"`},
		{"very long", "Bearer " + strings.Repeat("a", 8000), invalid, `Bearer realm="api", error="invalid_token"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, path := range []string{"/api/users/", ann.path(), "/api/users/nobody/"} {
				a := call(s, t, "GET", path, header("Authorization", c.value)).is(401, c.want)
				same(t, "challenge", a.header.Get("WWW-Authenticate"), c.challenge)
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		for _, method := range []string{"GET", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"} {
			call(s, t, method, ann.path()).is(401, none)
		}
		call(s, t, "PUT", "/api/users/").is(401, none)
	})
	t.Run("in another place", func(t *testing.T) {
		call(s, t, "GET", "/api/users/?access_token="+k.access).is(401, none)
		call(s, t, "GET", "/api/users/", header("Cookie", "access="+k.access)).is(401, none)
		call(s, t, "GET", "/api/users/", header("X-Authorization", "Bearer "+k.access)).is(401, none)
	})
	t.Run("two headers", func(t *testing.T) {
		a := call(s, t, "GET", "/api/users/", func(r *http.Request) {
			r.Header["Authorization"] = []string{"Bearer " + k.access, "Bearer " + k.access}
		})
		a.want(401)
	})
	t.Run("blanks are no matter", func(t *testing.T) {
		call(s, t, "GET", ann.path(), header("Authorization", "Bearer   "+k.access)).want(200)
	})
	t.Run("the open registration too", func(t *testing.T) {
		call(s, t, "POST", "/api/users/", bearer("rubbish"), body(registration("bob@example.com"))).is(401, invalid)
	})
}

// Every signed-in user may read all users and change the own; staff change all.
func TestPermissionToChangeUsers(t *testing.T) {
	s := process.Start(t, nil)
	ann, k := arrive(s, t, "ann@example.com")
	bob := register(s, t, "bob@example.com")
	_, admin := staff(s, t, "admin@example.com")
	same(t, "Bob as Ann sees him", call(s, t, "GET", bob.path(), bearer(k.access)).want(200).text("email"), bob.email)

	forbidden := object{"detail": "You do not have permission to perform this action."}
	call(s, t, "PATCH", bob.path(), bearer(k.access), body(object{"first_name": "B"})).is(403, forbidden)
	call(s, t, "PATCH", bob.path(), bearer(k.access), body(object{"password": "Another-horse-8-battery"})).is(403, forbidden)
	call(s, t, "PUT", bob.path(), bearer(k.access), body(registration("b@example.com"))).is(403, forbidden)
	call(s, t, "DELETE", bob.path(), bearer(k.access)).is(403, forbidden)
	call(s, t, "PATCH", bob.path(), bearer(k.access), body("{rubbish")).is(403, forbidden)
	call(s, t, "PATCH", bob.path(), bearer(k.access), header("X-Http-Method-Override", "GET"), body("{}")).is(403, forbidden)
	same(t, "Bob's name", call(s, t, "GET", bob.path(), bearer(k.access)).text("first_name"), "Ann")
	signIn(s, t, bob)

	call(s, t, "PATCH", bob.path(), bearer(admin.access), body(object{"first_name": "Bob"})).want(200)
	call(s, t, "DELETE", bob.path(), bearer(admin.access)).want(204)
	call(s, t, "PATCH", ann.path(), bearer(k.access), body(object{"is_staff": true, "Is_Staff": true, "is_\u017ftaff": true, "is_superuser": true})).want(200)
	same(t, "Ann is staff", call(s, t, "GET", ann.path(), bearer(k.access)).json()["is_staff"], false)
	s.MustCLI("user", "set", "admin@example.com", "--staff=false", "--force")
	call(s, t, "DELETE", ann.path(), bearer(admin.access)).is(403, forbidden)
}

// A path that does not exist is 404, whatever its form.
func TestNotFound(t *testing.T) {
	s := process.Start(t, nil)
	ann, k := arrive(s, t, "ann@example.com")
	me := bearer(k.access)
	missing := object{"detail": "Not found."}
	for _, id := range []string{
		"nobody", "1", "0", "-1", "9223372036854775808", "00000000-0000-7000-8000-000000000000", strings.ToUpper(ann.id),
		"%00", "%FF", "%20", ann.id + "%20", "'", "%27%20OR%201=1", "$ne", "%7B%22$gt%22:%22%22%7D", strings.Repeat("9", 300),
	} {
		for _, method := range []string{"GET", "PATCH", "DELETE"} {
			call(s, t, method, "/api/users/"+id+"/", me).is(404, missing)
		}
	}
	call(s, t, "PUT", "/api/users/nobody/", me, body("{rubbish")).is(404, missing)
	call(s, t, "GET", "/api/users/?format=xml", me).is(404, missing)
	for _, path := range []string{"/", "/api/nothing/", "/api/users/1.5/", "/api//users/", "/api/users/../users/", "/API/users/", "/debug/pprof/", "/metrics", "/admin/"} {
		for _, method := range []string{"GET", "POST"} {
			a := call(s, t, method, path, me).want(404)
			same(t, path, a.header.Get("Content-Type"), "application/json")
			same(t, path, a.text("detail"), "Not found.")
		}
	}
}

// The refusal of a method that an endpoint does not support names the method.
func TestMethodNotAllowed(t *testing.T) {
	s := process.Start(t, nil)
	ann, k := arrive(s, t, "ann@example.com")
	for _, c := range [][2]string{
		{"PUT", "/api/users/"}, {"DELETE", "/api/users/"}, {"PURGE", "/api/users/"}, {"TRACE", "/api/users/"},
		{"POST", ann.path()}, {"GET", "/api/token/"}, {"DELETE", "/api/token/refresh/"}, {"PUT", "/api/token/verify/"}, {"PATCH", "/api/token/blacklist/"},
	} {
		a := call(s, t, c[0], c[1], bearer(k.access), body(`{}`))
		a.is(405, object{"detail": `Method "` + c[0] + `" not allowed.`})
		if a.header.Get("Allow") == "" {
			t.Errorf("%s: 405 without Allow", a.what)
		}
	}
	call(s, t, "POST", "/livez").want(405)
}

// A client that does not accept JSON gets 406.
func TestNotAcceptable(t *testing.T) {
	s := process.Start(t, nil)
	refused := object{"detail": "Could not satisfy the request Accept header."}
	for _, accept := range []string{"text/html", "application/xml, text/*", "image/png;q=0.8"} {
		call(s, t, "GET", "/api/users/", header("Accept", accept)).is(406, refused)
		call(s, t, "POST", "/api/token/", header("Accept", accept), body(`{}`)).is(406, refused)
	}
	for _, accept := range []string{"*/*", "application/*", "application/json; indent=4", "text/html, application/json;q=0.1", "APPLICATION/JSON"} {
		call(s, t, "POST", "/api/token/", header("Accept", accept), body(`{}`)).want(400)
	}
	call(s, t, "POST", "/api/token/?format=json", body(`{}`)).want(400)
	call(s, t, "POST", "/api/token/?format=api", body(`{}`)).is(404, object{"detail": "Not found."})
}

// Bodies are JSON or forms; anything else, and anything too large, is refused before it is read.
func TestMediaTypesAndSize(t *testing.T) {
	s := process.Start(t, nil)
	user := `{"email":"ann@example.com","password":"` + password + `","first_name":"Ann","last_name":"Lee"}`
	for _, mediaType := range []string{"text/plain", "application/xml", "application/vnd.api+json", "json", ""} {
		a := call(s, t, "POST", "/api/users/", header("Content-Type", mediaType), body(user))
		a.is(415, object{"detail": `Unsupported media type "` + mediaType + `" in request.`})
	}
	for _, mediaType := range []string{"application/json; charset=utf-8", "APPLICATION/JSON", "application/json;version=1"} {
		call(s, t, "POST", "/api/token/", header("Content-Type", mediaType), body(`{}`)).is(400, fields("email", required, "password", required))
	}
	form := "email=form%40example.com&password=Correct-horse+7&first_name=F&last_name=%C3%89"
	a := call(s, t, "POST", "/api/users/", header("Content-Type", "application/x-www-form-urlencoded"), body(form)).want(201)
	same(t, "name from a form", a.text("last_name"), "É")
	tryToSignIn(s, t, "form@example.com", "Correct-horse 7").want(200)

	pad := func(n int) string { return `{"x":"` + strings.Repeat("a", n-len(`{"x":""}`)) + `"}` }
	for _, path := range []string{"/api/users/", "/api/token/", "/api/token/refresh/", "/api/token/verify/", "/api/token/blacklist/"} {
		call(s, t, "POST", path, body(pad(65536))).want(400)
		a := call(s, t, "POST", path, body(pad(65537))).want(http.StatusRequestEntityTooLarge)
		if a.text("detail") == "" || len(a.json()) != 1 {
			t.Errorf("%s: 413 with %s", a.what, a.raw)
		}
	}
	call(s, t, "POST", "/api/users/", header("Content-Type", "application/x-www-form-urlencoded"), body("x="+strings.Repeat("a", 70000))).want(413)
	call(s, t, "POST", "/api/users/", func(r *http.Request) {
		body(pad(70000))(r)
		r.ContentLength = -1 // sent in chunks, of unknown length
	}).want(413)
}

// The service reports to any client that it is alive and ready.
func TestHealth(t *testing.T) {
	s := process.Start(t, nil)
	for _, path := range []string{"/livez", "/readyz"} {
		call(s, t, "GET", path).want(200)
		call(s, t, "HEAD", path).want(200)
	}
}

package e2e

import (
	"maps"
	"net/http"
	"slices"
	"testing"

	"roster/test/support/process"
)

// A client that asks for RFC 9457 gets every refusal as a problem, with the same status and headers.
func TestProblems(t *testing.T) {
	s := process.Start(t, nil)
	ann, k := arrive(s, t, "ann@example.com")
	bob := register(s, t, "bob@example.com")
	tag := call(s, t, "GET", ann.path(), bearer(k.access)).header.Get("Etag")
	call(s, t, "PATCH", ann.path(), bearer(k.access), body(object{"first_name": "B"})).want(200)
	for _, c := range []struct {
		name, method, path string
		options            []option
		status             int
		code, detail       string
	}{
		{"members at fault", "POST", "/api/users/", []option{body(`{}`)}, 400, "invalid", ""},
		{"malformed JSON", "POST", "/api/users/", []option{body(`{`)}, 400, "", ""},
		{"no credentials", "GET", "/api/users/", nil, 401, "", "Authentication credentials were not provided."},
		{"bad token", "GET", "/api/users/", []option{bearer("x")}, 401, "token_not_valid", ""},
		{"wrong password", "POST", "/api/token/", []option{body(object{"email": "a@b.cd", "password": "x"})}, 401, "", "No active account found with the given credentials"},
		{"forbidden", "DELETE", bob.path(), []option{bearer(k.access)}, 403, "", "You do not have permission to perform this action."},
		{"not found", "GET", "/api/users/nobody/", []option{bearer(k.access)}, 404, "not_found", "Not found."},
		{"no route", "GET", "/nothing/", nil, 404, "", "Not found."},
		{"method", "PUT", "/api/token/", nil, 405, "", `Method "PUT" not allowed.`},
		{"stale", "PATCH", ann.path(), []option{bearer(k.access), header("If-Match", tag), body(`{}`)}, 412, "stale", ""},
		{"too large", "POST", "/api/token/", []option{body(make([]byte, 70000))}, 413, "", ""},
		{"media type", "POST", "/api/token/", []option{header("Content-Type", "text/plain"), body("x")}, 415, "", `Unsupported media type "text/plain" in request.`},
	} {
		t.Run(c.name, func(t *testing.T) {
			plain := call(s, t, c.method, c.path, c.options...).want(c.status)
			a := call(s, t, c.method, c.path, append(c.options, header("Accept", "application/problem+json"))...).want(c.status)
			same(t, "media type", a.header.Get("Content-Type"), "application/problem+json")
			for _, name := range []string{"Allow", "Www-Authenticate"} {
				same(t, name, a.header.Get(name), plain.header.Get(name))
			}
			p := a.json()
			same(t, "title", p["title"], any(http.StatusText(c.status)))
			same(t, "status", p["status"], any(float64(c.status)))
			same(t, "request_id", p["request_id"], any(a.header.Get("X-Request-Id")))
			if kind, _ := p["type"].(string); kind == "" {
				t.Errorf("no type: %s", a.raw)
			}
			if detail, _ := p["detail"].(string); detail == "" || c.detail != "" && detail != c.detail {
				t.Errorf("detail %q, want %q", detail, c.detail)
			}
			if code, _ := p["code"].(string); c.code != "" && code != c.code {
				t.Errorf("code %q, want %q", code, c.code)
			}
			known := []string{"code", "detail", "errors", "request_id", "status", "title", "type"}
			for name := range maps.Keys(p) {
				if !slices.Contains(known, name) {
					t.Errorf("unknown member %s: %s", name, a.raw)
				}
			}
		})
	}
}

// A problem lists the members at fault, for programs and for people.
func TestProblemNamesMembers(t *testing.T) {
	s := process.Start(t, nil)
	register(s, t, "ann@example.com")
	in := registration("ann@example.com")
	in["first_name"] = ""
	delete(in, "last_name")
	a := call(s, t, "POST", "/api/users/", header("Accept", "application/problem+json, application/json"), body(in)).want(400)
	want := plain([]object{
		{"field": "email", "code": "unique", "message": taken},
		{"field": "first_name", "code": "blank", "message": blank},
		{"field": "last_name", "code": "required", "message": required},
	})
	same(t, "errors", a.json()["errors"], want)
}

// A success is plain JSON, even if the client accepts problems.
func TestProblemsAreForRefusalsOnly(t *testing.T) {
	s := process.Start(t, nil)
	a := call(s, t, "POST", "/api/users/", header("Accept", "application/problem+json"), body(registration("ann@example.com"))).want(201)
	same(t, "media type", a.header.Get("Content-Type"), "application/json")
}

package e2e

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"roster/test/support/process"
)

const (
	formType = "application/x-www-form-urlencoded"
	secret   = "a key of the tests: 0123456789-abcdefghijklmnopqrstuvwxyz"
)

// raw is a body of a content type, sent unchanged.
func raw(contentType, text string) option {
	return func(r *http.Request) {
		header("Content-Type", contentType)(r)
		body(text)(r)
	}
}

// escaped returns pairs of names and bytes as a form.
func escaped(pairs ...string) string {
	var out []string
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, pairs[i]+"="+url.QueryEscape(pairs[i+1]))
	}
	return strings.Join(out, "&")
}

// The text of a form is decoded with the charset that it declares, as in Django, or the form is refused. Bytes that
// cannot be decoded never become a password that other bytes would match too.
func TestFormsInOtherCharsets(t *testing.T) {
	const (
		latin, latinUTF8 = "M\xfcller-Stra\xdfe-K\xf6ln-44", "Müller-Straße-Köln-44"
		other            = "M\xe4ller-Stra\xe4e-K\xe4ln-44"
		cyrillic         = "\xf7\xe5\xf2\xfb\xf0\xe5 \xf1\xe8\xed\xe8\xf5 \xeb\xee\xe4\xea\xe8 \xe2\xec\xe5\xf1\xf2\xe5 \xed\xee\xf7\xfc\xfe"
		cyrillicUTF8     = "четыре синих лодки вместе ночью"
	)
	person := func(email, password string) string {
		return escaped("email", email, "password", password, "first_name", "Jos\xe9", "last_name", "L")
	}
	t.Run("django", func(t *testing.T) {
		s := process.Start(t, map[string]string{"ROSTER_PROFILE": "django", "ROSTER_IDS": "uuid", "ROSTER_SIGNING_KEY": secret})
		for charset, c := range map[string]struct{ bytes, text, name string }{
			"ISO-8859-1": {latin, latinUTF8, "José"}, "windows-1251": {cyrillic, cyrillicUTF8, "Josй"}, "cp1252": {latin, latinUTF8, "José"},
		} {
			email := charset + "@example.com"
			form := raw(formType+"; charset="+charset, person(email, c.bytes))
			if got := call(s, t, "POST", "/api/users/", form).want(201).text("first_name"); got != c.name {
				t.Errorf("%s: first name %q, want %q", charset, got, c.name)
			}
			tryToSignIn(s, t, email, c.text).want(200)
			call(s, t, "POST", "/api/token/", raw(formType+"; charset="+charset, escaped("email", email, "password", c.bytes))).want(200)
			call(s, t, "POST", "/api/token/", raw(formType+"; charset="+charset, escaped("email", email, "password", other))).want(401)
			call(s, t, "POST", "/api/token/", raw(formType, escaped("email", email, "password", c.bytes))).want(400)
			call(s, t, "POST", "/api/token/", raw(formType, escaped("email", email, "password", "\xff \xff \xff \xff \xff"))).want(400)
		}
		// JSON too is decoded with the charset that it declares.
		call(s, t, "POST", "/api/token/", raw("application/json; charset=iso-8859-1", `{"email":"iso-8859-1@example.com","password":"`+latin+`"}`)).want(200)
		// Without a declared charset it is UTF-8: invalid bytes are replaced in names, as in Django, and refused in passwords.
		call(s, t, "POST", "/api/users/", raw(formType, person("u@example.com", latin))).is(400, object{"password": []any{"Not a valid string."}})
		if got := call(s, t, "POST", "/api/users/", raw(formType, person("u@example.com", "four wide purple boats"))).want(201).text("first_name"); got != "Jos\uFFFD" {
			t.Errorf("first name %q", got)
		}
		call(s, t, "POST", "/api/users/", raw(formType+"; charset=no-such", person("v@example.com", "four wide purple boats"))).want(201)
	})
	t.Run("standard", func(t *testing.T) {
		s := process.Start(t, nil)
		for _, charset := range []string{"ISO-8859-1", "windows-1251", "no-such", "utf-16"} {
			call(s, t, "POST", "/api/users/", raw(formType+"; charset="+charset, person("u@example.com", latin))).want(415)
			call(s, t, "POST", "/api/token/", raw("application/json; charset="+charset, `{}`)).want(415)
		}
		call(s, t, "POST", "/api/users/", raw(formType, person("u@example.com", latin))).
			is(400, object{"password": []any{"Not a valid string."}, "first_name": []any{"Not a valid string."}})
		call(s, t, "POST", "/api/token/refresh/", raw(formType, escaped("refresh", "\xff"))).want(400)
		call(s, t, "POST", "/api/users/", raw(formType+"; charset=UTF-8", escaped("email", "u@example.com", "password", latinUTF8, "first_name", "José", "last_name", "L"))).want(201)
		tryToSignIn(s, t, "u@example.com", latinUTF8).want(200)

		for contentType, want := range map[string]int{"": 400, "text/plain; charset=iso-8859-1": 415} {
			var b bytes.Buffer
			w := multipart.NewWriter(&b)
			for name, value := range map[string]string{"email": "m@example.com", "password": latin, "first_name": "A", "last_name": "B"} {
				h := map[string][]string{"Content-Disposition": {fmt.Sprintf(`form-data; name=%q`, name)}}
				if contentType != "" {
					h["Content-Type"] = []string{contentType}
				}
				part, err := w.CreatePart(h)
				if err != nil {
					t.Fatal(err)
				}
				_, _ = part.Write([]byte(value))
			}
			_ = w.Close()
			call(s, t, "POST", "/api/users/", raw(w.FormDataContentType(), b.String())).want(want)
		}
	})
}

// A percent sign that begins no escape stands for itself, as in Python.
func TestEscapesOfForms(t *testing.T) {
	s := process.Start(t, nil)
	call(s, t, "POST", "/api/users/", raw(formType, "email=p@example.com&first_name=A&last_name=B&password=four+wide%20boats+100%+sure+%zz"), odd).want(201)
	tryToSignIn(s, t, "p@example.com", "four wide boats 100% sure %zz").want(200)
}

// If-Match matches a tag that a compressing proxy changed.
func TestEntityTagsBehindProxies(t *testing.T) {
	s := process.Start(t, nil)
	_, k := arrive(s, t, "ann@example.com")
	patch := func(tag string) answer {
		t.Helper()
		return call(s, t, "PATCH", "/api/users/me/", bearer(k.access), header("If-Match", tag), body(object{"last_name": tag}))
	}
	for _, form := range []string{`"%s"`, `W/"%s"`, `"%s-gzip"`, `"%s;gzip"`, `"%s--gzip"`, `W/"%s-br"`, `"x", W/"%s"`} {
		tag := strings.Trim(call(s, t, "GET", "/api/users/me/", bearer(k.access)).want(200).header.Get("ETag"), `"`)
		patch(fmt.Sprintf(form, tag)).want(200)
		if a := patch(fmt.Sprintf(form, tag)); a.want(412).text("detail") != "The user has changed since the version named in If-Match." {
			t.Errorf("%s again: %s", form, a.raw)
		}
	}
	for _, tag := range []string{"1", `"x"`, `"1-snappy"`, `"01"`, `""`, "*x"} {
		if a := patch(tag); !strings.HasPrefix(a.want(412).text("detail"), "If-Match names no ETag") {
			t.Errorf("%s: %s", tag, a.raw)
		}
	}
	patch("*").want(200)
	call(s, t, "DELETE", "/api/users/me/", bearer(k.access), header("If-Match", "1")).want(412)
}

// Redirects keep the method outside profile django, and the path of public_url.
func TestRedirectsToTheSlash(t *testing.T) {
	for profile, of := range map[string]int{"standard": 308, "django": 301} {
		s := process.Start(t, map[string]string{"ROSTER_PROFILE": profile, "ROSTER_SIGNING_KEY": secret, "ROSTER_PUBLIC_URL": "https://example.org/auth/"})
		for method, want := range map[string]int{"GET": 301, "HEAD": 301, "POST": of, "PATCH": of, "DELETE": of, "PUT": of} {
			a := call(s, t, method, "/api/users?page=2&x=%20")
			if got := a.want(want).header.Get("Location"); got != "/auth/api/users/?page=2&x=%20" {
				t.Errorf("%s %s: to %s", profile, method, got)
			}
		}
	}
	s := process.Start(t, nil)
	if got := call(s, t, "POST", "/api/token").want(308).header.Get("Location"); got != "/api/token/" {
		t.Errorf("to %s", got)
	}
}

// Bearer is case-sensitive in profile django only, and further schemes can be set.
func TestAuthorizationSchemes(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want map[string]int
		says string
	}{
		{nil, map[string]int{"Bearer": 200, "bearer": 200, "BEARER": 200, "JWT": 401}, `Bearer realm="api"`},
		{map[string]string{"ROSTER_AUTHORIZATION_SCHEMES": "JWT,Bearer"}, map[string]int{"bearer": 200, "jwt": 200, "JWT": 200, "Token": 401}, `JWT realm="api"`},
		{
			map[string]string{"ROSTER_PROFILE": "django", "ROSTER_IDS": "uuid", "ROSTER_SIGNING_KEY": secret, "ROSTER_AUTHORIZATION_SCHEMES": "Bearer,JWT"},
			map[string]int{"Bearer": 200, "bearer": 401, "JWT": 200, "jwt": 401}, `Bearer realm="api"`,
		},
	} {
		s := process.Start(t, c.env)
		p, k := arrive(s, t, "ann@example.com")
		for scheme, want := range c.want {
			a := call(s, t, "GET", p.path(), header("Authorization", scheme+" "+k.access)).want(want)
			if got := a.header.Get("WWW-Authenticate"); want == 401 && got != c.says {
				t.Errorf("%s: %s", scheme, got)
			}
		}
	}
}

// page_size is honoured up to max_page_size, with page numbers and with cursors, in every list.
func TestPageSize(t *testing.T) {
	count := func(s *process.Server, k tokens, path string) int {
		t.Helper()
		results, _ := call(s, t, "GET", path, bearer(k.access), odd).want(200).json()["results"].([]any)
		return len(results)
	}
	const users = 7
	start := func(env map[string]string) (*process.Server, tokens) {
		env["ROSTER_PAGE_SIZE"], env["ROSTER_THROTTLE_REGISTER"] = "3", "off"
		s := process.Start(t, env)
		_, k := arrive(s, t, "u0@example.com")
		for i := range users - 1 {
			register(s, t, fmt.Sprintf("u%d@example.com", i+1))
		}
		return s, k
	}
	s, k := start(map[string]string{"ROSTER_MAX_PAGE_SIZE": "5"})
	for query, want := range map[string]int{
		"": 3, "page_size=2": 2, "page_size=5": 5, "page_size=6": 5, "page_size=99999999999999999999": 5, "page_size=0": 3, "page_size=-1": 3, "page_size=x": 3, "page_size=": 3,
		"page=1&page_size=5": 5, "page=2&page_size=5": 2, "page=4&page_size=2": 1,
	} {
		if got := count(s, k, "/api/users/?"+query); got != want {
			t.Errorf("%s: %d users, want %d", query, got, want)
		}
	}
	call(s, t, "GET", "/api/users/?page=2&page_size=7", bearer(k.access), odd).want(200) // 5 a page: 7 is too many
	call(s, t, "GET", "/api/users/?page=3&page_size=5", bearer(k.access)).want(404)
	seen := map[string]bool{}
	for next := "/api/users/?page_size=2"; next != ""; {
		doc := call(s, t, "GET", strings.TrimPrefix(next, s.URL), bearer(k.access)).want(200).json()
		results, _ := doc["results"].([]any)
		for _, r := range results {
			seen[fmt.Sprint(r.(object)["email"])] = true
		}
		if next, _ = doc["next"].(string); next != "" && len(results) != 2 {
			t.Errorf("%d users on a page of 2", len(results))
		}
	}
	if len(seen) != users {
		t.Errorf("%d users by cursor, want %d", len(seen), users)
	}
	for range 3 {
		tryToSignIn(s, t, "u0@example.com", password).want(200)
	}
	if got := count(s, k, "/api/sessions/?page_size=4"); got != 4 {
		t.Errorf("%d sessions", got)
	}

	s, k = start(map[string]string{"ROSTER_PROFILE": "django", "ROSTER_IDS": "uuid", "ROSTER_SIGNING_KEY": secret})
	if got := count(s, k, "/api/users/?page_size=5"); got != 3 {
		t.Errorf("profile django: %d users, want 3 as DRF", got)
	}
}

// The email filter finds the user with an address in any spelling, if the actor may see the user.
func TestFilterByAddress(t *testing.T) {
	s := process.Start(t, nil)
	_, k := arrive(s, t, "ann@example.com")
	register(s, t, "Bob.Lee@example.com")
	for query, want := range map[string]string{
		"email=bob.lee@EXAMPLE.com": "Bob.Lee@example.com", "email=bob": "", "email=nobody@example.com": "", "email=not+an+address": "",
		"email=bob.lee@example.com&is_active=true": "Bob.Lee@example.com", "email=bob.lee@example.com&is_staff=true": "",
		"email=bob.lee@example.com&search=zzz": "", "email=bob.lee@example.com&page=1": "Bob.Lee@example.com",
		"email=bob.lee@example.com&ordering=-email": "Bob.Lee@example.com",
	} {
		results, _ := call(s, t, "GET", "/api/users/?"+query, bearer(k.access)).want(200).json()["results"].([]any)
		got := ""
		if len(results) == 1 {
			got = fmt.Sprint(results[0].(object)["email"])
		}
		if got != want || len(results) > 1 {
			t.Errorf("%s: %v, want %s", query, results, want)
		}
	}
	if n := call(s, t, "GET", "/api/users/?page=1&email=bob.lee@example.com", bearer(k.access)).json()["count"]; fmt.Sprint(n) != "1" {
		t.Errorf("counted %v", n)
	}
	private := process.Start(t, map[string]string{"ROSTER_ACCESS_POLICY": "private"})
	_, k = arrive(private, t, "ann@example.com")
	register(private, t, "bob@example.com")
	if results, _ := call(private, t, "GET", "/api/users/?email=bob@example.com", bearer(k.access)).want(200).json()["results"].([]any); len(results) != 0 {
		t.Errorf("a private user shows: %v", results)
	}
}

// A sign-in reads the address from username if the settings say so.
func TestLoginField(t *testing.T) {
	s := process.Start(t, map[string]string{"ROSTER_LOGIN_FIELD": "username"})
	p := register(s, t, "ann@example.com")
	call(s, t, "POST", "/api/token/", body(object{"username": p.email, "password": password})).want(200)
	call(s, t, "POST", "/api/token/", raw(formType, escaped("grant_type", "password", "username", p.email, "password", password))).want(200)
	call(s, t, "POST", "/api/token/", body(object{"email": p.email, "password": password})).is(400, object{"username": []any{"This field is required."}})
}

// A service that verifies tokens by their signature, iss, aud and typ accepts access tokens only, and finds the user in
// sub.
func TestKindsOfTokensForOtherServices(t *testing.T) {
	s := process.Start(t, nil)
	p, k := arrive(s, t, "ann@example.com")
	access, refreshed := claims(t, k.access), claims(t, k.refresh)
	if access["aud"] != "roster" || access["sub"] != p.id || decoded(t, k.access, 0)["typ"] != "at+jwt" {
		t.Errorf("access: %v %v", decoded(t, k.access, 0), access)
	}
	if refreshed["aud"] != "roster/refresh" || refreshed["sub"] != nil || decoded(t, k.refresh, 0)["typ"] != "rt+jwt" {
		t.Errorf("refresh: %v %v", decoded(t, k.refresh, 0), refreshed)
	}
	next := refresh(s, t, k.refresh).want(200)
	if got := claims(t, next.text("access")); got["aud"] != "roster" || got["sub"] != p.id {
		t.Errorf("refreshed access: %v", got)
	}
	call(s, t, "GET", "/api/users/me/", bearer(k.refresh)).want(401)

	s = process.Start(t, map[string]string{"ROSTER_USER_ID_CLAIM": "sub"})
	p, k = arrive(s, t, "ann@example.com")
	if got := claims(t, k.access); got["sub"] != p.id || got["user_id"] != nil {
		t.Errorf("user_id_claim: %v", got)
	}
	call(s, t, "GET", "/api/users/me/", bearer(k.access)).want(200)
	refresh(s, t, k.refresh).want(200)

	keys := call(s, t, "GET", "/.well-known/jwks.json", header("Origin", "https://anywhere.example")).want(200)
	if got := keys.header.Get("Access-Control-Allow-Origin"); got != "*" {
		t.Errorf("the public keys are for origins %q", got)
	}
}

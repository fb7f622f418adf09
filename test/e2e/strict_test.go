package e2e

import (
	"strings"
	"testing"

	"roster/test/support/process"
)

// In profile strict only staff see and change other users.
func TestStrictHidesOthers(t *testing.T) {
	s := process.Start(t, map[string]string{"ROSTER_PROFILE": "strict", "ROSTER_EMAIL_VERIFICATION": "off", "ROSTER_HIDE_REGISTERED": "false", "ROSTER_API_DOCS": "true"})
	ann, k := arrive(s, t, "ann@example.com")
	bob := register(s, t, "bob@example.com")
	_, admin := staff(s, t, "admin@example.com")
	same(t, "list", list(s, t, "/api/users/", k).emails, []string{ann.email})
	same(t, "search", list(s, t, "/api/users/?search=bob", k).emails, []string(nil))
	same(t, "staff's list", len(list(s, t, "/api/users/", admin).emails), 3)

	missing := object{"detail": "Not found."}
	for _, path := range []string{bob.path(), "/api/users/00000000-0000-7000-8000-000000000000/"} {
		call(s, t, "GET", path, bearer(k.access)).is(404, missing)
		call(s, t, "PATCH", path, bearer(k.access), body(object{"first_name": "B"})).is(404, missing)
		call(s, t, "PUT", path, bearer(k.access), body(registration("b@example.com"))).is(404, missing)
		call(s, t, "DELETE", path, bearer(k.access)).is(404, missing)
	}
	call(s, t, "GET", bob.path(), bearer(admin.access)).want(200)
	call(s, t, "GET", ann.path(), bearer(k.access)).want(200)
}

// In profile strict bodies are JSON only.
func TestStrictTakesNoForms(t *testing.T) {
	s := process.Start(t, map[string]string{"ROSTER_PROFILE": "strict", "ROSTER_EMAIL_VERIFICATION": "off", "ROSTER_HIDE_REGISTERED": "false", "ROSTER_API_DOCS": "true"})
	for _, mediaType := range []string{"application/x-www-form-urlencoded", "multipart/form-data; boundary=x"} {
		call(s, t, "POST", "/api/users/", header("Content-Type", mediaType), body("email=a%40example.com")).
			is(415, object{"detail": `Unsupported media type "` + mediaType + `" in request.`})
	}
}

// In profile strict a change of the password requires the present one, and passwords have fifteen characters.
func TestStrictPasswords(t *testing.T) {
	s := process.Start(t, map[string]string{"ROSTER_PROFILE": "strict", "ROSTER_EMAIL_VERIFICATION": "off", "ROSTER_HIDE_REGISTERED": "false", "ROSTER_API_DOCS": "true"})
	short := "This password is too short. It must contain at least 15 characters."
	in := registration("ann@example.com")
	in["password"] = "Corr7-horse-ba" // 14
	call(s, t, "POST", "/api/users/", body(in)).is(400, fields("password", short))
	ann, k := arrive(s, t, "ann@example.com")

	const next = "Another-horse-8-battery"
	change := func(members object) answer {
		return call(s, t, "PATCH", ann.path(), bearer(k.access), body(members))
	}
	change(object{"password": next}).is(400, fields("current_password", required))
	change(object{"password": next, "current_password": ""}).is(400, fields("current_password", blank))
	change(object{"password": next, "current_password": next}).
		is(400, fields("current_password", "Your old password was entered incorrectly. Please enter it again."))
	change(object{"password": "Corr7-horse-ba", "current_password": password}).is(400, fields("password", short))
	change(object{"first_name": "Anne"}).want(200)
	tryToSignIn(s, t, ann.email, password).want(200)
	a := change(object{"password": next, "current_password": password}).want(200)
	if strings.Contains(string(a.raw), "password") {
		t.Errorf("the answer has an error about passwords: %s", a.raw)
	}
	tryToSignIn(s, t, ann.email, next).want(200)
	wantDead(s, t, ann, k)
}

// In profile strict tokens name their issuer and audience.
func TestStrictTokensNameIssuerAndAudience(t *testing.T) {
	s := process.Start(t, map[string]string{"ROSTER_PROFILE": "strict", "ROSTER_EMAIL_VERIFICATION": "off", "ROSTER_HIDE_REGISTERED": "false", "ROSTER_API_DOCS": "true", "ROSTER_TOKEN_ISSUER": "https://id.example.org", "ROSTER_TOKEN_AUDIENCE": "api"})
	_, k := arrive(s, t, "ann@example.com")
	for audience, token := range map[string]string{"api": k.access, "api/refresh": k.refresh} {
		c := claims(t, token)
		same(t, "iss", c["iss"], any("https://id.example.org"))
		same(t, "aud", c["aud"], any(audience))
	}
}

// In profile strict a change of the own address reveals whether the new one is taken only with the right password,
// whatever else is wrong with the change, and at most at the rate of registrations.
func TestStrictLimitsProbingOfAddresses(t *testing.T) {
	s := process.Start(t, map[string]string{"ROSTER_PROFILE": "strict", "ROSTER_EMAIL_VERIFICATION": "off", "ROSTER_HIDE_REGISTERED": "false", "ROSTER_API_DOCS": "true", "ROSTER_THROTTLE_REGISTER": "12/day"})
	ann, k := arrive(s, t, "ann@example.com")
	bob := register(s, t, "bob@example.com")
	root, admin := staff(s, t, "root@example.com")
	paths := []string{ann.path(), "/api/users/me/"}
	for _, email := range []string{bob.email, "free@example.com"} {
		for _, path := range paths {
			in := object{"email": email, "first_name": ""}
			call(s, t, "PATCH", path, bearer(k.access), body(in)).is(400, fields("current_password", required))
			in["last_name"], in["password"], in["current_password"] = "Lee", "short", "not "+password
			call(s, t, "PUT", path, bearer(k.access), body(in)).
				is(400, fields("current_password", "Your old password was entered incorrectly. Please enter it again."))
		}
	}
	// These were eight changes, after three registrations.
	call(s, t, "PATCH", "/api/users/me/", bearer(k.access), body(object{"email": bob.email, "current_password": password})).
		is(400, fields("email", "user with this email address already exists."))
	for _, path := range paths {
		for _, method := range []string{"PATCH", "PUT"} {
			a := call(s, t, method, path, bearer(k.access), body(object{"email": bob.email, "first_name": ""})).want(429)
			if a.header.Get("Retry-After") == "" || !strings.Contains(strings.Join(a.header.Values("RateLimit-Policy"), ", "), `"register"`) {
				t.Errorf("%v", a.header)
			}
		}
	}
	call(s, t, "POST", "/api/users/", body(registration("carl@example.com"))).want(429)

	// A change without an address is served, and staff, which see all users, are not limited.
	call(s, t, "PATCH", "/api/users/me/", bearer(k.access), body(object{"first_name": "Anne"})).want(200)
	call(s, t, "PATCH", "/api/users/me/", bearer(k.access), body(object{"email": ann.email, "first_name": "Ann"})).want(200)
	call(s, t, "OPTIONS", "/api/users/me/", bearer(k.access)).want(200)
	call(s, t, "PATCH", bob.path(), bearer(admin.access), body(object{"email": ann.email})).is(400, fields("email", "user with this email address already exists."))
	call(s, t, "PATCH", root.path(), bearer(admin.access), body(object{"email": "root2@example.com", "current_password": password})).want(200)
	call(s, t, "POST", "/api/users/", bearer(admin.access), body(registration("dora@example.com"))).want(201)
}

// In profile strict a registration does not show whether the address has an account.
func TestStrictHidesAccounts(t *testing.T) {
	s := process.Start(t, map[string]string{"ROSTER_PROFILE": "strict", "ROSTER_API_DOCS": "true"})
	first := call(s, t, "POST", "/api/users/", body(registration("ann@example.com"))).want(202)
	for _, email := range []string{"Ann@example.com", "bob@example.com"} {
		same(t, email, string(call(s, t, "POST", "/api/users/", body(registration(email))).want(202).raw), string(first.raw))
	}
	tryToSignIn(s, t, "ann@example.com", password).want(401)
}

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"roster/test/support/process"
)

// fields is the body of a refusal that names members.
func fields(pairs ...string) object {
	out := object{}
	for i := 0; i < len(pairs); i += 2 {
		messages, _ := out[pairs[i]].([]string)
		out[pairs[i]] = append(messages, pairs[i+1])
	}
	return out
}

const (
	required = "This field is required."
	null     = "This field may not be null."
	blank    = "This field may not be blank."
	noText   = "Not a valid string."
	badEmail = "Enter a valid email address."
	taken    = "user with this email address already exists."
	short    = "This password is too short. It must contain at least 8 characters."
	common   = "This password is too common."
	numeric  = "This password is entirely numeric."
)

// Every fault of a registration is reported with Django's messages, all in one answer.
func TestRegistrationRefusals(t *testing.T) {
	s := process.Start(t, nil)
	register(s, t, "taken@example.com")
	with := func(pairs ...any) object {
		in := registration("new@example.com")
		for i := 0; i < len(pairs); i += 2 {
			in[pairs[i].(string)] = pairs[i+1]
		}
		return in
	}
	for _, c := range []struct {
		name string
		in   any
		want object
	}{
		{"nothing", object{}, fields("email", required, "password", required, "first_name", required, "last_name", required)},
		{"no body", nil, fields("email", required, "password", required, "first_name", required, "last_name", required)},
		{"other case of names", object{"Email": "a@example.com", "PASSWORD": password, "First_name": "A", "last_Name": "B"},
			fields("email", required, "password", required, "first_name", required, "last_name", required)},
		{"null", with("email", nil, "password", nil, "first_name", nil, "last_name", nil),
			fields("email", null, "password", null, "first_name", null, "last_name", null)},
		{"blank", with("email", "", "password", "", "first_name", "", "last_name", ""),
			fields("email", blank, "password", blank, "first_name", blank, "last_name", blank)},
		{"only white space", with("email", " \t", "first_name", "\u00a0", "last_name", "\n"),
			fields("email", blank, "first_name", blank, "last_name", blank)},
		{"no texts", with("email", []int{}, "password", true, "first_name", object{}, "last_name", []string{"x"}),
			fields("email", badEmail, "password", noText, "first_name", noText, "last_name", noText)},
		{"numbers", with("password", 123456789, "first_name", 5, "last_name", 1.5),
			fields("password", noText, "first_name", noText, "last_name", noText)},
		{"names too long", with("first_name", strings.Repeat("é", 151), "last_name", strings.Repeat("🙂", 151)),
			fields("first_name", "Ensure this field has no more than 150 characters.", "last_name", "Ensure this field has no more than 150 characters.")},
		{"address too long", with("email", strings.Repeat("a", 64)+"@"+strings.Repeat(strings.Repeat("b", 60)+".", 4)+"example"),
			fields("email", "Ensure this field has no more than 254 characters.")},
		{"no address", with("email", "nobody"), fields("email", badEmail)},
		{"two dots", with("email", "a..b@example.com"), fields("email", badEmail)},
		{"no domain", with("email", "a@"), fields("email", badEmail)},
		{"zero-width space in the address", with("email", "a\u200b@example.com"), fields("email", badEmail)},
		{"taken", with("email", "taken@example.com"), fields("email", taken)},
		{"taken in another case", with("email", "TAKEN@EXAMPLE.COM"), fields("email", taken)},
		{"password too short", with("password", "x7!aQ"), fields("password", short)},
		{"password common", with("password", "password1"), fields("password", common)},
		{"password of digits", with("password", "84610375926401"), fields("password", numeric)},
		{"password short, common and of digits", with("password", "123456"), fields("password", short, "password", common, "password", numeric)},
		{"password like the name", with("password", "Annabella", "first_name", "Annabella"), fields("password", "The password is too similar to the first name.")},
		{"password like the address", with("password", "newperson@example", "email", "newperson@example.org"), fields("password", "The password is too similar to the email address.")},
		{"password too long", with("password", strings.Repeat("aB3$", 257)), fields("password", "Ensure this field has no more than 1024 characters.", "password", "Ensure this field has no more than 1024 bytes.")},
		{"NUL", with("first_name", "A\x00B"), fields("first_name", "Null characters are not allowed.")},
		{"lone surrogate", `{"email":"new@example.com","password":"` + password + `","first_name":"\ud800","last_name":"L"}`,
			fields("first_name", "Surrogate characters are not allowed: U+D800.")},
		{"weak password beside another fault", with("password", "123456", "first_name", ""), fields("first_name", blank)},
		{"a list", "[]", fields("non_field_errors", "Invalid data. Expected a dictionary, but got list.")},
		{"a text", `"x"`, fields("non_field_errors", "Invalid data. Expected a dictionary, but got str.")},
		{"a number", "1", fields("non_field_errors", "Invalid data. Expected a dictionary, but got int.")},
		{"a truth", "true", fields("non_field_errors", "Invalid data. Expected a dictionary, but got bool.")},
		{"JSON's null", "null", fields("non_field_errors", "No data provided")},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := body(c.in)
			if c.in == nil {
				in = header("Content-Type", "application/json")
			}
			call(s, t, "POST", "/api/users/", in).is(400, c.want)
		})
	}
	tryToSignIn(s, t, "new@example.com", password).want(401)
}

// A body that is not strict JSON is refused as a whole.
func TestMalformedJSON(t *testing.T) {
	s := process.Start(t, nil)
	ann, k := arrive(s, t, "ann@example.com")
	for name, in := range map[string]string{
		"cut off": `{"first_name": "A"`, "no quotes": `{first_name: "A"}`, "comma": `{"first_name": "A",}`,
		"single quotes": `{'first_name': 'A'}`, "white space": " \n", "NaN": `{"x": NaN}`, "Infinity": `{"x": -Infinity}`,
		"control character": "{\"first_name\": \"A\nB\"}", "byte order mark": "\xef\xbb\xbf{}", "invalid UTF-8": "{\"first_name\": \"\xff\"}",
		"overlong UTF-8": "{\"first_name\": \"\xc0\xaf\"}", "surrogate in UTF-8": "{\"first_name\": \"\xed\xa0\x80\"}",
		"something after it": `{"first_name": "A"} {}`, "rubbish after it": `{"first_name": "A"} x`,
		"a name twice": `{"first_name": "A", "first_name": "B"}`, "a name twice, escaped": `{"first_name": "A", "first\u005fname": "B"}`,
		"a name twice, inside": `{"x": {"y": 1, "y": 2}}`,
		"nested 40 deep":       `{"x": ` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`,
		"nested 10000 deep":    strings.Repeat(`{"x":`, 10000),
	} {
		t.Run(name, func(t *testing.T) {
			a := call(s, t, "PATCH", ann.path(), bearer(k.access), body(in)).want(400)
			if detail := a.text("detail"); !strings.HasPrefix(detail, "JSON parse error - ") || len(a.json()) != 1 {
				t.Errorf("refused with %s", a.raw)
			} else if strings.Contains(detail, "json:") || strings.Contains(detail, "jsontext") || strings.Contains(detail, "Go ") {
				t.Errorf("the refusal has an error of the decoder: %s", detail)
			}
		})
	}
	same(t, "name", call(s, t, "GET", ann.path(), bearer(k.access)).text("first_name"), "Ann")
}

// A refused sign-in does not reveal whether an address has an account.
func TestSignInRefusals(t *testing.T) {
	s := process.Start(t, nil)
	register(s, t, "ann@example.com")
	register(s, t, "bob@example.com")
	s.MustCLI("user", "set", "bob@example.com", "--active=false")
	for name, in := range map[string]object{
		"wrong password": {"email": "ann@example.com", "password": password + "x"},
		"other case":     {"email": "ann@example.com", "password": strings.ToUpper(password)},
		"blank after it": {"email": "ann@example.com", "password": password + " "},
		"unknown":        {"email": "nobody@example.com", "password": password},
		"no address":     {"email": "nobody", "password": password},
		"inactive":       {"email": "bob@example.com", "password": password},
		"inactive, too":  {"email": "bob@example.com", "password": "wrong"},
	} {
		t.Run(name, func(t *testing.T) {
			a := call(s, t, "POST", "/api/token/", body(in)).is(401, object{"detail": "No active account found with the given credentials"})
			same(t, "challenge", a.header.Get("WWW-Authenticate"), `Bearer realm="api"`)
		})
	}
	for _, c := range []struct {
		path string
		in   object
		want object
	}{
		{"/api/token/", object{}, fields("email", required, "password", required)},
		{"/api/token/", object{"email": nil, "password": ""}, fields("email", null, "password", blank)},
		{"/api/token/", object{"email": true, "password": []int{}}, fields("email", noText, "password", noText)},
		{"/api/token/refresh/", object{}, fields("refresh", required)},
		{"/api/token/refresh/", object{"refresh": nil}, fields("refresh", null)},
		{"/api/token/verify/", object{"token": ""}, fields("token", blank)},
		{"/api/token/blacklist/", object{"refresh": object{}}, fields("refresh", noText)},
	} {
		call(s, t, "POST", c.path, body(c.in)).is(400, c.want)
	}
	for _, path := range []string{"/api/token/refresh/", "/api/token/blacklist/"} {
		call(s, t, "POST", path, body(object{"refresh": "rubbish"})).is(401, object{"detail": "Token is invalid or expired", "code": "token_not_valid"})
	}
}

// A change is refused for the same reasons as a registration, and then changes nothing.
func TestChangeRefusals(t *testing.T) {
	s := process.Start(t, nil)
	ann, k := arrive(s, t, "ann@example.com")
	register(s, t, "taken@example.com")
	for name, c := range map[string]struct {
		method   string
		in, want object
	}{
		"PUT needs all":     {"PUT", object{"first_name": "B"}, fields("email", required, "password", required, "last_name", required)},
		"taken":             {"PATCH", object{"first_name": "B", "email": "Taken@example.com"}, fields("email", taken)},
		"weak":              {"PATCH", object{"first_name": "B", "password": "12345678"}, fields("password", common, "password", numeric)},
		"like the old name": {"PATCH", object{"password": "ann@example.com"}, fields("password", "The password is too similar to the email address.")},
		"like the new name": {"PATCH", object{"first_name": "Zebediah", "password": "zebediah1"}, fields("password", "The password is too similar to the first name.")},
		"one of two":        {"PATCH", object{"first_name": "B", "last_name": ""}, fields("last_name", blank)},
	} {
		t.Run(name, func(t *testing.T) {
			call(s, t, c.method, ann.path(), bearer(k.access), body(c.in)).is(400, c.want)
			a := call(s, t, "GET", ann.path(), bearer(k.access)).want(200)
			same(t, "name after it", fmt.Sprint(a.json()["first_name"], a.json()["last_name"]), "AnnLee")
			same(t, "address after it", a.text("email"), "ann@example.com")
		})
	}
	call(s, t, "PATCH", ann.path(), bearer(k.access), body(object{"email": "ANN@example.com"})).want(200)
}

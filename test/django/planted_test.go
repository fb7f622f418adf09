package django

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const key = "a-key-of-the-test-that-signs-nothing-real"

// fake gives every request the same answer: one user in the form of the recorded service.
func fake(t *testing.T) Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Allow", "GET, POST, HEAD, OPTIONS")
		w.Header().Set("X-Exact", "Yes")
		w.Header().Set("Location", "http://"+r.Host+"/api/users/?b=2&a=1")
		_, _ = w.Write([]byte(`{"id":7,"email":"a@example.com","is_active":true,"ratio":1.0,"last_login":null,` +
			`"joined":"2026-11-23T10:46:16.224182Z","tags":["x","y"],"users":[{"id":1},{"id":2}]}`))
	}))
	t.Cleanup(s.Close)
	return Server{URL: s.URL, Secret: key, Hook: func(string, string) error { return nil }}
}

// run replays one request to the fake. The expectation, the rest of the step, and further steps are JSON.
func run(t *testing.T, s Server, expect, further string) error {
	t.Helper()
	text := `{"id":"x","steps":[{"do":"request","method":"GET","path":"/","expect":` + expect + further + "]}"
	var c Case
	if err := decode([]byte(text), &c); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s.Replay(c)
}

// An expectation that the answer meets passes, and the same with one deviation fails.
func TestReplayerFindsPlantedDeviations(t *testing.T) {
	const whole = `"id":7,"email":"a@example.com","is_active":true,"ratio":1.0,"last_login":null,"joined":"<<datetime>>","tags":["x","y"],"users":"<<array>>"`
	body := func(members string) string { return `{"status":200,"body_kind":"json","body":{` + members + `}}` }
	part := func(members string) string {
		return `{"status":200,"extra_fields":true,"body_kind":"json","body":{` + members + `}}`
	}
	header := func(name, value string) string { return `{"status":200,"headers":{"` + name + `":"` + value + `"}}` }
	for _, c := range []struct{ name, good, bad string }{
		{"status", `{"status":200}`, `{"status":201}`},
		{"status in a list", `{"status":[201,200]}`, `{"status":[201,202]}`},
		{"no status", `{"status":[200]}`, `{}`},
		{"a member less than came", body(whole), body(strings.Replace(whole, `"id":7,`, "", 1))},
		{"a member more than came", body(whole), body(whole + `,"surplus":1`)},
		{"a member missing although others may come", part(`"id":7`), part(`"ident":7`)},
		{"number", part(`"id":7`), part(`"id":8`)},
		{"number for text", part(`"id":7`), part(`"id":"7"`)},
		{"text for number", part(`"email":"a@example.com"`), part(`"email":7`)},
		{"whole number for fraction", part(`"ratio":1.0`), part(`"ratio":1`)},
		{"fraction for whole number", part(`"id":7`), part(`"id":7.0`)},
		{"truth", part(`"is_active":true`), part(`"is_active":false`)},
		{"number for truth", part(`"is_active":true`), part(`"is_active":1`)},
		{"null", part(`"last_login":null`), part(`"last_login":""`)},
		{"not null", part(`"email":"a@example.com"`), part(`"email":null`)},
		{"text", part(`"email":"a@example.com"`), part(`"email":"A@example.com"`)},
		{"object for array", part(`"tags":["x","y"]`), part(`"tags":{}`)},
		{"array too short", part(`"tags":["x","y"]`), part(`"tags":["x"]`)},
		{"array too long", part(`"tags":["x","y"]`), part(`"tags":["x","y","z"]`)},
		{"array in another order", part(`"tags":["x","y"]`), part(`"tags":["y","x"]`)},
		{"matcher string", part(`"email":"<<string>>"`), part(`"id":"<<string>>"`)},
		{"matcher int", part(`"id":"<<int>>"`), part(`"ratio":"<<int>>"`)},
		{"matcher int on text", part(`"id":"<<int>>"`), part(`"email":"<<int>>"`)},
		{"matcher id", part(`"id":"<<id>>"`), part(`"is_active":"<<id>>"`)},
		{"matcher jwt", part(`"email":"<<any>>"`), part(`"email":"<<jwt>>"`)},
		{"matcher datetime", part(`"joined":"<<datetime>>"`), part(`"last_login":"<<datetime>>"`)},
		{"matcher datetime or null", part(`"last_login":"<<datetime|null>>"`), part(`"email":"<<datetime|null>>"`)},
		{"matcher url or null", part(`"last_login":"<<url|null>>"`), part(`"id":"<<url|null>>"`)},
		{"matcher array", part(`"tags":"<<array>>"`), part(`"email":"<<array>>"`)},
		{"matcher regex", part(`"email":"<<regex:^a@>>"`), part(`"email":"<<regex:^b@>>"`)},
		{"matcher regex on a number", part(`"id":"<<any>>"`), part(`"id":"<<regex:7>>"`)},
		{"matcher url", part(`"email":"<<url:a@example.com>>"`), part(`"email":"<<url:a@example.com?x=1>>"`)},
		{"matcher that is none", part(`"id":"<<any>>"`), part(`"id":"<<whatever>>"`)},
		{"each", part(`"users":{"$each":{"id":"<<int>>"}}`), part(`"users":{"$each":{"id":1}}`)},
		{"each of no array", part(`"users":{"$each":{"id":"<<int>>"}}`), part(`"email":{"$each":"<<any>>"}`)},
		{"contains", part(`"users":{"$contains":{"id":2}}`), part(`"users":{"$contains":{"id":3}}`)},
		{"operator that is none", part(`"tags":{"$each":"<<string>>"}`), part(`"tags":{"$some":"x"}`)},
		{"variable never captured", part(`"id":"<<int>>"`), part(`"id":"{{nobody}}"`)},
		{"header there", header("Allow", "HEAD, GET, OPTIONS, POST"), header("WWW-Authenticate", "Bearer")},
		{"header Allow", header("allow", "HEAD,GET,OPTIONS,POST"), header("Allow", "GET, HEAD, OPTIONS")},
		{"header Content-Type", header("Content-Type", "Application/JSON; charset=utf-8"), header("Content-Type", "text/html")},
		{"header Location", header("Location", "/api/users/?a=1&b=2"), header("Location", "/api/users/?a=1")},
		{"header Location, path", header("Location", "/api/users/?a=1&b=2"), header("Location", "/api/users?a=1&b=2")},
		{"header exactly", header("X-Exact", "Yes"), header("X-Exact", "yes")},
		{"header absent", `{"status":200,"absent_headers":["X-None"]}`, `{"status":200,"absent_headers":["Allow"]}`},
		{"body is not empty", `{"status":200,"body_kind":"any"}`, `{"status":200,"body_kind":"empty"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := fake(t)
			if err := run(t, s, c.good, "}"); err != nil {
				t.Errorf("this should pass: %s\n%v", c.good, err)
			}
			var m *mismatch
			if err := run(t, s, c.bad, "}"); !errors.As(err, &m) {
				t.Errorf("this should be a mismatch: %s\n%v", c.bad, err)
			}
		})
	}
}

// Steps that are not requests find planted faults too.
func TestStepsFindPlantedFaults(t *testing.T) {
	const capture = `,"capture":{"id":"/id","email":"/email"}},`
	const mint = `{"do":"jwt_mint","into":"tok","sign":"HS256","key":"{{secret_key}}","header":{"alg":"HS256"},` +
		`"claims":{"exp":{"$now":300},"jti":{"$uuid":"hex"},"user_id":"{{id}}","text":{"$text":"{{id}}"}}},`
	for _, c := range []struct{ name, good, bad string }{
		{"capture", capture + `{"do":"assert_differ","a":"{{id}}","b":"{{email}}"}`, capture + `{"do":"assert_differ","a":"{{id}}","b":"7"}`},
		{"capture what is not there", capture + `{"do":"hook","action":"activate","email":"{{email}}"}`,
			`,"capture":{"id":"/ident"}},{"do":"hook","action":"activate","email":"x"}`},
		{"claims", capture + mint + `{"do":"jwt_check","token":"{{tok}}","extra_fields":true,"claims":{"user_id":"{{id}}"}}`,
			capture + mint + `{"do":"jwt_check","token":"{{tok}}","claims":{"user_id":"{{id}}"}}`},
		{"claim types", capture + mint + `{"do":"jwt_check","token":"{{tok}}","extra_fields":true,"claims":{"user_id":7,"text":"7"}}`,
			capture + mint + `{"do":"jwt_check","token":"{{tok}}","extra_fields":true,"claims":{"user_id":"7"}}`},
		{"header of a token", capture + mint + `{"do":"jwt_check","token":"{{tok}}","header":{"alg":"HS256"}}`,
			capture + mint + `{"do":"jwt_check","token":"{{tok}}","header":{"alg":"HS256","typ":"JWT"}}`},
		{"expiry", capture + mint + `{"do":"jwt_check","token":"{{tok}}","expires_in":300}`,
			capture + mint + `{"do":"jwt_check","token":"{{tok}}","expires_in":400}`},
		{"tampering", capture + mint + `{"do":"jwt_tamper","token":"{{tok}}","part":2,"into":"bad"},{"do":"assert_differ","a":"{{tok}}","b":"{{bad}}"}`,
			capture + mint + `{"do":"jwt_tamper","token":"{{tok}}","part":3,"into":"bad"}`},
		{"splicing", capture + mint + `{"do":"jwt_splice","parts":["{{tok}}","{{tok}}","{{tok}}"],"into":"again"},{"do":"jwt_check","token":"{{again}}","expires_in":300}`,
			capture + mint + `{"do":"jwt_splice","parts":["{{tok}}","{{tok}}","{{tok}}"],"into":"again"},{"do":"assert_differ","a":"{{tok}}","b":"{{again}}"}`},
		{"step that is none", capture + mint + `{"do":"jwt_check","token":"{{tok}}"}`, capture + `{"do":"dance"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := fake(t)
			if err := run(t, s, `{"status":200}`, c.good); err != nil {
				t.Errorf("this should pass: %s\n%v", c.good, err)
			}
			var m *mismatch
			if err := run(t, s, `{"status":200}`, c.bad); !errors.As(err, &m) {
				t.Errorf("this should be a mismatch: %s\n%v", c.bad, err)
			}
		})
	}
}

// An alternative answer of a case is accepted, and no other.
func TestAlternativesAreAccepted(t *testing.T) {
	s := fake(t)
	if err := run(t, s, `{"status":404}`, `,"expect_alt":[{"status":500},{"status":200}]}`); err != nil {
		t.Error(err)
	}
	if err := run(t, s, `{"status":404}`, `,"expect_alt":[{"status":500}]}`); err == nil {
		t.Error("an answer like none of the expected ones passed")
	}
}

// A captured id may be a number in one answer and a text in another.
func TestCapturedNumbersMatchTheirText(t *testing.T) {
	e := vars{"id": json.Number("7")}
	for got, want := range map[any]bool{json.Number("7"): true, "7": true, "8": false, true: false} {
		if err := e.match("{{id}}", got, false, "id"); (err == nil) != want {
			t.Errorf("captured 7 against %v: %v", got, err)
		}
	}
}

// A case fails when the server cannot be reached or ends the connection.
func TestBrokenConnectionsFail(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	breaks := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte("half"))
	}))
	defer breaks.Close()
	for name, url := range map[string]string{"gone": gone.URL, "breaks off": breaks.URL} {
		if err := run(t, Server{URL: url}, `{"status":200}`, "}"); err == nil {
			t.Errorf("%s: passed", name)
		}
	}
}

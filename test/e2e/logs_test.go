package e2e

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"roster/test/support/process"
)

// At any log level the log has no secret: no password, right or wrong, no token, no hash.
func TestLogsHoldNoSecrets(t *testing.T) {
	for _, profile := range []map[string]string{
		{"ROSTER_LOG_LEVEL": "debug"},
		{"ROSTER_LOG_LEVEL": "debug", "ROSTER_PROFILE": "django", "ROSTER_SIGNING_KEY": "pk3mVq9wZr7tYxB2nLd8sHc5jFg1aUe4"},
	} {
		name := profile["ROSTER_PROFILE"]
		t.Run("profile "+name, func(t *testing.T) {
			const right, wrong, weak = "Marker-right-4711-horse", "Marker-wrong-4712-horse", "marker"
			s := process.Start(t, profile)
			in := registration("ann@example.com")
			in["password"] = right
			id := call(s, t, "POST", "/api/users/", body(in)).want(201).json()["id"]
			path := "/api/users/" + textOf(id) + "/"
			a := tryToSignIn(s, t, "ann@example.com", right).want(200)
			k := tokens{a.text("access"), a.text("refresh")}
			tryToSignIn(s, t, "ann@example.com", wrong).want(401)
			tryToSignIn(s, t, wrong, wrong).want(401)
			call(s, t, "PATCH", path, bearer(k.access), body(object{"password": weak})).want(400)
			call(s, t, "PATCH", path, bearer(k.access), body(`{"password": "`+wrong+`", }`)).want(400)
			call(s, t, "GET", path, bearer(k.access)).want(200)
			call(s, t, "GET", "/api/users/?token="+k.access+"&password="+wrong, bearer(k.access)).want(200)
			call(s, t, "GET", path, bearer(k.refresh)).want(401)
			call(s, t, "GET", path, bearer(k.access+"x")).want(401)
			refresh(s, t, k.refresh).want(200)
			verify(s, t, k.access).want(200)
			signOut(s, t, k.refresh).want(200)
			s.Stop()

			log := s.Logs()
			for what, secret := range map[string]string{
				"a password": right, "a wrong password": wrong, "a weak password": `"` + weak, "an access token": signature(k.access),
				"a refresh token": signature(k.refresh), "claims": strings.Split(k.access, ".")[1], "a hash": "$argon2id$", "the key": "pk3mVq9wZr7tYxB2nLd8sHc5jFg1aUe4",
			} {
				if at := strings.Index(log, secret); at >= 0 {
					t.Errorf("the log holds %s: …%s", what, log[max(0, at-200):at])
				}
			}
		})
	}
}

func signature(token string) string { return token[strings.LastIndexByte(token, '.')+1:] }

// textOf returns an id as it is written in a path.
func textOf(id any) string {
	if s, ok := id.(string); ok {
		return s
	}
	raw, _ := json.Marshal(id)
	return string(raw)
}

// Every line of the log is one JSON object with the usual members, whatever clients send; each request has an id.
func TestLogLinesCannotBeForged(t *testing.T) {
	const agent = "evil\t\u2028\u2029\u0085\xff\",\"msg\":\"forged\"} {\"msg\":\"forged\"}"
	s := process.Start(t, map[string]string{"ROSTER_LOG_LEVEL": "debug"})
	ann, k := arrive(s, t, "ann@example.com")
	a := call(s, t, "GET", ann.path(), bearer(k.access), header("User-Agent", agent)).want(200)
	for _, given := range []string{password, "wrong"} {
		call(s, t, "POST", "/api/token/", header("User-Agent", agent), body(object{"email": ann.email, "password": given}))
	}
	call(s, t, "PATCH", ann.path(), bearer(k.access), header("User-Agent", agent), body(object{"first_name": "{\"msg\":\"forged\"}"})).want(200)
	tryToSignIn(s, t, "ann\n{\"msg\":\"forged\"}\r\n@example.com", password).want(401)
	call(s, t, "GET", "/api/users/%0A%7B%22msg%22:%22forged%22%7D/?search=%0A%7B%22msg%22:%22forged%22%7D", bearer(k.access)).want(404)
	s.Stop()
	events := map[any]bool{} // with the client's user agent
	for line := range strings.Lines(s.Logs()) {
		line = strings.TrimSuffix(line, "\n")
		if strings.ContainsAny(line, "\r\x1b\u2028\u2029\u0085") || !utf8.ValidString(line) {
			t.Errorf("control characters: %q", line)
		}
		var entry object
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Errorf("no JSON: %q", line)
		}
		if entry["msg"] == "forged" {
			t.Errorf("forged: %q", line)
		}
		if text, ok := entry["user_agent"].(string); ok && strings.HasPrefix(text, "evil\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\",") {
			events[entry["msg"]] = true
		}
	}
	same(t, "events", events, map[any]bool{"signed_in": true, "sign_in_failed": true, "user_changed": true})
	if !strings.Contains(s.Logs(), a.header.Get("X-Request-Id")) {
		t.Errorf("no line has the id of request %s:\n%s", a.header.Get("X-Request-Id"), s.Logs())
	}
}

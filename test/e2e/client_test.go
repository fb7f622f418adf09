// Package e2e tests the built service from outside: over HTTP, at the command line, by its logs and its data directory.
// The tests use profile standard unless they name another.
package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"roster/test/support/described"
	"roster/test/support/process"
)

// client follows no redirects and keeps connections for as many requests as tests make at once.
var client = &http.Client{
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport:     &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
}

// object is a JSON object.
type object = map[string]any

// answer is the response to a request.
type answer struct {
	t      testing.TB
	what   string // the request, for messages
	status int
	header http.Header
	raw    []byte
}

// option sets a property of a request.
type option func(*http.Request)

// bearer sends an access token.
func bearer(token string) option { return header("Authorization", "Bearer "+token) }

// header sets a header.
func header(name, value string) option {
	return func(r *http.Request) { r.Header[name] = []string{value} }
}

type oddKey struct{}

// odd marks a request that is not as described, and succeeds all the same.
func odd(r *http.Request) { *r = *r.WithContext(context.WithValue(r.Context(), oddKey{}, true)) }

// body sends v: text and bytes unchanged, anything else as JSON. The content type is application/json unless another
// is set before.
func body(v any) option {
	var raw []byte
	switch v := v.(type) {
	case string:
		raw = []byte(v)
	case []byte:
		raw = v
	default:
		raw, _ = json.Marshal(v)
	}
	return func(r *http.Request) {
		r.Body = io.NopCloser(bytes.NewReader(raw))
		r.ContentLength = int64(len(raw))
		if len(r.Header["Content-Type"]) == 0 {
			r.Header.Set("Content-Type", "application/json")
		}
	}
}

// call makes a request and checks the properties of every answer.
func call(s *process.Server, t testing.TB, method, path string, options ...option) answer {
	t.Helper()
	a := answer{t: t, what: method + " " + path}
	target := s.URL + path
	if strings.HasPrefix(path, "http://") { // a link
		target = path
	}
	r, err := http.NewRequestWithContext(t.Context(), method, target, nil)
	if err != nil {
		t.Errorf("%s: %v", a.what, err)
		return a
	}
	for _, o := range options {
		o(r)
	}
	sent := sentBody(r)
	resp, err := client.Do(r)
	if err != nil {
		t.Errorf("%s: %v", a.what, err)
		return a
	}
	defer resp.Body.Close()
	if a.raw, err = io.ReadAll(resp.Body); err != nil {
		t.Errorf("%s: %v", a.what, err)
	}
	a.status, a.header = resp.StatusCode, resp.Header
	a.everywhere(path)
	a.asDescribed(s, r, sent)
	return a
}

// sentBody returns the body that r is going to send.
func sentBody(r *http.Request) []byte {
	if r.Body == nil || r.ContentLength <= 0 {
		return nil
	}
	raw, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(raw))
	return raw
}

// asDescribed checks the response, and a request that succeeded, against the OpenAPI description of the service.
func (a answer) asDescribed(s *process.Server, r *http.Request, sent []byte) {
	a.t.Helper()
	api, err := described.Of(s.Instance(), s.URL)
	if err == nil {
		err = api.CheckResponse(r, a.status, a.header, a.raw)
	}
	if isOdd, _ := r.Context().Value(oddKey{}).(bool); err == nil && a.status < 300 && !isOdd {
		err = api.CheckRequest(r, sent)
	}
	if err != nil {
		a.t.Errorf("%s: status %d: not as described: %v", a.what, a.status, err)
	}
}

// everywhere checks the properties of every answer of the API.
func (a answer) everywhere(path string) {
	a.t.Helper()
	if got := a.header.Get("X-Content-Type-Options"); got != "nosniff" {
		a.t.Errorf("%s: X-Content-Type-Options is %q, want nosniff", a.what, got)
	}
	if a.header.Get("X-Request-Id") == "" {
		a.t.Errorf("%s: no X-Request-Id", a.what)
	}
	if got := a.header.Get("Cache-Control"); strings.Contains(path, "/api/") && !strings.Contains(path, "/api/schema/") && !strings.Contains(got, "no-store") {
		a.t.Errorf("%s: Cache-Control is %q, want no-store", a.what, got)
	}
	if got := a.header.Get("Server"); got != "" {
		a.t.Errorf("%s: Server is %q, want none", a.what, got)
	}
	if a.status >= 500 && a.status != http.StatusServiceUnavailable {
		a.t.Errorf("%s: status %d: %s", a.what, a.status, a.raw)
	}
	if a.status == http.StatusUnauthorized && !strings.Contains(a.header.Get("WWW-Authenticate"), ` realm="api"`) {
		a.t.Errorf("%s: 401 with WWW-Authenticate %q", a.what, a.header.Get("WWW-Authenticate"))
	}
}

// want fails the test now unless the answer has the status.
func (a answer) want(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s: status %d, want %d: %s", a.what, a.status, status, a.raw)
	}
	return a
}

// json returns the body, which must be one JSON object.
func (a answer) json() object {
	a.t.Helper()
	var out object
	if err := json.Unmarshal(a.raw, &out); err != nil {
		a.t.Fatalf("%s: status %d, the body is no JSON object: %v: %q", a.what, a.status, err, a.raw)
	}
	return out
}

// is checks status and body, given as Go values or as JSON text.
func (a answer) is(status int, body any) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Errorf("%s: status %d, want %d: %s", a.what, a.status, status, a.raw)
		return a
	}
	if a.status != http.StatusNoContent {
		if mediaType := a.header.Get("Content-Type"); mediaType != "application/json" {
			a.t.Errorf("%s: Content-Type %q", a.what, mediaType)
		}
	}
	if diff := cmp.Diff(plain(body), any(a.json())); diff != "" {
		a.t.Errorf("%s: body (- expected, + came):\n%s", a.what, diff)
	}
	return a
}

// plain returns v as JSON decodes it.
func plain(v any) any {
	raw, isText := v.(string)
	if !isText {
		b, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		raw = string(b)
	}
	var out any
	if err := json.Unmarshal([]byte(raw), &out); err != nil {
		panic(raw)
	}
	return out
}

// text returns a member that must be a text.
func (a answer) text(name string) string {
	a.t.Helper()
	v, ok := a.json()[name].(string)
	if !ok {
		a.t.Fatalf("%s: member %s is no text: %s", a.what, name, a.raw)
	}
	return v
}

// same fails the test unless two values are the same.
func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

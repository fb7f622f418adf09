package httpapi

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// A panic gives an ordinary 500. Its stack is in the log with the request id and not in the response, and the next
// request is served.
func TestPanicIsInternalServerError(t *testing.T) {
	core, lines := observer.New(zap.ErrorLevel)
	h := denyingAPI(zap.New(core))
	r := httptest.NewRequest(http.MethodPost, "/api/token/", strings.NewReader(`{"email":"a","password":"b"}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/problem+json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r) // SignIn of denyingApp panics
	id := w.Header().Get("X-Request-Id")
	if w.Code != http.StatusInternalServerError || w.Header().Get("Content-Type") != "application/problem+json" || id == "" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if strings.Contains(w.Body.String(), "nil pointer") || strings.Contains(w.Body.String(), ".go") {
		t.Errorf("the response reveals the panic: %s", w.Body)
	}
	logged := lines.FilterMessage("panic").All()
	if len(logged) != 1 {
		t.Fatalf("%d log lines, want 1", len(logged))
	}
	stack, _ := logged[0].ContextMap()["stack"].(string)
	if !strings.Contains(stack, "httpapi.(*server)") || logged[0].ContextMap()["request_id"] != id {
		t.Errorf("%v", logged[0].ContextMap())
	}
	w = httptest.NewRecorder()
	if h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/nothing", nil)); w.Code != http.StatusNotFound {
		t.Errorf("the next request: %d %s", w.Code, w.Body)
	}
}

// The log has the template of the route, and the path only where there is no route: a path could hold anything.
func TestLoggedRoute(t *testing.T) {
	core, lines := observer.New(zap.InfoLevel)
	h := denyingAPI(zap.New(core))
	for _, c := range []struct{ method, path, route string }{
		{"GET", "/api/users/secret/", "/api/users/{id}/"},
		{"PUT", "/api/token/", "/api/token/"}, // 405 by the resource
		{"GET", "/api/users", "/api/users"},   // redirect
		{"HEAD", "/.well-known/jwks.json", "/.well-known/jwks.json"},
		{"GET", "/secret", "none"},
		{"POST", "/livez", "none"}, // 405 by the router
		{"GET", "/" + strings.Repeat("x", 300), "none"},
	} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(c.method, c.path, nil))
		logged := lines.TakeAll()
		if len(logged) != 1 || logged[0].ContextMap()["route"] != c.route {
			t.Errorf("%s %s: %v, want route %s", c.method, c.path, logged, c.route)
			continue
		}
		want := any(nil)
		if c.route == "none" {
			want = c.path[:min(len(c.path), 200)]
		}
		if got := logged[0].ContextMap()["path"]; got != want {
			t.Errorf("%s %s: path %v, want %v", c.method, c.path, got, want)
		}
	}
}

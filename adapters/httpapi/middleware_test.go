package httpapi

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// A panic is a 500 like any other, its stack is in the log under the id of the request and not in the
// answer, and the next request is served.
func TestPanicIsInternalServerError(t *testing.T) {
	core, lines := observer.New(zap.ErrorLevel)
	h := denyingAPI(zap.New(core))
	r := httptest.NewRequest(http.MethodPost, "/api/token/", strings.NewReader(`{"email":"a","password":"b"}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/problem+json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r) // nobody has no SignIn
	id := w.Header().Get("X-Request-Id")
	if w.Code != http.StatusInternalServerError || w.Header().Get("Content-Type") != "application/problem+json" || id == "" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if strings.Contains(w.Body.String(), "nil pointer") || strings.Contains(w.Body.String(), ".go") {
		t.Errorf("the answer tells of the panic: %s", w.Body)
	}
	readOnlyField := lines.FilterMessage("panic").All()
	if len(readOnlyField) != 1 {
		t.Fatalf("told %d times", len(readOnlyField))
	}
	stack, _ := readOnlyField[0].ContextMap()["stack"].(string)
	if !strings.Contains(stack, "httpapi.(*server)") || readOnlyField[0].ContextMap()["request_id"] != id {
		t.Errorf("%v", readOnlyField[0].ContextMap())
	}
	w = httptest.NewRecorder()
	if h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/nothing", nil)); w.Code != http.StatusNotFound {
		t.Errorf("the next request: %d %s", w.Code, w.Body)
	}
}

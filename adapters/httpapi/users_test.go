package httpapi

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestRegistrationIsAuthorizedBeforeBodyIsRead(t *testing.T) {
	if w := respond(httptest.NewRequest(http.MethodPost, "/api/users/", strings.NewReader("{bad"))); w.Code != http.StatusForbidden {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestIfMatch(t *testing.T) {
	for header, want := range map[string]int{`"2"`: 1, `"+2"`: 0, `"02"`: 0, `W/"2"`: 1, `w/"2"`: 0, `"2-gzip"`: 1, `"2;gzip"`: 1, `W/"2--gzip"`: 1, `"2-x"`: 0, `2`: 0, `"x", "2"`: 1} {
		r := httptest.NewRequest(http.MethodPut, "/", nil)
		r.Header.Set("If-Match", header)
		if got := ifMatch(r); len(got) != want || got == nil {
			t.Errorf("%s: %v", header, got)
		}
	}
}

package httpapi

import (
	"context"
	"net/http"
	"net/http/httptest"
	"roster/domain/user"
	"roster/ports/inbound"
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

// unlocking records calls of Unlock.
type unlocking struct {
	fakeApp
	calls []string
	err   error
}

func (u *unlocking) Unlock(_ context.Context, a inbound.Actor, id user.ID) (bool, error) {
	u.calls = append(u.calls, string(a.ID()+" unlocks "+id))
	return false, u.err
}

func TestUnlock(t *testing.T) {
	app := &unlocking{}
	api := newTestAPI(t, Settings{}, app)
	api.send("POST", "/api/users/7/unlock/", "", bearer("sam")...).want(t, 204)
	api.send("POST", "/api/users/no-id/unlock/", "", bearer("sam")...).want(t, 404)
	api.send("POST", "/api/users/7/unlock/", "").want(t, 401)
	api.send("GET", "/api/users/7/unlock/", "", bearer("sam")...).want(t, 405, "Allow", "POST, OPTIONS")
	if len(app.calls) != 1 || app.calls[0] != "sam unlocks 7" {
		t.Errorf("calls %q", app.calls)
	}
	app.err = inbound.ErrForbidden
	api.send("POST", "/api/users/7/unlock/", "", bearer("ann")...).want(t, 403)
}

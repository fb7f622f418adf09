package httpapi

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/zap"

	"roster/ports/inbound"
)

// nobody is an application that signs nobody in; what it is not asked for here would panic.
type nobody struct {
	inbound.Accounts
	inbound.Authentication
}

func (nobody) Authenticate(context.Context, string) (inbound.Actor, error) {
	return inbound.Actor{}, inbound.ErrUserNotFound
}

func (nobody) AuthorizeRegistration(context.Context, inbound.Actor) error {
	return inbound.ErrForbidden
}

func answerTo(r *http.Request) *httptest.ResponseRecorder {
	n := nobody{}
	w := httptest.NewRecorder()
	h, err := New(Ports{Accounts: n, Authentication: n}, Settings{MaxBody: 1024, RequestTimeout: 1 << 40}, nil, zap.NewNop())
	if err != nil {
		panic(err)
	}
	h.ServeHTTP(w, r)
	return w
}

func TestAnEchoedHeaderNeedNotBeText(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/api/token/", strings.NewReader("{}"))
	r.Header.Set("Content-Type", "text/\xe9")
	if w := answerTo(r); w.Code != http.StatusUnsupportedMediaType || !strings.Contains(w.Body.String(), "text/\uFFFD") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestRegistrationIsAuthorizedBeforeItsBodyIsRead(t *testing.T) {
	if w := answerTo(httptest.NewRequest(http.MethodPost, "/api/users/", strings.NewReader("{bad"))); w.Code != http.StatusForbidden {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestAPanicIsAnOrderlyAnswer(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/api/token/", strings.NewReader(`{"email":"a","password":"b"}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/problem+json")
	w := answerTo(r) // nobody has no SignIn
	if w.Code != http.StatusInternalServerError || w.Header().Get("Content-Type") != "application/problem+json" || w.Header().Get("X-Request-Id") == "" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}

func TestOneSpellingOfAnEntityTag(t *testing.T) {
	for header, want := range map[string]int{`"2"`: 1, `"+2"`: 0, `"02"`: 0, `W/"2"`: 0, `2`: 0, `"x", "2"`: 1} {
		r := httptest.NewRequest(http.MethodPut, "/", nil)
		r.Header.Set("If-Match", header)
		if got := ifMatch(r); len(got) != want || got == nil {
			t.Errorf("%s: %v", header, got)
		}
	}
}

func TestACursorKnowsItsOrdering(t *testing.T) {
	order := orderings()
	for i := range order {
		for j := range order {
			_, err := parseCursor(cursor{back: true}.encode(order[i]), order[j])
			if (err == nil) != (i == j) {
				t.Errorf("cursor of %v under %v: %v", order[i], order[j], err)
			}
		}
	}
}

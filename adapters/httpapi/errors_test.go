package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"roster/domain/fault"
	"roster/domain/session"
	"roster/domain/user"
	"roster/ports/inbound"
)

func TestEveryErrorKindHasAStatus(t *testing.T) {
	for _, k := range fault.Kinds() {
		if statusOf[k] == 0 {
			t.Errorf("kind %d has no HTTP status", k)
		}
	}
}

func TestDRFErrorBodies(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		status int
		body   string
	}{
		"members in order": {
			fault.ErrInvalid.With(fault.Field{Name: "password", Message: "a"}, fault.Field{Name: "email", Message: "b"}, fault.Field{Name: "password", Message: "c"}),
			400, `{"password":["a","c"],"email":["b"]}`,
		},
		"the input as a whole": {errNoData, 400, `{"non_field_errors":["No data provided"]}`},
		"not found":            {fmt.Errorf("storage: %w", user.ErrNotFound), 404, `{"detail":"Not found."}`},
		"bad access token": {
			&accessTokenError{session.ErrWrongType}, 401,
			`{"detail":"Given token not valid for any token type","code":"token_not_valid","messages":[{"token_class":"AccessToken","token_type":"access","message":"Token has wrong type"}]}`,
		},
		"access token without user": {&accessTokenError{session.ErrNoUserClaim}, 401, `{"detail":"Token contained no recognizable user identification","code":"token_not_valid"}`},
		"unknown user":              {&accessTokenError{inbound.ErrUserNotFound}, 401, `{"detail":"User not found","code":"user_not_found"}`},
		"bad refresh token":         {session.ErrBlacklisted, 401, `{"detail":"Token is blacklisted","code":"token_not_valid"}`},
		"forbidden":                 {inbound.ErrForbidden, 403, `{"detail":"You do not have permission to perform this action."}`},
		"stale":                     {user.ErrStale, 412, `{"detail":"The user has changed since the version named in If-Match."}`},
		"media type":                {errMediaType("text/plain"), 415, `{"detail":"Unsupported media type \"text/plain\" in request."}`},
		"out of time":               {fmt.Errorf("query: %w", context.DeadlineExceeded), 503, `{"detail":"Service temporarily unavailable, try again later."}`},
		"a defect hides its text":   {errors.New("dial tcp 10.0.0.7: secret"), 500, `{"detail":"A server error occurred."}`},
		"an internal failure too":   {user.ErrBadState, 500, `{"detail":"A server error occurred."}`},
	} {
		t.Run(name, func(t *testing.T) {
			a := explain(c.err)
			body, err := json.Marshal(a.drfBody())
			if err != nil {
				t.Fatal(err)
			}
			if a.status != c.status || string(body) != c.body {
				t.Errorf("got  %d %s\nwant %d %s", a.status, body, c.status, c.body)
			}
		})
	}
}

func TestProblemDetails(t *testing.T) {
	body, err := json.Marshal(explain(user.ErrEmailTaken).problemBody(&requestInfo{id: "r1"}))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"status":400`, `"title":"Bad Request"`, `"code":"unique"`, `"request_id":"r1"`,
		`"errors":[{"field":"email","code":"unique","message":"user with this email address already exists."}]`,
	} {
		if !strings.Contains(string(body), want) {
			t.Errorf("%s lacks %s", body, want)
		}
	}
}

func TestChallenge(t *testing.T) {
	a := explain(&accessTokenError{session.ErrTokenInvalid})
	if got := (&server{}).challenge(a); got != `Bearer realm="api", error="invalid_token"` {
		t.Error(got)
	}
	if got := (&server{Settings: Settings{PlainChallenge: true}}).challenge(a); got != `Bearer realm="api"` {
		t.Error(got)
	}
	if got := (&server{}).challenge(explain(inbound.ErrNoCredentials)); got != `Bearer realm="api"` {
		t.Errorf("without a token: %s", got)
	}
	if explain(inbound.ErrNoCredentials).status != http.StatusUnauthorized {
		t.Error("not 401")
	}
}

func TestEchoedHeaderWithInvalidUTF8(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/api/token/", strings.NewReader("{}"))
	r.Header.Set("Content-Type", "text/\xe9")
	if w := respond(r); w.Code != http.StatusUnsupportedMediaType || !strings.Contains(w.Body.String(), "text/\uFFFD") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

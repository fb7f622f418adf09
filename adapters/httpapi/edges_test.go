package httpapi

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"roster/domain/user"
	"roster/ports/inbound"
)

// nobody is an application that signs nobody in; what it is not asked for here would panic.
type denyingApp struct {
	inbound.Accounts
	inbound.Authentication
}

func (denyingApp) Authenticate(context.Context, string) (inbound.Actor, error) {
	return inbound.Actor{}, inbound.ErrUserNotFound
}

func (denyingApp) Register(context.Context, inbound.Actor, func() (inbound.UserInput, error)) (*user.User, error) {
	return nil, inbound.ErrForbidden
}

func answerTo(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	denyingAPI(zap.NewNop()).ServeHTTP(w, r)
	return w
}

func denyingAPI(log *zap.Logger) http.Handler {
	n := denyingApp{}
	h, err := New(Ports{Accounts: n, Authentication: n}, Settings{MaxBody: 1024, RequestTimeout: 1 << 40}, nil, log)
	if err != nil {
		panic(err)
	}
	return h
}

func TestEchoedHeaderWithInvalidUTF8(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/api/token/", strings.NewReader("{}"))
	r.Header.Set("Content-Type", "text/\xe9")
	if w := answerTo(r); w.Code != http.StatusUnsupportedMediaType || !strings.Contains(w.Body.String(), "text/\uFFFD") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestRegistrationIsAuthorizedBeforeBodyIsRead(t *testing.T) {
	if w := answerTo(httptest.NewRequest(http.MethodPost, "/api/users/", strings.NewReader("{bad"))); w.Code != http.StatusForbidden {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

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

// Who asks for what, and by which method, is in the request line and the bearer token alone, whatever
// further headers say, also those of a trusted proxy.
func TestOverrideHeadersAreIgnored(t *testing.T) {
	e := newTestAPI(t, Settings{}, fakeApp{})
	for _, name := range []string{
		"X-Http-Method-Override", "X-Http-Method", "X-Method-Override", "X-Original-Url", "X-Rewrite-Url", "X-Original-Method",
		"X-Forwarded-Method", "X-Forwarded-Uri", "X-Forwarded-Prefix", "X-Forwarded-Path", "X-Forwarded-User", "X-Remote-User", "Remote-User", "X-User", "X-User-Id",
		"X-Authenticated-User", "X-Auth-Request-User", "X-Webauth-User", "X-Authorization", "X-Amzn-Oidc-Identity", "Proxy-Authorization", "Cookie",
	} {
		for _, value := range []string{"DELETE", "PUT", "/api/users/", "/livez", "sam", "sam@example.com", "Bearer sam", "access=sam"} {
			e.send("GET", "/api/users/ann/", "", name, value).want(t, 401, "WWW-Authenticate", `Bearer realm="api"`)
			e.send("GET", "/api/users/ann/", "", name, value, "Authorization", "Bearer ann").want(t, 404)
			e.send("POST", "/livez", "", name, value).want(t, 405)
			e.send("GET", "/nothing", "", name, value).want(t, 404)
		}
	}
}

// Profiling is on the handler for operators, which has nothing of the API, and only there.
func TestProfilingIsOnAdminHandlerOnly(t *testing.T) {
	admin, api := NewAdmin(healthy{}, "", zap.NewNop()), denyingAPI(zap.NewNop())
	for path, want := range map[string][2]int{ // status of the operators' handler, and of the API's
		"/debug/pprof/": {200, 404}, "/debug/pprof/heap": {200, 404}, "/debug/pprof/cmdline": {200, 404},
		"/debug/vars": {404, 404}, "/metrics": {404, 404}, "/api/users/": {404, 401}, "/livez": {200, 200},
	} {
		for i, h := range []http.Handler{admin, api} {
			w := httptest.NewRecorder()
			if h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost:8001"+path, nil)); w.Code != want[i] {
				t.Errorf("%s of handler %d: %d, want %d", path, i, w.Code, want[i])
			}
		}
	}
}

// A page of another site whose host name is made to resolve to this machine (DNS rebinding) cannot read
// profiles: its requests have its own name in Host.
func TestProfilingRefusesForeignHost(t *testing.T) {
	for _, c := range []struct {
		listen, host string
		want         int
	}{
		{"127.0.0.1", "127.0.0.1:8001", 200}, {"127.0.0.1", "localhost:8001", 200}, {"127.0.0.1", "LOCALHOST", 200},
		{"127.0.0.1", "[::1]:8001", 200}, {"", "10.0.0.5:8001", 200}, {"id.example.org", "ID.example.org:8001", 200},
		{"127.0.0.1", "evil.example:8001", 421}, {"", "evil.example", 421}, {"", "", 421}, {"id.example.org", "evil.example:8001", 421},
		{"127.0.0.1", "localhost.evil.example:8001", 421}, {"127.0.0.1", "127.0.0.1.evil.example:8001", 421},
	} {
		h := NewAdmin(healthy{}, c.listen, zap.NewNop())
		for path, want := range map[string]int{
			"/debug/pprof/": c.want, "/debug/pprof/heap": c.want, "/debug/pprof/cmdline": c.want, "/debug/pprof/symbol": c.want,
			"/livez": 200, "/readyz": 200, // they say the same on the API's listener, and balancers ask them by any name
		} {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.Host = c.host
			w := httptest.NewRecorder()
			if h.ServeHTTP(w, r); w.Code != want {
				t.Errorf("listening on %q, %s of host %q: %d, want %d", c.listen, path, c.host, w.Code, want)
			}
		}
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

func TestCursorIsBoundToItsOrdering(t *testing.T) {
	order := orderings()
	for i := range order {
		for j := range order {
			_, err := parseCursor(cursor{Back: true, Order: orderingFields(order[i])}.encode(), orderingFields(order[j]))
			if (err == nil) != (i == j) {
				t.Errorf("cursor of %v under %v: %v", order[i], order[j], err)
			}
		}
	}
}

// Of two Authorization fields neither counts, whichever is good.
func TestTwoAuthorizationHeadersAreRefused(t *testing.T) {
	e := newTestAPI(t, Settings{}, fakeApp{})
	e.send("GET", "/api/users/me/", "", as("ann")...).want(t, http.StatusNotFound) // as this application finds no user
	for _, second := range []string{"Bearer ann", "Bearer bob", "Bearer x", "Basic YTpi", ""} {
		for _, both := range [][]string{{"Bearer ann", second}, {second, "Bearer ann"}} {
			r := e.send("GET", "/api/users/me/", "", "Authorization", both[0], "Authorization", both[1])
			if r.want(t, http.StatusUnauthorized); !strings.Contains(r.body, "bad_authorization_header") {
				t.Errorf("%q: %s", both, r.body)
			}
		}
	}
}

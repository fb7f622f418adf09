package httpapi

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
)

func newAdmin(t *testing.T, o Operations, host string, mounts ...Mount) http.Handler {
	t.Helper()
	h, err := NewAdmin(healthy{}, o, host, Settings{RequestTimeout: time.Minute}, zap.NewNop(), mounts...)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// The admin handler has profiling and nothing of the API; the API has no profiling.
func TestProfilingIsOnAdminHandlerOnly(t *testing.T) {
	admin, api := newAdmin(t, Operations{}, ""), denyingAPI(zap.NewNop())
	for path, want := range map[string][2]int{ // status of the admin handler and of the API
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

// A web site that makes its name resolve to this machine (DNS rebinding) cannot read profiles: its requests have its
// own name in Host.
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
		h := newAdmin(t, Operations{}, c.listen)
		for path, want := range map[string]int{
			"/debug/pprof/": c.want, "/debug/pprof/heap": c.want, "/debug/pprof/cmdline": c.want, "/debug/pprof/symbol": c.want,
			"/livez": 200, "/readyz": 200, // public anyway, and load balancers use any name
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

// Each route of the admin handler answers the methods that it is for. Others get 405 and Allow.
func TestAdminMethods(t *testing.T) {
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	const reads = "GET, HEAD"
	for path, allow := range map[string]string{
		"/livez": reads, "/readyz": reads, "/metrics": reads, "/log/level": "GET, HEAD, PUT", "/debug/pprof/": reads,
		"/debug/pprof/heap": reads, "/debug/pprof/cmdline": reads, "/debug/pprof/symbol": "GET, HEAD, POST",
	} {
		for _, listen := range []string{"127.0.0.1", "0.0.0.0"} { // metrics have a route of their own on the second
			for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} {
				w := httptest.NewRecorder()
				newAdmin(t, Operations{ok, ok}, listen).
					ServeHTTP(w, httptest.NewRequest(method, "http://localhost:8001"+path, nil))
				if slices.Contains(strings.Split(allow, ", "), method) {
					if w.Code != http.StatusOK {
						t.Errorf("%s %s: %d", method, path, w.Code)
					}
				} else if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != allow {
					t.Errorf("%s %s: %d, Allow %q; want 405, %q", method, path, w.Code, w.Header().Get("Allow"), allow)
				}
			}
		}
	}
}
